"""What can be billed: one row for each endpoint, read by one interpreter.

Paths are those that the SDK gives to `request()`, relative to the API's root and the same for Azure, whose client
rewrites them later (openai/lib/azure.py `_build_request`). Sources: the resources of the openai package 3.54, and the
published OpenAPI description.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tallyspan.books.quantities import Quantity, Unit
from tallyspan.usage import tokens

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsageSource:
    """Where an answer keeps the counts of one line, in which unit, and for which item."""

    at: Path
    shape: tokens.Shape
    needs: frozenset[Quantity]
    unit: Unit = Unit.TOKENS
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """
    How an endpoint streams its answer.

    Attributes:
        telling: One of them matches an event that says something of usage or of the end; all but the first event are
            left undecoded where none does. Each begins with a fixed text: the interpreter looks for that much faster
            than for alternatives (1.3 against 3.3 us for a chunk of 268 bytes).
        document: Path from an event to the object that has the shape of a whole answer.
        terminal: Types of the events after which nothing more comes.
        sentinel: Payload of a last event that is no JSON.
        final_when_empty: Usage counts as final in an event whose list of this name is empty; compatible servers put
            running totals on every chunk (vLLM `continuous_usage_stats`).
        must_ask: The usage comes only to a request with `stream_options.include_usage`.
    """

    telling: tuple[re.Pattern[bytes], ...]
    document: Path = ()
    terminal: frozenset[str] = frozenset()
    sentinel: bytes | None = None
    final_when_empty: str | None = None
    must_ask: bool = False

    def tells(self, events: bytes) -> bool:
        """Whether these bytes may say something; a loop, for it runs once a chunk."""
        for telling in self.telling:  # noqa: SIM110 - a generator would cost a third more
            if telling.search(events):
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    One row.

    Attributes:
        sources: Where usage is; the first one is line 0 of the record. Empty: the endpoint is not tabled, and its
            usage is unknown.
        pending: Values of `status` that say the work goes on after the answer.
        limits: Request parameters that bound the output of one choice, the first one given counts.
        choices: Request parameters of which the largest multiplies the output.
        batch: Request parameter that may hold several prompts, each answered by itself.
        has_output: False where nothing but input is charged.
    """

    path: str
    operation: str
    api_type: str | None = None
    sources: tuple[UsageSource, ...] = ()
    stream: Stream | None = None
    finish: Path = ()
    pending: frozenset[str] = frozenset()
    limits: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    batch: str | None = None
    has_output: bool = True


_IN_AND_OUT = frozenset({Quantity.INPUT, Quantity.OUTPUT})

_ERROR = re.compile(rb'"error"\s*:\s*\{')

_CHUNKS = Stream(
    telling=(
        re.compile(rb'"usage"\s*:\s*\{'),
        re.compile(rb'"finish_reason"\s*:\s*"'),
        re.compile(rb"\[DONE\]"),
        _ERROR,
    ),
    sentinel=b"[DONE]",
    final_when_empty="choices",
    must_ask=True,
)
_TYPED = Stream(
    telling=(re.compile(rb'"response\.(?:completed|incomplete|failed)"'), re.compile(rb'"type"\s*:\s*"error"'), _ERROR),
    document=("response",),
    terminal=frozenset({"response.completed", "response.incomplete", "response.failed"}),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        path="/chat/completions",
        operation="chat",
        api_type="chat_completions",
        sources=(UsageSource(("usage",), tokens.CHAT, _IN_AND_OUT),),
        stream=_CHUNKS,
        finish=("choices", "*", "finish_reason"),
        limits=("max_completion_tokens", "max_tokens"),
        choices=("n",),
    ),
    Endpoint(
        path="/completions",
        operation="text_completion",
        sources=(UsageSource(("usage",), tokens.CHAT, _IN_AND_OUT),),
        stream=_CHUNKS,
        finish=("choices", "*", "finish_reason"),
        limits=("max_tokens",),
        choices=("n", "best_of"),
        batch="prompt",
    ),
    Endpoint(
        path="/responses",
        operation="chat",
        api_type="responses",
        sources=(
            UsageSource(("usage",), tokens.RESPONSES, _IN_AND_OUT),
            UsageSource(
                ("tool_usage", "web_search"),
                tokens.WEB_SEARCH_TOOL,
                frozenset({Quantity.CALLS}),
                unit=Unit.CALLS,
                item="web_search",
            ),
            UsageSource(("tool_usage", "image_gen"), tokens.IMAGE_TOOL, _IN_AND_OUT, item="image_gen"),
        ),
        stream=_TYPED,
        finish=("incomplete_details", "reason"),
        pending=frozenset({"queued", "in_progress"}),
        limits=("max_output_tokens",),
    ),
    Endpoint(
        path="/embeddings",
        operation="embeddings",
        sources=(UsageSource(("usage",), tokens.EMBEDDINGS, frozenset({Quantity.INPUT})),),
        has_output=False,
    ),
)

UNMETERED: tuple[str, ...] = (
    "/chat/completions",
    "/responses/input_tokens",
    "/moderations",
    "/models",
    "/files",
    "/uploads",
    "/conversations",
    "/webhooks",
    "/organization",
    "/projects",
)
"""Prefixes of paths where a POST costs nothing; a row of the table comes first.

Sources: help.openai.com/en/articles/4936833 (moderation is free), the API reference (counting input tokens, files,
uploads and conversations carry no price of their own; what is stored is billed by day, not by request; a POST to
`/chat/completions/{id}` changes the metadata of a stored completion).
"""

_BY_PATH: Mapping[str, Endpoint] = MappingProxyType({row.path: row for row in ENDPOINTS})


_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,23}|(?=.{1,5}$)\w+")
"""A segment of a path that may be shown: no id, and nothing of a person's, such as an e-mail address."""


def endpoint_of(method: str, url: str) -> Endpoint | None:
    """
    Return the row of a request; None if nothing is charged for it.

    A POST that is neither tabled nor unmetered gets a row without sources: what it costs is unknown. Segments that
    are no plain words become `{id}`, so that names stay few, and tell of nobody.

    The path is relative to the API's root, with or without its first slash and its query.
    """
    if method.upper() != "POST":
        return None
    path = "/" + url.partition("?")[0].strip("/")
    row = _BY_PATH.get(path)
    if row is not None:
        return row
    if any(path == prefix or path.startswith(prefix + "/") for prefix in UNMETERED):
        return None
    shown = [segment if _WORD.fullmatch(segment) else "{id}" for segment in path.strip("/").split("/")]
    return Endpoint(path="/" + "/".join(shown), operation=".".join(shown))


def tabled_by_suffix(path: str) -> Endpoint | None:
    """Return the row whose path ends `path`, for a request that did not come through the SDK; the longest wins."""
    fitting = [row for row in ENDPOINTS if path.rstrip("/").endswith(row.path)]
    return max(fitting, key=lambda row: len(row.path), default=None)
