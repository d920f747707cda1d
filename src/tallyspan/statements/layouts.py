"""
The layouts of OpenAI's exports: one table a kind, read by one interpreter (rows.py).

Columns are found by name, never by place: exports have grown from 24 to 26 and from 9 to 17 columns. Names and meaning
are those of the Usage and Costs APIs (`organization.usage.*.result`, `organization.costs.result` in OpenAI's OpenAPI
document), which the dashboard's files repeat; the activity export is the dashboard's older one (2024 to April 2025).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from tallyspan.reconcile.statement import StatementKind


class Reads(Enum):
    """How a column is read and where its value goes."""

    FIELD = auto()
    """Text, into the field of that name of the row."""
    FLAG = auto()
    """True or False, into the field of that name."""
    PERSON = auto()
    """Somebody's name or address: a pseudonym, into the field of that name."""
    NUMBER = auto()
    """Decimal, into the field of that name."""
    COUNT = auto()
    """Whole number, into the counts under that name."""
    DIMENSION = auto()
    """Text, into the dimensions under that name."""
    SKIP = auto()
    """Known, and not needed."""


@dataclass(frozen=True, slots=True)
class Column:
    """What becomes of a column."""

    reads: Reads
    name: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """
    A kind of export.

    Attributes:
        subject: What is counted, as in the API's path (`completions`, `costs`); only one subject's can be merged.
        required: Columns without which a file is not of this layout.
        start: Column with the start of the bucket, Unix seconds.
        end: Column with its end; None if a bucket is a UTC day and the file lists days with usage only.
    """

    kind: StatementKind
    subject: str
    required: frozenset[str]
    columns: Mapping[str, Column]
    start: str = "start_time"
    end: str | None = "end_time"


def _fields(*names: str) -> dict[str, Column]:
    return {name: Column(Reads.FIELD, name) for name in names}


def _counts(**names: str) -> dict[str, Column]:
    return {column: Column(Reads.COUNT, name) for column, name in names.items()}


def _dimensions(*names: str) -> dict[str, Column]:
    return {name: Column(Reads.DIMENSION, name) for name in names}


def _skipped(*names: str) -> dict[str, Column]:
    return {name: Column(Reads.SKIP) for name in names}


TIMES = ("start_time", "end_time", "start_time_iso", "end_time_iso")
"""The columns of a bucket without usage; a file of such buckets alone has no other."""

_COMMON = {
    **_fields("project_id", "user_id", "api_key_id", "api_source"),
    **_skipped("object", "start_time_iso", "end_time_iso", "organization_id", "organization_name", "project_name"),
    **_skipped("user_email"),
}
_MODEL = {**_COMMON, **_fields("model"), **_counts(num_model_requests="requests")}

# The texts, audio and image columns of input count what was not cached (SDK docstrings of UsageCompletionsResponse).
_COMPLETIONS = {
    **_MODEL,
    **_fields("service_tier"),
    **_skipped("compute_units"),
    "batch": Column(Reads.FLAG, "batch"),
    **_counts(
        input_tokens="input",
        input_cached_tokens="input_cached",
        input_uncached_tokens="input_uncached",
        input_cache_write_tokens="input_cache_write",
        input_cache_write_30m_tokens="input_cache_write_30m",
        input_cache_write_12h_tokens="input_cache_write_12h",
        input_text_tokens="input_uncached_text",
        input_audio_tokens="input_uncached_audio",
        input_image_tokens="input_uncached_image",
        input_cached_text_tokens="input_cached_text",
        input_cached_audio_tokens="input_cached_audio",
        input_cached_image_tokens="input_cached_image",
        output_tokens="output",
        output_text_tokens="output_text",
        output_audio_tokens="output_audio",
        output_image_tokens="output_image",
    ),
}

_COSTS = {
    **_COMMON,
    **_fields("line_item", "quantity_unit"),
    "amount_value": Column(Reads.NUMBER, "amount"),
    "amount_currency": Column(Reads.FIELD, "currency"),
    "quantity": Column(Reads.NUMBER, "quantity"),
}

_ACTIVITY = {
    **_fields("model", "api_key_id", "project_id"),
    **_dimensions("api_key_name", "api_key_redacted", "usage_type", "operation", "request_type", "image_size"),
    **_skipped("organization_id", "organization_name", "api_key_type", "project_name"),
    "user": Column(Reads.PERSON, "user_id"),
    **_counts(
        num_requests="requests",
        num_images="images",
        num_characters="characters",
        n_context_tokens_total="input",
        n_cached_context_tokens_total="input_cached",
        n_context_audio_tokens_total="input_audio",
        n_generated_tokens_total="output",
        n_generated_audio_tokens_total="output_audio",
    ),
}


def _usage(subject: str, columns: Mapping[str, Column], *required: str) -> Layout:
    return Layout(StatementKind.USAGE, subject, frozenset({"start_time", "end_time", *required}), columns)


COMPLETIONS = _usage("completions", _COMPLETIONS, "num_model_requests", "input_tokens", "output_tokens")
COSTS = Layout(StatementKind.COST, "costs", frozenset({"start_time", "end_time", "amount_value"}), _COSTS)
ACTIVITY = Layout(
    StatementKind.ACTIVITY,
    "activity",
    frozenset({"timestamp", "num_requests", "n_context_tokens_total", "n_generated_tokens_total"}),
    _ACTIVITY,
    start="timestamp",
    end=None,
)

_TOKENS_IN = {**_MODEL, **_counts(input_tokens="input")}
EMBEDDINGS = _usage("embeddings", _TOKENS_IN, "num_model_requests", "input_tokens")
MODERATIONS = _usage("moderations", _TOKENS_IN, "num_model_requests", "input_tokens")
IMAGES = _usage(
    "images", {**_MODEL, **_counts(images="images"), **_dimensions("size", "source")}, "num_model_requests", "images"
)

CSV_LAYOUTS: Mapping[str, Layout] = {
    "completions_usage": COMPLETIONS,
    "embeddings_usage": EMBEDDINGS,
    "moderations_usage": MODERATIONS,
    "images_usage": IMAGES,
    "cost": COSTS,
    "activity": ACTIVITY,
}
"""By the first words of the dashboard's file name, which are also what `--kind` takes."""

API_LAYOUTS: Mapping[str, Layout] = {
    "organization.costs.result": COSTS,
    "organization.usage.completions.result": COMPLETIONS,
    "organization.usage.embeddings.result": EMBEDDINGS,
    "organization.usage.moderations.result": MODERATIONS,
    "organization.usage.images.result": IMAGES,
    "organization.usage.audio_speeches.result": _usage(
        "audio_speeches", {**_MODEL, **_counts(characters="characters")}
    ),
    "organization.usage.audio_transcriptions.result": _usage(
        "audio_transcriptions", {**_MODEL, **_counts(seconds="seconds")}
    ),
    "organization.usage.vector_stores.result": _usage("vector_stores", {**_COMMON, **_counts(usage_bytes="bytes")}),
    "organization.usage.code_interpreter_sessions.result": _usage(
        "code_interpreter_sessions", {**_COMMON, **_counts(num_sessions="sessions")}
    ),
    "organization.usage.file_searches.result": _usage(
        "file_search_calls", {**_COMMON, **_counts(num_requests="calls"), **_dimensions("vector_store_id")}
    ),
    "organization.usage.web_searches.result": _usage(
        "web_search_calls", {**_MODEL, **_counts(num_requests="calls"), **_dimensions("context_level")}
    ),
}
"""By the `object` of a result in a page of the Usage or Costs API."""
