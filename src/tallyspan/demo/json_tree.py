"""What does an untrusted JSON document hold? Wrong shapes read as absent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast


def document(body: bytes) -> Mapping[str, object] | None:
    """Return the JSON object in a body, or None if there is none."""
    try:
        tree: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", tree) if isinstance(tree, dict) else None


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object, empty if the value is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> Sequence[object]:
    """Return a JSON array, empty if the value is none."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def text(value: object) -> str | None:
    """Return a JSON string, or None."""
    return value if isinstance(value, str) else None


def count(value: object) -> int | None:
    """Return a whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield every scalar of a tree with the key that it stands under, in document order."""
    if isinstance(value, dict):
        for name, child in mapping(cast("object", value)).items():
            yield from leaves(child, name)
    elif isinstance(value, list):
        for child in items(cast("object", value)):
            yield from leaves(child, key)
    else:
        yield key, value
