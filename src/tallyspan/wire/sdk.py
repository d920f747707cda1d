"""What the openai SDK's clients and options have in common in 1.x, 2.x and 3.x, as far as it is used here.

Source: openai 1.40, 1.109, 2.54 and 3.54, `_base_client.py` and `_models.py` (FinalRequestOptions).
"""

from typing import Protocol

from tallyspan.wire.http import Url


class Client(Protocol):
    """A client of the SDK, sync or async."""

    @property
    def base_url(self) -> Url: ...


class Options(Protocol):
    """
    What one call of the SDK asks for.

    Attributes:
        url: Relative to the client's root, or a whole URL.
        extra_json: The caller's `extra_body`; its keys win over those of `json_data`.
    """

    method: str
    url: str
    json_data: object
    extra_json: object
