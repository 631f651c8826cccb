"""Whatever JSON a vendor sends: mapping never raises, what it makes can be stored, and a record without id is rejected."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.adapters.fetch import Answer
from shared.adapters.sources.reading import Notes
from shared.adapters.sources.shipbob import mapping as shipbob_mapping
from shared.adapters.sources.stord import mapping as stord_mapping
from shared.oos.source import HeldOrder
from shared.oos.words import Reason
from tests.unit.sources.builders import a_shipbob, a_stord, answer, shipbob_order, stord_order

_STORED = TypeAdapter(list[HeldOrder])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(st.characters(codec=None), max_size=30),
    st.sampled_from(
        ["Exception", "OnHold", "backordered", "open", "303", "NaN", "1e999", "\ud800", "\x00", "x" * 3000]
    ),
    st.sampled_from(
        ["0001-01-01T00:00:00", "9999-12-31T23:59:59-23:00", "2026-13-45", "2026-11-20T09:15:00", "12.5000"]
    ),
)
_JUNK = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        found += _paths(entry, (*path, key))
    return found


def _spoiled(record: dict[str, Any], spoils: list[tuple[int, Any]]) -> dict[str, Any]:
    """Put junk into some places of a good record."""
    spoiled: dict[str, Any] = json.loads(json.dumps(record))
    for where, junk in spoils:
        places = _paths(spoiled)
        if not places:
            break
        *outer, last = places[where % len(places)]
        holder: Any = spoiled
        for key in outer:
            holder = holder[key]
        holder[last] = junk
    return spoiled


_SPOILS = st.lists(st.tuples(st.integers(0, 10_000), _JUNK), max_size=6)


def _check(order: HeldOrder | None) -> None:
    if order is None:
        return
    (again,) = _STORED.validate_json(_STORED.dump_json([order]))
    assert again.lines == order.lines
    assert order.order_id == order.order_id.strip() != ""
    assert len({(line.shipment_id, line.item) for line in order.lines}) == len(order.lines) > 0
    for line in order.lines:
        assert line.reason in set(Reason)
        assert 0 <= line.ordered_quantity <= 10**9 * max(1, len(order.line_items))
        assert line.short_quantity is None or line.short_quantity >= 0
    json.dumps(order.raw, allow_nan=False, ensure_ascii=False).encode()


@settings(max_examples=400, deadline=None)
@given(_SPOILS)
def test_a_spoiled_shipbob_order_never_raises(spoils: list[tuple[int, Any]]) -> None:
    record = _spoiled(shipbob_order(1, {"id": 303, "inventory_id": 11}, {"id": 401}), spoils)
    notes = Notes()
    _check(shipbob_mapping.held_order(record, {}, notes))
    shipbob_mapping.judge(record, {}, notes)
    shipbob_mapping.centre_ids([record])
    assert len(notes.counts) <= 25


@settings(max_examples=400, deadline=None)
@given(_SPOILS)
def test_a_spoiled_stord_order_never_raises(spoils: list[tuple[int, Any]]) -> None:
    record = _spoiled(stord_order(), spoils)
    notes = Notes()
    _check(stord_mapping.held_order(record, frozenset({"backordered"}), notes))
    stord_mapping.judge(record, frozenset({"backordered"}), notes)
    assert len(notes.counts) <= 25


@settings(max_examples=100, deadline=None)
@given(st.lists(_JUNK, max_size=6))
def test_a_page_of_junk_counts_what_it_rejects_and_keeps_the_good_order(junk: list[Any]) -> None:
    clean = json.loads(json.dumps(junk))
    without_id = [
        row for row in clean if not isinstance(row, dict) or not {"id", "order_id", "order_number"} & row.keys()
    ]

    source, _, clock = a_shipbob(lambda _: answer([*without_id, shipbob_order(5)]))
    page = source.page(source.begin(clock.now()))
    assert (page.fetched, page.rejected) == (len(without_id) + 1, len(without_id))
    assert [order.order_id for order in page.orders] == ["5"]

    flat = [row for row in without_id if not isinstance(row, list)]
    source, _, clock = a_stord(lambda _: answer({"data": [*flat, stord_order("W-5")]}))
    page = source.page(source.begin(clock.now()))
    assert (page.fetched, page.rejected) == (len(flat) + 1, len(flat))
    assert [order.order_id for order in page.orders] == ["W-5"]


def test_nesting_without_end_and_numbers_without_end_do_not_fail_a_page() -> None:
    deep: Any = "end"
    for _ in range(300):
        deep = [deep]
    body = json.dumps([shipbob_order(5, gift_message=deep)]).replace('"S-5"', "9" * 6000)
    source, _, clock = a_shipbob(lambda _: Answer(200, body.encode(), {"Content-Type": "application/json"}))
    (order,) = source.page(source.begin(clock.now())).orders

    assert order.order_id == "5"
    assert _STORED.validate_json(_STORED.dump_json([order]))[0].order_id == "5"
