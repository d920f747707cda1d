"""Where the wire keeps its counts: the shapes, and their one reader."""

from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usage.strategies import trees

from tallyspan.books.quantities import QUANTITIES, Quantity
from tallyspan.usage import tokens
from tallyspan.usage.tokens import Shape, counted

SHAPES = {
    "chat": tokens.CHAT,
    "responses": tokens.RESPONSES,
    "embeddings": tokens.EMBEDDINGS,
    "image tool": tokens.IMAGE_TOOL,
    "web search": tokens.WEB_SEARCH_TOOL,
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def leaves(shape: Shape, *above: str) -> Iterator[tuple[tuple[str, ...], Quantity]]:
    for key, leaf in shape.items():
        if isinstance(leaf, Quantity):
            yield (*above, key), leaf
        else:
            yield from leaves(leaf, *above, key)


def plant(tree: dict[str, object], path: tuple[str, ...], value: object) -> dict[str, object]:
    """Set a value in a tree, and make the branches that lead to it."""
    key, *rest = path
    inner = tree.get(key)
    below = cast("dict[str, object]", inner) if isinstance(inner, dict) else {}
    tree[key] = plant(below, tuple(rest), value) if rest else value
    return tree


@every_shape
def test_absent_is_not_zero_and_zero_is_not_absent(shape: Shape) -> None:
    for path, quantity in leaves(shape):
        assert dict(counted(plant({}, path, 0), shape)) == {quantity: 0}
        assert dict(counted(plant({}, path, None), shape)) == {}
    assert dict(counted({}, shape)) == {}
    assert dict(counted(None, shape)) == {}


@every_shape
def test_no_quantity_stands_in_two_places(shape: Shape) -> None:
    found = [quantity for _, quantity in leaves(shape)]
    assert len(found) == len(set(found))


@every_shape
def test_a_part_stands_below_or_beside_its_whole(shape: Shape) -> None:
    found = {quantity for _, quantity in leaves(shape)}
    for quantity in found:
        parent = QUANTITIES[quantity].part_of
        assert parent is None or parent in found


@given(st.data())
def test_all_that_stands_there_is_counted_and_nothing_else(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(list(SHAPES.values())))
    node: dict[str, object] = {"total_tokens": 1, "something_new": {"tokens": 2}}
    expected: dict[Quantity, int] = {}
    for path, quantity in leaves(shape):
        value = data.draw(st.none() | st.integers(0, 2**63 - 1))
        plant(node, path, value)
        if value is not None:
            expected[quantity] = value
    assert dict(counted(node, shape)) == expected


@given(node=trees, shape=st.sampled_from(list(SHAPES.values())))
def test_a_count_is_whole_and_not_negative_or_it_is_refused(node: object, shape: Shape) -> None:
    try:
        found = dict(counted(node, shape))
    except ValueError as error:
        assert "expected a whole number" in str(error)  # noqa: PT017 - either way is right
    else:
        assert all(type(count) is int and 0 <= count < 2**63 for count in found.values())


def test_a_whole_number_may_be_written_with_a_point() -> None:
    (found,) = counted({"prompt_tokens": 7.0}, tokens.EMBEDDINGS).items()
    assert found == (Quantity.INPUT, 7)
    assert type(found[1]) is int


@pytest.mark.parametrize("value", [-1, 1.5, "7", True, [], {}, float("nan"), float("inf"), 2**63, 1e300])
def test_what_is_no_count_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match="prompt_tokens: expected a whole number"):
        dict(counted({"prompt_tokens": value}, tokens.EMBEDDINGS))
