"""A decoded JSON document at the edge: what is an object, a list, a text; anything else is absent."""

from collections.abc import Mapping
from typing import TypeAlias, cast

Object: TypeAlias = Mapping[str, object]


def as_object(value: object) -> Object | None:
    """Return the object, None if it is none. A decoded one is a `dict`, which is told ten times as fast."""
    return cast("Object", value) if isinstance(value, dict) or _is_other_mapping(value) else None


def _is_other_mapping(value: object) -> bool:
    return value is not None and isinstance(value, Mapping)


def as_list(value: object) -> list[object] | None:
    """Return the list, None if it is none."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_text(value: object) -> str | None:
    """Return the text, None if it is none, empty, or no Unicode: a lone surrogate would spoil a whole batch of OTLP."""
    if not isinstance(value, str) or not value or not (value.isascii() or _is_unicode(value)):
        return None
    return value


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
