"""A booking of many levels sends its rows in documents that a flush can hold, and marks only levels an alert may hang on."""

import pytest

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.inventory.keys import product_key
from shared.inventory.words import MovementType
from shared.ports.documents import Create, Query
from shared.warehousing.outbox import OUTBOX
from tests.http.inventory.builders import product_document
from tests.stores import INDEX_FILE
from tests.unit.inventory.builders import Stock, a_stock


@pytest.fixture
def stock() -> Stock:
    """Return stock without a unit in it."""
    return a_stock(SqliteDocuments.in_memory(Shapes.read(INDEX_FILE)))


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (100, [100]), (101, [100, 1]), (110, [100, 10])])
def test_rows_of_many_movements_travel_a_hundred_at_a_time(stock: Stock, count: int, sizes: list[int]) -> None:
    moved = stock.book(*[("cup", "main", number + 1, MovementType.IMPORT) for number in range(count)])

    sent = [stored.data["rows"] for stored in stock.store.walk(Query(OUTBOX))]
    assert sorted(map(len, sent), reverse=True) == sizes
    assert sorted(row["id"] for rows in sent for row in rows) == sorted(movement["id"] for movement in moved)


@pytest.mark.parametrize(("status", "told"), [("active", [("mug", "main")]), ("draft", []), ("paused", [])])
def test_a_first_level_is_judged_if_its_product_is_sold(stock: Stock, status: str, told: list[tuple[str, str]]) -> None:
    stock.store.write([Create(product_key("mug"), product_document("MUG", status=status))])

    stock.book(("mug", "main", 3, MovementType.IMPORT))

    assert stock.told == told


def test_a_level_that_is_there_is_judged_whatever_its_product_is(stock: Stock) -> None:
    stock.store.write([Create(product_key("mug"), product_document("MUG", status="draft"))])
    stock.book(("mug", "main", 3, MovementType.IMPORT))

    stock.book(("mug", "main", 1, MovementType.IMPORT))

    assert stock.told == [("mug", "main")]
