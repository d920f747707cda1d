"""Who calls the API and records nothing? A bare HTTP client that no instrumentation knows."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KEY: Final = "sk-stranger-0001"
_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body's JSON."""
        tree: object = json.loads(self.body)
        return tree


@dataclass(frozen=True, slots=True)
class Stranger:
    """Calls `host` (`127.0.0.1:PORT`), each time on a connection of its own."""

    host: str
    key: str = KEY
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def get(self, target: str) -> Heard:
        """Send a GET."""
        return self._exchange("GET", target, None)

    def post(self, target: str, body: Mapping[str, object]) -> Heard:
        """Send a POST; OSError or http.client.HTTPException if the answer breaks."""
        return self._exchange("POST", target, json.dumps(body).encode())

    def chat(self, prompt: str, *, stream: bool = False, model: str = "gpt-4o") -> Heard:
        """Ask for a chat completion."""
        messages = [{"role": "user", "content": prompt}]
        body = {"model": model, "messages": messages, "stream": stream}
        return self.post("/v1/chat/completions", body)

    def _exchange(self, method: str, target: str, body: bytes | None) -> Heard:
        connection = http.client.HTTPConnection(self.host, timeout=_SECONDS)
        headers = {"Authorization": f"Bearer {self.key}", **self.headers}
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Heard(answer.status, named, answer.read())
        finally:
            connection.close()
