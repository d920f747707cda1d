"""A decoded JSON document at the edge: what is an object, a list, a text; anything else is absent."""

from collections.abc import Mapping
from typing import TypeAlias, cast

Object: TypeAlias = Mapping[str, object]


def as_object(value: object) -> Object | None:
    """Return the object, None if it is none."""
    return cast("Object", value) if isinstance(value, Mapping) else None


def as_list(value: object) -> list[object] | None:
    """Return the list, None if it is none."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_text(value: object) -> str | None:
    """Return the text, None if it is none or empty."""
    return value if isinstance(value, str) and value else None
