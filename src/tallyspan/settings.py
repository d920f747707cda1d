"""What the environment says, read once into one frozen object. docs/settings.md is generated from the table here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote

from tallyspan.books.fields import is_ours

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    The plugin's settings; each has its row in the table below.

    Attributes:
        resource: What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say, for the spool: no SDK stands behind it.
    """

    spool: Path | None = None
    hosts: frozenset[str] = frozenset()
    stream_usage: Literal["auto", "on", "off"] = "auto"
    client_request_id: bool = False
    api_key_hint: bool = False
    baggage_keys: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    semconv: Literal["current", "next", "both"] = "current"
    resource: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Complaint:
    """A value that is not understood; the default is in force instead."""

    variable: str
    found: str
    expected: str
    used: str

    def __str__(self) -> str:
        return f"tallyspan: {self.variable} is {self.found!r}; expected {self.expected}; using {self.used}"


@dataclass(frozen=True, slots=True)
class Setting:
    """
    A row of the table.

    Attributes:
        read: Gives the value; None if the text is not understood.
        default: The default in words.
    """

    variable: str
    path: str
    expected: str
    default: str
    meaning: str
    read: Callable[[str], object | None]


_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]{1,5})?")
_PAIR = re.compile(r"\s*(?P<name>[^=\s]+)\s*=\s*(?P<value>.*?)\s*")


def _items(text: str) -> tuple[str, ...]:
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def _hosts(text: str) -> frozenset[str] | None:
    hosts = frozenset(_items(text.lower()))
    return hosts if all(_HOST.fullmatch(host) for host in hosts) else None


def _names(text: str) -> tuple[str, ...] | None:
    names = _items(text)
    return None if any(is_ours(name) for name in names) else names


def _pairs(text: str) -> Mapping[str, str] | None:
    pairs = [_PAIR.fullmatch(item) for item in _items(text)]
    if None in pairs:
        return None
    return MappingProxyType({pair["name"]: unquote(pair["value"]) for pair in pairs if pair is not None})


def _own_pairs(text: str) -> Mapping[str, str] | None:
    pairs = _pairs(text)
    return None if pairs is None or any(is_ours(name) for name in pairs) else pairs


def _one_of(*choices: str) -> Callable[[str], str | None]:
    return lambda text: text.lower() if text.lower() in choices else None


def _switch(text: str) -> bool | None:
    return {"on": True, "off": False}.get(text.lower())


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "TALLYSPAN_SPOOL",
        "spool",
        "a directory",
        "no spool: records go out as OpenTelemetry log events",
        "Keep the books durably: each process writes its own file in this directory, and emits no usage events.",
        Path,
    ),
    Setting(
        "TALLYSPAN_HOSTS",
        "hosts",
        "a comma list of `host` or `host:port`",
        "none",
        "Hosts that are OpenAI's own besides api.openai.com and its subdomains: a proxy of yours in front of it.",
        _hosts,
    ),
    Setting(
        "TALLYSPAN_STREAM_USAGE",
        "stream_usage",
        "`auto`, `on` or `off`",
        "`auto`: for OpenAI's own hosts, and Azure where it is supported",
        "Ask for the usage of streamed chat completions whose caller did not say (`stream_options.include_usage`).",
        _one_of("auto", "on", "off"),
    ),
    Setting(
        "TALLYSPAN_CLIENT_REQUEST_ID",
        "client_request_id",
        "`on` or `off`",
        "`off`",
        "Send each record id as `X-Client-Request-Id`, to OpenAI's own hosts only, so that their support can trace it. "
        "An id that the application sends itself stays. A redirect takes the header along, as it does any other.",
        _switch,
    ),
    Setting(
        "TALLYSPAN_API_KEY_HINT",
        "api_key_hint",
        "`on` or `off`",
        "`off`",
        "Record the API key in the masked form that OpenAI's exports show. The key itself is never recorded.",
        _switch,
    ),
    Setting(
        "TALLYSPAN_BAGGAGE_KEYS",
        "baggage_keys",
        "a comma list of names that the books do not use themselves",
        "none",
        "Baggage entries that become attributes of a record: user, tenant, feature.",
        _names,
    ),
    Setting(
        "TALLYSPAN_ATTRIBUTES",
        "attributes",
        "a comma list of `name=value`, values percent-encoded, with names that the books do not use themselves",
        "none",
        "Attributes that every record of this process gets.",
        _own_pairs,
    ),
    Setting(
        "TALLYSPAN_SEMCONV",
        "semconv",
        "`current`, `next` or `both`",
        "`current`",
        "Names of the conventions' metrics: those that released packages use today, the coming ones, or both.",
        _one_of("current", "next", "both"),
    ),
)

_new_settings: Callable[..., Settings] = Settings


def read_settings(environment: Mapping[str, str]) -> tuple[Settings, tuple[Complaint, ...]]:
    """Read the environment. A value that is not understood is one complaint, and its default; an empty one is unset."""
    values: dict[str, object] = {"resource": _resource(environment)}
    complaints: list[Complaint] = []
    for setting in SETTINGS:
        text = environment.get(setting.variable, "").strip()
        value = setting.read(text) if text else None
        if value is not None:
            values[setting.path] = value
        elif text:
            complaints.append(Complaint(setting.variable, text, setting.expected, setting.default))
    return _new_settings(**values), tuple(complaints)


def _resource(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Read what the OpenTelemetry SDK reads; what is wrong in it is the SDK's to complain about."""
    pairs = dict(_pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES", "")) or {})
    name = environment.get("OTEL_SERVICE_NAME", "").strip()
    if name:
        pairs["service.name"] = name
    return MappingProxyType({"service.name": "unknown_service", **pairs})
