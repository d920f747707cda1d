"""Which numbers does a usage report show? One row per field, for the API and the CSV alike."""

from collections.abc import Callable, Mapping
from typing import Final

from tallyspan.demo.buckets import Sums

# The SDK's docstrings (openai 3.54, usage_completions_response.py): input_tokens holds everything;
# input_{text,audio,image}_tokens only the uncached part; there is no field for reasoning.
COMPLETIONS: Final[Mapping[str, Callable[[Sums], int]]] = {
    "num_model_requests": lambda s: s.requests,
    "input_tokens": lambda s: s.usage.input,
    "output_tokens": lambda s: s.usage.output,
    "input_cached_tokens": lambda s: s.usage.cached,
    "input_cache_write_tokens": lambda s: s.usage.cache_write,
    "input_uncached_tokens": lambda s: s.usage.input - s.usage.cached - s.usage.cache_write,
    "input_text_tokens": lambda s: s.usage.input - s.usage.cached - s.usage.cache_write - s.usage.audio_input,
    "output_text_tokens": lambda s: s.usage.output - s.usage.audio_output,
    "input_cached_text_tokens": lambda s: s.usage.cached,
    "input_audio_tokens": lambda s: s.usage.audio_input,
    "input_cached_audio_tokens": lambda _: 0,
    "output_audio_tokens": lambda s: s.usage.audio_output,
    "input_image_tokens": lambda _: 0,
    "input_cached_image_tokens": lambda _: 0,
    "output_image_tokens": lambda _: 0,
}
# Fields that the API has and the CSV has not.
API_ONLY: Final[Mapping[str, Callable[[Sums], int]]] = {
    "input_cache_write_30m_tokens": lambda s: s.usage.cache_write,
    "input_cache_write_12h_tokens": lambda _: 0,
}
EMBEDDINGS: Final[Mapping[str, Callable[[Sums], int]]] = {
    "num_model_requests": lambda s: s.requests,
    "input_tokens": lambda s: s.usage.input,
}
