"""Which JSON value fits a JSON schema? Enough of the standard for structured output and tools."""

from collections.abc import Mapping

from tallyspan.demo.json_tree import items, mapping, text

_SCALARS: Mapping[str, object] = {
    "string": "blue",
    "integer": 7,
    "number": 1.5,
    "boolean": True,
    "null": None,
}


def sample(schema: Mapping[str, object], root: Mapping[str, object] | None = None) -> object:
    """Return one value that fits; the same schema always gives the same value."""
    whole = schema if root is None else root
    if "const" in schema:
        return schema["const"]
    for word in ("enum", "anyOf", "oneOf", "allOf"):
        choices = items(schema.get(word))
        if choices:
            return choices[0] if word == "enum" else sample(mapping(choices[0]), whole)
    reference = text(schema.get("$ref"))
    if reference is not None:
        return sample(_referenced(reference, whole), whole)
    return _of_type(schema, whole)


def _of_type(schema: Mapping[str, object], root: Mapping[str, object]) -> object:
    kind = text(schema.get("type")) or text(next(iter(items(schema.get("type"))), None))
    if kind == "array":
        return [sample(mapping(schema.get("items")), root)]
    if kind == "object" or (kind is None and "properties" in schema):
        return {name: sample(mapping(part), root) for name, part in mapping(schema.get("properties")).items()}
    return _SCALARS.get(kind or "string")


def _referenced(reference: str, root: Mapping[str, object]) -> Mapping[str, object]:
    found: Mapping[str, object] = root
    for step in reference.removeprefix("#/").split("/"):
        found = mapping(found.get(step))
    return found
