"""Whose host it is, and what we may ask of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

OPENAI = "openai"
AZURE = "azure.ai.openai"
OTHER = "_other"

_API_HOST = "api.openai.com"

_AZURE_HOSTS = (".azure.com", ".azure.us", ".azure.cn", ".azure-api.net")
"""Domains of Azure OpenAI, of its sovereign clouds, and of Azure's API Management in front of it."""

_AZURE_ASKS_FROM = "2024-09-01"
"""First api-version whose streams take `include_usage`; older ones answer 400 (openai-python#1469)."""

_API_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})")


class StreamUsage(StrEnum):
    """Whether to ask for a stream's usage where the caller did not say."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


def _no_attributes() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    What the wire was told.

    Attributes:
        hosts: Further hosts that are OpenAI's own, `host` or `host:port`.
        client_request_id: Send the record id as `X-Client-Request-Id`, to OpenAI's own hosts only.
        api_key_hint: Keep the key's masked form.
        intents: Make a record before each attempt.
        attribution: Attributes of the application's own for a call that starts now.
    """

    hosts: frozenset[str] = frozenset()
    stream_usage: StreamUsage = StreamUsage.AUTO
    client_request_id: bool = False
    api_key_hint: bool = False
    intents: bool = False
    attribution: Callable[[], Mapping[str, str]] = field(default=_no_attributes)

    def is_own(self, host: str, port: int | None) -> bool:
        """Tell whether a host is OpenAI's own."""
        return (
            host == _API_HOST
            or host.endswith("." + _API_HOST)
            or host in self.hosts
            or (port is not None and f"{host}:{port}" in self.hosts)
        )

    def provider(self, host: str, port: int | None, path: str, *, azure: bool) -> str:
        """
        Name the provider behind a host.

        Args:
            host: As in the URL.
            port: None for the scheme's own.
            path: Azure is told by `/openai/` in it at a host of Microsoft's: other providers have such paths too.
            azure: The SDK's client is one for Azure.
        """
        if azure:
            return AZURE
        if self.is_own(host, port):
            return OPENAI
        return AZURE if "/openai/" in path and host.endswith(_AZURE_HOSTS) else OTHER

    def may_ask_usage(self, provider: str, root: str, api_version: str | None) -> bool:
        """
        Tell whether a stream of this provider can be asked for usage.

        Args:
            provider: As `provider()` names it.
            root: Path of the API's root (`/openai/v1/`).
            api_version: Azure's `api-version`, None where there is none.
        """
        if self.stream_usage is not StreamUsage.AUTO:
            return self.stream_usage is StreamUsage.ON
        if provider != AZURE:
            return provider == OPENAI
        dated = _API_VERSION.match(api_version or "")
        return "/openai/v1" in root or (dated is not None and dated.group(1) >= _AZURE_ASKS_FROM)


_SHORTEST_KEY = 20
"""Of anything shorter, seven characters would be too much to tell."""


def masked_key(authorization: str | None) -> str | None:
    """
    Return a key as the provider's exports show it: its first three and last four characters.

    None for no key, or one so short that the mask would show most of it.
    """
    key = (authorization or "").removeprefix("Bearer ").strip()
    return f"{key[:3]}...{key[-4:]}" if len(key) >= _SHORTEST_KEY else None
