"""What httpx and httpx2 have in common, as far as it is used here; neither is ever imported by us.

Source: httpx 0.27 and 0.28 and httpx2 2.16, `_models.py` and `_urls.py`.
"""

from typing import Any, Protocol


class Url(Protocol):
    """The address of a request."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def path(self) -> str: ...


class Headers(Protocol):
    """Headers by name, in any case."""

    def get(self, key: str, /) -> str | None: ...
    def __setitem__(self, key: str, value: str, /) -> None: ...


class Request(Protocol):
    """A request that is about to be sent; `content` raises where the body is a stream."""

    method: str
    extensions: dict[str, Any]

    @property
    def url(self) -> Url: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def content(self) -> bytes: ...


class Response(Protocol):
    """An answer; `content` raises where the body was not read."""

    status_code: int
    extensions: dict[str, Any]

    @property
    def headers(self) -> Headers: ...
    @property
    def content(self) -> bytes: ...


def body_at_hand(message: Request | Response) -> bytes | None:
    """Return the body if it is in memory; None for one that streams."""
    return message.content if hasattr(message, "_content") else None


def replace_body(response: Response, body: bytes) -> None:
    """Put another body in the place of one that is in memory."""
    vars(response)["_content"] = body
