"""Whose call it is, as the application says it: baggage that the user allowed, and attributes that never change."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from opentelemetry.baggage import get_baggage


def attribution(baggage_keys: tuple[str, ...], constant: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
    """
    Give the function that names the owner of a call that starts now.

    Baggage that is not text is left out; where a key is in both, baggage is the more exact one and wins.
    """
    if not baggage_keys:
        fixed = MappingProxyType(dict(constant))
        return lambda: fixed

    def current() -> Mapping[str, str]:
        found = ((key, get_baggage(key)) for key in baggage_keys)
        return {**constant, **{key: value for key, value in found if isinstance(value, str)}}

    return current
