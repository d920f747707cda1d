"""How the fields of a record are called in OpenTelemetry: the one table, for both directions.

Names and meaning of the `gen_ai.*`, `openai.*`, `http.*`, `server.*` and `error.*` attributes are those of the semantic
conventions (github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai). Everything else is `tallyspan.*`; why,
and how the list grows, is in docs/adr/0006-names-we-added.md. docs/attributes.md is generated from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from tallyspan.books.quantities import QUANTITIES, Unit
from tallyspan.books.record import Billable, Kind, MarkKind, Phase, Reason, State

Value = str | int | bool | tuple[str, ...]
Attributes = dict[str, Value]

USAGE_EVENT = "tallyspan.usage"
WRITER_EVENT = "tallyspan.writer"
ATTRIBUTION = "tallyspan.attribution"
OUR_PREFIX = "tallyspan."

_INT64_MAX = 2**63 - 1
"""OTLP carries whole numbers as int64."""


@dataclass(frozen=True, slots=True)
class Form:
    """
    What an attribute's value must be.

    Attributes:
        read: Gives the value as the record holds it; None if it does not fit.
    """

    expected: str
    read: Callable[[object], Value | None]


def _text(raw: object) -> str | None:
    return raw if isinstance(raw, str) else None


def _count(raw: object) -> int | None:
    if isinstance(raw, bool) or not isinstance(raw, int):
        return None
    return raw if 0 <= raw <= _INT64_MAX else None


def _flag(raw: object) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _is_tuple(raw: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(raw, tuple)


def _texts(raw: object) -> tuple[str, ...] | None:
    if not _is_tuple(raw):
        return None
    texts = tuple(text for text in raw if isinstance(text, str))
    return texts if len(texts) == len(raw) else None


def _one_of(choices: type[StrEnum]) -> Form:
    members: Mapping[object, StrEnum] = {choice.value: choice for choice in choices}
    return Form("one of " + ", ".join(choices), lambda raw: members.get(raw) if isinstance(raw, str) else None)


TEXT = Form("a string", _text)
COUNT = Form("a whole number, 0 or more", _count)
FLAG = Form("a boolean", _flag)
TEXTS = Form("a list of strings", _texts)


@dataclass(frozen=True, slots=True)
class Field:
    """
    A row of the table.

    A field that is not required is left out where the record has its default: None, False or nothing in a list. An
    explicit zero is always written.

    Attributes:
        path: The field's place in its dataclass, dotted inside bounds.
        on_span: Whether the span of the call carries it too, with the value of the call's last attempt.
        once: Written on line 0 only, so that a sum over all lines is right.
    """

    path: str
    attribute: str
    form: Form
    meaning: str
    required: bool = False
    on_span: bool = False
    once: bool = False


RECORD_FIELDS: tuple[Field, ...] = (
    Field("record_id", "tallyspan.record.id", TEXT, "Key of the record, with the line.", required=True, on_span=True),
    Field("kind", "tallyspan.record.kind", _one_of(Kind), "Whether the record adds to the bill.", required=True),
    Field("phase", "tallyspan.record.phase", _one_of(Phase), "Before the attempt, or after it.", required=True),
    Field(
        "state",
        "tallyspan.record.state",
        _one_of(State),
        "Whether the provider told the usage.",
        required=True,
        on_span=True,
    ),
    Field("reason", "tallyspan.record.reason", _one_of(Reason), "Why the usage is unknown.", on_span=True),
    Field(
        "billable",
        "tallyspan.record.billable",
        _one_of(Billable),
        "Whether the provider may charge it.",
        required=True,
        on_span=True,
    ),
    Field(
        "requests",
        "tallyspan.record.requests",
        COUNT,
        "How many requests the record stands for.",
        required=True,
        once=True,
    ),
    Field("bounds.input_min", "tallyspan.bounds.input.min", COUNT, "Least input tokens of a flagged one.", once=True),
    Field("bounds.input_max", "tallyspan.bounds.input.max", COUNT, "Most input tokens; absent: no limit.", once=True),
    Field("bounds.output_min", "tallyspan.bounds.output.min", COUNT, "Least output tokens.", once=True),
    Field(
        "bounds.output_max", "tallyspan.bounds.output.max", COUNT, "Most output tokens; absent: no limit.", once=True
    ),
    Field("ended_ns", "tallyspan.end_time_unix_nano", COUNT, "End of the attempt; its start is the record's time."),
    Field("time_uncertain", "tallyspan.time_uncertain", FLAG, "The times were not those of an attempt we watched."),
    Field("call_id", "tallyspan.call.id", TEXT, "Shared by all attempts of a call.", required=True, on_span=True),
    Field("attempt", "tallyspan.attempt", COUNT, "0 for the first attempt of a call.", required=True, on_span=True),
    Field("operation", "gen_ai.operation.name", TEXT, "`chat`, `embeddings`, …", required=True, on_span=True),
    Field("provider", "gen_ai.provider.name", TEXT, "Whose host was asked.", required=True, on_span=True),
    Field("endpoint", "tallyspan.endpoint", TEXT, "Path below the API's root.", required=True, on_span=True),
    Field("api_type", "openai.api.type", TEXT, "`chat_completions` or `responses`.", on_span=True),
    Field("server_address", "server.address", TEXT, "Host.", on_span=True),
    Field("server_port", "server.port", COUNT, "Port.", on_span=True),
    Field("stream", "gen_ai.request.stream", FLAG, "The answer was asked for as a stream.", on_span=True),
    Field("request_model", "gen_ai.request.model", TEXT, "The model that was asked for.", on_span=True),
    Field("response_id", "gen_ai.response.id", TEXT, "The provider's id of the answer.", on_span=True),
    Field("batch_id", "tallyspan.batch.id", TEXT, "The batch whose answer this is."),
    Field("request_id", "tallyspan.request_id", TEXT, "The answer's `x-request-id`.", on_span=True),
    Field(
        "client_request_id_sent",
        "tallyspan.client_request_id_sent",
        FLAG,
        "The record id went along as `X-Client-Request-Id`.",
    ),
    Field("organization", "tallyspan.organization", TEXT, "The answer's `openai-organization`."),
    Field("project", "tallyspan.project", TEXT, "The answer's `openai-project`."),
    Field("request_service_tier", "openai.request.service_tier", TEXT, "The tier that was asked for.", on_span=True),
    Field("service_tier", "openai.response.service_tier", TEXT, "The tier that served.", on_span=True),
    Field("system_fingerprint", "openai.response.system_fingerprint", TEXT, "Of the answer.", on_span=True),
    Field("finish_reasons", "gen_ai.response.finish_reasons", TEXTS, "Why each choice ended.", on_span=True),
    Field("http_status", "http.response.status_code", COUNT, "Status of the answer.", on_span=True),
    Field("error_type", "error.type", TEXT, "Exception or status that ended the attempt."),
    Field("api_key_hint", "tallyspan.api_key_hint", TEXT, "The API key, masked as the provider's exports show it."),
)

LINE_FIELDS: tuple[Field, ...] = (
    Field("model", "gen_ai.response.model", TEXT, "The model that the provider says it served.", on_span=True),
    Field("item", "tallyspan.line.item", TEXT, "What the line bills beside the model call."),
    Field("unit", "tallyspan.line.unit", _one_of(Unit), "The unit of the line.", required=True),
)

COUNT_FIELDS: tuple[Field, ...] = tuple(
    Field(
        quantity.value,
        spec.attribute,
        COUNT,
        f"Counted {spec.unit}" + (f"; a part of `{QUANTITIES[spec.part_of].attribute}`." if spec.part_of else "."),
        on_span=True,
    )
    for quantity, spec in QUANTITIES.items()
)

WRITER_ID = Field("writer_id", "tallyspan.writer.id", TEXT, "Who wrote: one process.", required=True)
SEQUENCE = Field("sequence", "tallyspan.writer.sequence", COUNT, "Number within the writer; an intent has none.")
MARK = Field("kind", "tallyspan.writer.mark", _one_of(MarkKind), "What the writer says of itself.", required=True)
LINE = Field("line", "tallyspan.record.line", COUNT, "Number of the line within the record.", required=True)
LINES = Field("lines", "tallyspan.record.lines", COUNT, "How many lines the record has.", required=True, once=True)
ATTRIBUTION_FIELD = Field(
    "attributes", ATTRIBUTION, TEXTS, "Names of the attributes of this record that are the user's attribution."
)

ENTRY_FIELDS = (WRITER_ID, SEQUENCE, MARK, LINE, LINES, ATTRIBUTION_FIELD)
ALL_FIELDS = (*ENTRY_FIELDS, *RECORD_FIELDS, *LINE_FIELDS, *COUNT_FIELDS)
_NAMES = frozenset(field.attribute for field in ALL_FIELDS)


def is_ours(attribute: str) -> bool:
    """Whether the books use this name themselves, so that attribution can not have it."""
    return attribute in _NAMES or attribute.startswith(OUR_PREFIX)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something in the books that is not what it must be; `where` names the attribute or the place in the document."""

    where: str
    found: str
    expected: str


def read_fields(fields: tuple[Field, ...], attributes: Mapping[str, object]) -> dict[str, Value] | Misfit:
    """Give the fields that are there by path, or the first that does not fit. Unknown attributes are left alone."""
    found: dict[str, Value] = {}
    for field in fields:
        raw = attributes.get(field.attribute)
        if raw is None:
            if field.required:
                return Misfit(field.attribute, "nothing", field.form.expected)
            continue
        value = field.form.read(raw)
        if value is None:
            return Misfit(field.attribute, repr(raw), field.form.expected)
        found[field.path] = value
    return found
