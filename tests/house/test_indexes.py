"""The one list of indexes: each stands once, none is superfluous beside another, and a missing one is noticed."""

import json
from collections import Counter
from typing import Any

import pytest

from shared.adapters.shapes import Index, Shape, Shapes
from shared.ports.documents import Query, UndeclaredShape
from tests.stores import INDEX_FILE

DECLARED: dict[str, Any] = json.loads(INDEX_FILE.read_text())


def test_every_index_stands_once_whatever_its_direction() -> None:
    listed = [
        (index["collectionGroup"], *(field["fieldPath"] for field in index["fields"])) for index in DECLARED["indexes"]
    ]
    fields = [(field["collectionGroup"], field["fieldPath"]) for field in DECLARED["fieldOverrides"]]

    assert [name for name, count in Counter(listed).items() if count > 1] == []
    assert [name for name, count in Counter(fields).items() if count > 1] == []


def test_an_index_has_at_least_two_fields() -> None:
    """One field alone is indexed by Firestore itself, or through `fieldOverrides`."""
    assert [index for index in DECLARED["indexes"] if len(index["fields"]) < 2] == []


@pytest.mark.parametrize("index", sorted(Shapes.of(DECLARED).composite, key=str), ids=str)
def test_a_query_of_an_index_is_refused_once_no_index_serves_it(index: Index) -> None:
    """With every index of the collection gone, the query that this one is for is refused: the check can fail."""
    *equal, last = index.fields
    query = Query(
        index.collection,
        equals=tuple((name, "x") for name in equal),
        contains=(index.contains, "x") if index.contains else None,
        order_by=last,
    )
    assert Shapes.of(DECLARED).covers(Shape.of(query))

    without = [each for each in DECLARED["indexes"] if each["collectionGroup"] != index.collection]
    with pytest.raises(UndeclaredShape):
        Shapes.of({**DECLARED, "indexes": without}).check(query)
