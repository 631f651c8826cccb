"""Reading many rows at once gives exactly what reading them one by one gives."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.feeds import FeedReader
from shared.core.clock import SystemClock
from shared.core.errors import Terminal
from shared.imports.clean import Cleaner, Row
from shared.imports.columns import Columns
from shared.imports.packing import unpacked
from shared.imports.record import payload_of
from shared.imports.rows import MOST_UPLOADED, Batch, Raw
from shared.imports.staging import Stager
from shared.ports.documents import Stored

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


WHOLE = "<title>A</title>"
INSIDE = st.sampled_from(
    [
        WHOLE,
        "<g:price>1 EUR</g:price>",
        "<g:price/>",
        "<g:brand> \n </g:brand>",
        "<x:far>away</x:far>",
        "<g:shipping>a<g:price>2</g:price>b</g:shipping>",
        '<link href="https://a.example/1"/>',
        '<link rel="self" href="https://a.example/1"/>',
        "<title>a<!-- </item> -->b</title>",
        "<title><![CDATA[</item><item>]]></title>",
        "<title>caf\u00e9 &amp; &lt;b&gt;</title>",
        "<?pi </item> ?>",
        "<item>inner</item>",
        "between",
    ]
)
ROWS = st.lists(
    st.tuples(
        st.lists(INSIDE, max_size=4).map("".join),
        st.sampled_from(["item", "item", "item", "g:product", 'item id="7"', "x:entry", "note"]),
    ),
    max_size=30,
)
HEADS = [
    "<rss{names}><channel><title>Shop</title>{rows}</channel></rss>",
    "<?xml version='1.0' encoding='utf-8'?>\n<a{names}><b/>{rows}<c>{rows}</c></a>",
    "<a{names}><!-- <item> -->{rows}</a>",
    "<a{names}><item/>{rows}</a>\n",
]
NAMES = ' xmlns:g="http://base.google.com/ns/1.0" xmlns:x="https://x.example"'


def marked_up(text: bytes, size: int = 65_536) -> list[Any]:
    """Return the cells of the rows of a document."""
    return rows_of(list(FeedReader().open(pieces(text, size), "xml", MOST_UPLOADED).parts))


def document(rows: list[tuple[str, str]], head: str) -> str:
    """Write a document of rows."""
    told = "\n".join(f"<{tag}>{inside}</{tag.partition(' ')[0]}>" for inside, tag in rows)
    return head.replace("{names}", NAMES).replace("{rows}", told)


@given(ROWS, st.sampled_from(HEADS), st.integers(50, 4000))
def test_stretches_of_xml_are_read_as_event_by_event(rows: list[tuple[str, str]], head: str, size: int) -> None:
    text = document(rows, head)
    by_event = text.replace(NAMES + ">", f"{NAMES}><!--{'x' * 5000}-->", 1)  # a beginning too long for stretches

    assert marked_up(text.encode(), size) == marked_up(by_event.encode())


def test_rows_that_lie_in_several_places_are_all_read() -> None:
    rows = [(f"<item>{WHOLE}</item>", "group")] * 300

    found = marked_up(document(rows, HEADS[0]).encode(), 500)

    assert [pairs for pairs, _ in found] == [(("title", "A"),)] * 300


def test_simple_rows_of_xml_are_read_together_and_a_fault_after_them_is_told_by_its_line() -> None:
    rows = [(WHOLE + f"<g:id>{number}</g:id>", "item") for number in range(5000)]
    good = document(rows, HEADS[0])

    found = FeedReader().open(pieces(good.encode(), 65_536), "xml", MOST_UPLOADED).parts
    assert next(len(part.names) for part in found if isinstance(part, Batch)) > 1000
    with pytest.raises(Terminal, match="line 5000"):
        marked_up(good.replace("</item></channel>", "</channel>").encode())


@given(ROWS)
def test_staged_columns_and_rows_come_back_as_they_were_cleaned(rows: list[tuple[str, str]]) -> None:
    text = document([*rows, *[(WHOLE, "item")] * 20], HEADS[0]).encode()
    stager = Stager("imp_1", cleaner(), SystemClock(), supplier_id="sup_1", size=13)

    writes = list(stager.parts(FeedReader().open(pieces(text, 65_536), "xml", MOST_UPLOADED).parts))

    by_row = Stager("imp_1", cleaner(), SystemClock(), supplier_id="sup_1", size=13)
    wanted = list(by_row.parts(FeedReader().open(pieces(text, 65_536), "xml", MOST_UPLOADED).rows))
    assert unstaged(writes) == unstaged(wanted)
    assert max(write.data["count"] for write in writes) <= 13  # type: ignore[union-attr]
    assert stager.superseded()[0] == by_row.superseded()[0]
    assert (stager.staged.rows, stager.staged.first_errors) == (by_row.staged.rows, by_row.staged.first_errors)


def unstaged(writes: list[Any]) -> list[Any]:
    """Return the rows of all parts."""
    return [row for write in writes for row in unpacked(payload_of(Stored(write.key, write.data, "1")))]
