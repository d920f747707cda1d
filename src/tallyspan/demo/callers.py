"""Who sent a request, and what exactly did they send?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallyspan.demo.tokens import digest

_SECRETS: Final = frozenset({"authorization", "api-key"})
DEFAULT_PROJECT: Final = "proj_standin"
_USER: Final = "user-standin"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received. `headers` keep their order and spelling, but hold no key."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    key: str = ""

    def header(self, name: str) -> str | None:
        """Return a header's value by its name in small letters; None if it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom an attempt is booked to."""

    hint: str
    key_id: str
    project_id: str
    user_id: str = _USER


def request_of(method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Request:
    """Take the key out of a request's headers."""
    secrets = {name.lower(): value for name, value in headers if name.lower() in _SECRETS}
    key = secrets.get("authorization", "").removeprefix("Bearer ") or secrets.get("api-key", "")
    kept = tuple((name, value) for name, value in headers if name.lower() not in _SECRETS)
    return Request(method, target, kept, body, key)


def caller_of(request: Request, projects: Mapping[str, str]) -> Caller:
    """Name the caller: the project is the key's own, else the header's, else the default one."""
    key = request.key
    asked = request.header("openai-project")
    return Caller(
        hint=f"{key[:3]}...{key[-4:]}" if key else "",
        key_id="key_" + digest(key).hex()[:16] if key else "",
        project_id=projects.get(key) or asked or DEFAULT_PROJECT,
    )
