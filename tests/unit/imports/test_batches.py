"""Reading many rows at once gives exactly what reading them one by one gives."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.feeds import FeedReader
from shared.core.errors import Terminal
from shared.imports.clean import Cleaner, Row
from shared.imports.columns import Columns
from shared.imports.rows import MOST_UPLOADED, Batch, Raw

ODD = [
    "",
    " ",
    "0",
    "12.50 EUR",
    "12,50 €",
    "7 USD",
    "1,234",
    "-3",
    "in stock",
    "out of stock",
    "many",
    "4006381333931",
    "4.00638E+12",
    "'0012",
    "<p onclick=x>a</p>",
    "a\tb",
    "a\x00b",
    "\ud800",
    "caf\u00e9",
    "e\u0301",
    "https://a.example/1.jpg",
    "https://a.example/1.jpg, https://a.example/2.jpg",
    "http://b.example",
    "https:///x",
    "javascript:x",
    '["https://a.example/1.jpg"]',
    "x" * 300,
]
COLUMNS = [
    "title",
    "description",
    "price",
    "cost",
    "sku",
    "stock",
    "availability",
    "image_link",
    "additional_image_link",
    "link",
    "gtin",
    "brand",
    "type",
    "product_type",
    "currency",
    "tags",
    "handle",
    "unknown",
]
CELLS = st.one_of(
    st.sampled_from(ODD), st.text(max_size=12), st.integers(0, 10**6), st.none(), st.lists(st.text(max_size=5))
)


def cleaner() -> Cleaner:
    """Return one that lets images of one host through."""
    return Cleaner(Columns(), image_allowed=lambda address: "b.example" not in address)


@st.composite
def tables(draw: st.DrawFn) -> Batch:
    """Draw rows of mostly one shape whose columns are mostly of one kind."""
    shapes = draw(st.lists(st.lists(st.sampled_from(COLUMNS), max_size=8).map(tuple), min_size=1, max_size=2))
    count = draw(st.integers(1, 20))
    common = {name: draw(CELLS) for name in COLUMNS}
    names = [draw(st.sampled_from(shapes)) for _ in range(count)]
    odd = draw(st.dictionaries(st.tuples(st.integers(0, count - 1), st.sampled_from(COLUMNS)), CELLS, max_size=4))
    cells = [[odd.get((at, name), common[name]) for name in own] for at, own in enumerate(names)]
    return Batch(names, cells)  # type: ignore[arg-type]


def by_row(batch: Batch) -> tuple[list[Row], bool]:
    """Read the rows one by one."""
    one = cleaner()
    return [one.row(raw) for raw in batch.raws()], one.recognised


@given(tables())
def test_columns_at_once_are_read_as_row_by_row(batch: Batch) -> None:
    whole = cleaner()

    rows = whole.batch(batch)

    assert (rows, whole.recognised) == by_row(batch)


@pytest.mark.parametrize("cell", ODD)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_one_odd_cell_is_read_as_row_by_row(column: str, cell: str) -> None:
    batch = Batch([("title", column)] * 10, [("A shirt", cell)] * 10)

    assert cleaner().batch(batch) == by_row(batch)[0]


def test_the_currency_of_the_first_price_decides_although_it_is_written_in_one_row_only() -> None:
    rows: list[Sequence[object]] = [("A", "1.00" if number else "1.00 USD", "2.00 EUR") for number in range(10)]
    batch = Batch([("title", "price", "cost")] * 10, rows)

    assert cleaner().batch(batch) == by_row(batch)[0]
    assert [row.fields["currency"] for row in by_row(batch)[0]] == ["USD", *["EUR"] * 9]


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    """Cut a text."""
    return (text[at : at + size] for at in range(0, len(text), size))


def parts(text: bytes, size: int = 65_536) -> list[Raw | Batch]:
    """Return what the reader delivers."""
    return list(FeedReader().open(pieces(text, size), "json", MOST_UPLOADED).parts)


def rows_of(found: list[Raw | Batch]) -> list[Any]:
    """Return the cells of all rows."""
    raws = [raw for part in found for raw in (part.raws() if isinstance(part, Batch) else [part])]
    return [(tuple(raw.pairs), raw.code) for raw in raws]


ITEMS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "title", "variants", "a},b"]),
        st.one_of(
            st.text(max_size=6),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.just([{"x": 1}, {"y": 2}]),
        ),
        max_size=3,
    ),
    max_size=30,
)


@given(ITEMS, st.sampled_from([None, 1]), st.integers(1, 400))
def test_items_of_a_wrapped_list_are_those_read_event_by_event(
    items: list[dict[str, Any]], indent: int | None, size: int
) -> None:
    text = json.dumps({"products": items, "next": {"a": []}}, indent=indent).encode()
    by_event = text.replace(b"{", b'{"first": 0, ', 1)

    assert rows_of(parts(text, size)) == rows_of(parts(by_event))


@given(ITEMS, st.sampled_from([None, 1]))
def test_items_of_a_bare_list_are_those_read_event_by_event(items: list[dict[str, Any]], indent: int | None) -> None:
    text = json.dumps([{}, *items], indent=indent).encode()
    by_event = text.replace(b"[", b"[0,", 1)

    assert rows_of(parts(text)) == rows_of(parts(by_event))[1:]


def test_plain_lists_are_read_together_and_fractions_stay_exact() -> None:
    items = [{"sku": f"S{number}", "price": 0.1, "note": "},{"} for number in range(5000)]

    found = parts(json.dumps(items).encode())

    together = sum(len(part.names) for part in found if isinstance(part, Batch))
    assert together > 4000
    assert len(rows_of(found)) == 5000
    assert {str(dict(pairs)["price"]) for pairs, _ in rows_of(found)} == {"0.1"}


@pytest.mark.parametrize("end", [b"", b"]]", b"] x", b",", b',{"a":}]', b'{"a":1}]'])
def test_a_list_that_ends_badly_is_refused_after_its_good_beginning(end: bytes) -> None:
    text = b"[" + b",".join(b'{"sku":"S%d","title":"%s"}' % (number, b"x" * 200) for number in range(2000)) + end

    with pytest.raises(Terminal) as refused:
        parts(text)

    assert refused.value.code == "bad_json"
