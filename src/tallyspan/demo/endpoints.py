"""Which endpoint answers a path? One row each; the first that fits wins."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from tallyspan.demo.chat import chat_reply, completion_reply
from tallyspan.demo.orders import Order
from tallyspan.demo.plain import (
    embedding_reply,
    empty_list_reply,
    input_tokens_reply,
    models_reply,
    moderation_reply,
    stored_chat_reply,
    unknown_reply,
)
from tallyspan.demo.reply import Reply
from tallyspan.demo.responses import (
    cancelled_reply,
    compact_reply,
    response_reply,
    retrieved_reply,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row: `report` names the Usage API page that its spend shows on, "" for none."""

    name: str
    method: str
    pattern: re.Pattern[str]
    build: Callable[[Order], Reply]
    report: str = ""


def _row(name: str, method: str, pattern: str, build: Callable[[Order], Reply], report: str = "") -> Endpoint:
    return Endpoint(name, method, re.compile(pattern), build, report)


_ID: Final = r"/([^/]+)"
ENDPOINTS: Final = (
    _row("chat", "POST", r"/chat/completions", chat_reply, "completions"),
    _row("completion", "POST", r"/completions", completion_reply, "completions"),
    _row("response", "POST", r"/responses", response_reply, "completions"),
    _row("compact", "POST", r"/responses/compact", compact_reply, "completions"),
    _row("input_tokens", "POST", r"/responses/input_tokens", input_tokens_reply),
    _row("cancel", "POST", rf"/responses{_ID}/cancel", cancelled_reply),
    _row("retrieve", "GET", rf"/responses{_ID}", retrieved_reply),
    _row("embedding", "POST", r"/embeddings", embedding_reply, "embeddings"),
    _row("stored_chat", "GET", rf"/chat/completions{_ID}", stored_chat_reply),
    _row("stored_chat", "POST", rf"/chat/completions{_ID}", stored_chat_reply),
    _row("models", "GET", r"/models", models_reply),
    _row("moderation", "POST", r"/moderations", moderation_reply),
    _row("unknown", "POST", r".*", unknown_reply, "completions"),
    _row("other", "", r".*", empty_list_reply),
)
_PREFIX: Final = re.compile(r"^(?P<azure>/openai)?(/deployments/(?P<deployment>[^/]+)|/v1)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes. `deployment` is Azure's name in the path, which stands for a model."""

    endpoint: Endpoint
    path: str
    subject: str
    azure: bool
    deployment: str | None
    query: dict[str, str]


def address_of(method: str, target: str) -> Address:
    """Find the endpoint of a request line's method and target."""
    parts = urlsplit(target)
    prefix = _PREFIX.match(parts.path)
    rest = parts.path[prefix.end() :] if prefix else parts.path
    for endpoint in ENDPOINTS:
        found = endpoint.pattern.fullmatch(rest.rstrip("/"))
        if found and endpoint.method in {"", method}:
            break
    else:
        message = f"{method} {target}: the last row of ENDPOINTS must fit everything"
        raise LookupError(message)
    return Address(
        endpoint=endpoint,
        path=parts.path,
        subject=unquote(found[1]) if endpoint.pattern.groups else "",
        azure=bool(prefix and prefix["azure"]),
        deployment=prefix["deployment"] if prefix else None,
        query={name: values[-1] for name, values in parse_qs(parts.query).items()},
    )
