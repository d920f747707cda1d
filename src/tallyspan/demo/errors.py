"""How does the API say no?"""

from dataclasses import dataclass
from typing import Final

from tallyspan.demo.reply import Payload, Reply
from tallyspan.demo.worlds import Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of the API."""

    status: int
    kind: str
    code: str | None
    message: str


_REQUEST: Final = "invalid_request_error"
# Message texts in the style of the real ones; the 503 and 529 pages come from a gateway in front.
REFUSALS: Final = {
    row.status: row
    for row in (
        Refusal(400, _REQUEST, None, "Invalid request: the stand-in was asked to refuse it."),
        Refusal(401, _REQUEST, "invalid_api_key", "Incorrect API key provided."),
        Refusal(403, _REQUEST, "unsupported_country", "Country, region, or territory no."),
        Refusal(404, _REQUEST, "model_not_found", "The model does not exist."),
        Refusal(408, "server_error", None, "The request timed out."),
        Refusal(409, "conflict_error", None, "The resource was changed at the same time."),
        Refusal(413, _REQUEST, None, "The request is too large."),
        Refusal(422, _REQUEST, None, "The request could not be processed."),
        Refusal(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
        Refusal(500, "server_error", None, "The server had an error processing your request."),
        Refusal(502, "server_error", None, "Bad gateway."),
        Refusal(503, "server_error", None, "The engine is currently overloaded."),
        Refusal(504, "server_error", None, "Gateway time-out."),
    )
}
_RETRYABLE: Final = frozenset({408, 409, 429})


def refusal(status: int, message: str | None = None, retry_after_ms: int = 1) -> Reply:
    """Return the error answer of a status; retryable ones ask for a very short wait."""
    row = REFUSALS[status]
    error: Payload = {
        "message": message or row.message,
        "type": row.kind,
        "param": None,
        "code": row.code,
    }
    server_fault = status >= REFUSALS[500].status
    headers: list[tuple[str, str]] = []
    if server_fault or status in _RETRYABLE:
        # Both are sent by the real API on 429; the SDK prefers the milliseconds.
        headers = [("retry-after-ms", str(retry_after_ms)), ("retry-after", "1")]
    return Reply(
        status=status,
        payload={"error": error},
        headers=tuple(headers),
        outcome=Outcome.SERVER_ERROR if server_fault else Outcome.CLIENT_ERROR,
    )
