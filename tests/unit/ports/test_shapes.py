"""The index rule of infra.md section 7, by cases worked out by hand."""

from typing import Any

import pytest

from shared.adapters.shapes import Index, Shape, Shapes
from tests.stores import INDEX_FILE


def declared(*indexes: str, overrides: dict[str, list[str]] | None = None) -> Shapes:
    """Write `a, b, tags[], rank` for an index; an override lists the kinds of automatic index it keeps."""
    kinds = {"order": {"order": "ASCENDING"}, "contains": {"arrayConfig": "CONTAINS"}}
    return Shapes.of(
        {
            "indexes": [
                {
                    "collectionGroup": "c",
                    "queryScope": "COLLECTION",
                    "fields": [
                        {"fieldPath": name.removesuffix("[]"), **kinds["contains" if name.endswith("[]") else "order"]}
                        for name in index.split(", ")
                    ],
                }
                for index in indexes
            ],
            "fieldOverrides": [
                {"collectionGroup": "c", "fieldPath": name, "indexes": [kinds[kind] for kind in kept]}
                for name, kept in (overrides or {}).items()
            ],
        }
    )


def shape(equal: str = "", contains: str | None = None, order_by: str | None = None) -> Shape:
    return Shape("c", frozenset(equal.split()), contains, order_by)


@pytest.mark.parametrize(
    ("indexes", "asked", "covered"),
    [
        ([], shape(), True),
        ([], shape("a"), True),
        ([], shape("a b d"), True),
        ([], shape("a", contains="tags"), True),
        ([], shape(order_by="rank"), True),
        ([], shape("a", order_by="rank"), False),
        ([], shape(contains="tags", order_by="rank"), False),
        (["a, rank"], shape("a", order_by="rank"), True),
        (["a, rank"], shape("a b", order_by="rank"), False),
        (["a, rank"], shape("b", order_by="rank"), False),
        (["a, rank"], shape("rank", order_by="a"), False),
        (["a, b, rank"], shape("a", order_by="rank"), False),
        (["b, a, rank"], shape("a b", order_by="rank"), True),
        (["a, rank", "b, rank"], shape("a b", order_by="rank"), True),
        (["a, rank", "b, d, rank"], shape("a b d", order_by="rank"), True),
        (["a, rank", "b, other"], shape("a b", order_by="rank"), False),
        (["a, rank", "tags[], rank"], shape("a", contains="tags", order_by="rank"), False),
        (["a, tags[], rank"], shape("a", contains="tags", order_by="rank"), True),
        (["tags[], a, rank"], shape("a", contains="tags", order_by="rank"), True),
        (["tags[], rank"], shape(contains="tags", order_by="rank"), True),
        (["tags[], rank"], shape("tags", order_by="rank"), False),
    ],
)
def test_a_shape_is_covered_or_not(indexes: list[str], asked: Shape, covered: bool) -> None:
    assert declared(*indexes).covers(asked) is covered


@pytest.mark.parametrize(
    ("kept", "asked", "covered"),
    [
        ([], shape("a"), False),
        ([], shape(contains="a"), False),
        ([], shape(order_by="a"), False),
        (["order"], shape("a"), True),
        (["order"], shape(order_by="a"), True),
        (["order"], shape(contains="a"), False),
        (["contains"], shape(contains="a"), True),
        (["contains"], shape("a"), False),
    ],
)
def test_an_override_leaves_only_the_automatic_indexes_it_lists(kept: list[str], asked: Shape, covered: bool) -> None:
    assert declared(overrides={"a": kept}).covers(asked) is covered


def test_a_composite_index_serves_a_field_without_automatic_ones() -> None:
    assert declared("a, b", overrides={"a": []}).covers(shape("a b"))


def test_another_collections_index_does_not_help() -> None:
    assert not declared("a, rank").covers(Shape("other", frozenset("a"), None, "rank"))


def test_only_plain_collections_are_in_use() -> None:
    entry: dict[str, Any] = {"collectionGroup": "c", "queryScope": "COLLECTION_GROUP", "fields": []}

    with pytest.raises(ValueError, match="COLLECTION"):
        Shapes.of({"indexes": [entry]})


def test_the_products_own_file_is_readable_and_each_index_serves_its_full_shape() -> None:
    shapes = Shapes.read(INDEX_FILE)

    assert len(list(shapes.indexes())) == len(set(shapes.indexes()))
    assert all(shapes.covers(_full_shape(index)) for index in shapes.composite)


def test_control_without_its_index_a_shape_of_the_product_is_refused() -> None:
    for index in Shapes.read(INDEX_FILE).composite:
        assert not Shapes().covers(_full_shape(index))


def _full_shape(index: Index) -> Shape:
    return Shape(index.collection, frozenset(index.fields[:-1]), index.contains, index.fields[-1])
