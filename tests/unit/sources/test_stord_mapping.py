"""Stord's records as held orders: the vectors of the specification, and the odd records."""

from typing import Any

import pytest

from shared.adapters.sources.reading import Notes
from shared.adapters.sources.stord.mapping import held_order, judge, order_key, records
from shared.oos.source import Fate, HeldLine, HeldOrder
from tests.unit.sources.builders import STORD_ORDER, stord_order

OOS = frozenset({"backordered"})


def held(record: dict[str, Any]) -> HeldOrder | None:
    return held_order(record, OOS, Notes())


def line(status: object, *parts: tuple[object, object]) -> dict[str, Any]:
    return {
        "status": status,
        "order_line_items": [{"item_sku": sku, "item_quantity": quantity} for sku, quantity in parts],
    }


STORD_HELD = HeldOrder(
    source="stord",
    order_id="W-5501",
    order_number="W-5501",
    status="open",
    order_type=None,
    priority="standard",
    channel="web",
    channel_category="dtc",
    shipment_type="parcel",
    custom_reference=None,
    customer_name="Bo Sample",
    customer_email=None,
    purchase_date="2026-11-19T10:00:00.000000Z",
    shipped_at=None,
    source_updated_at=None,
    value=None,
    currency=None,
    lines=[
        HeldLine(
            item="TEE-1",
            shipment_id=None,
            inventory_item_id=None,
            sku="TEE-1",
            name=None,
            facility="ATL1",
            facility_id=None,
            ordered_quantity=2,
            committed_quantity=None,
            short_quantity=None,
            reason="out_of_stock",
            source_state="backordered",
            source_reason="backordered",
            source_reason_id=None,
        )
    ],
    line_items=[
        {"sku": "TEE-1", "quantity": 2, "status": "backordered"},
        {"sku": "CAP-2", "quantity": 1, "status": "open"},
    ],
    raw=STORD_ORDER,
)


def test_the_order_of_the_specification() -> None:
    assert held(STORD_ORDER) == STORD_HELD


@pytest.mark.parametrize("status", ["backordered", "Backordered", "BACKORDERED"])
def test_the_line_status_is_compared_without_case(status: str) -> None:
    assert held(stord_order(sales_order_lines=[line(status, ("X", "1"))])) is not None


def test_a_backordered_line_that_names_nothing_is_one_row_without_sku() -> None:
    order = held(stord_order(sales_order_lines=[line("open", ("Y", "1")), line("backordered")]))

    assert order is not None
    assert [(row.item, row.sku, row.ordered_quantity) for row in order.lines] == [("line-1", None, 0)]


def test_one_sku_in_two_lines_is_one_row_with_both_quantities() -> None:
    order = held(
        stord_order(sales_order_lines=[line("backordered", ("X", "2"), ("Z", 1)), line("backordered", ("X", "3.9"))])
    )

    assert order is not None
    assert [(row.item, row.ordered_quantity) for row in order.lines] == [("X", 5), ("Z", 1)]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"order_number": "W-1", "order_id": "u"}, "W-1"),
        ({"order_number": None, "order_id": "u"}, "u"),
        ({"order_number": "  ", "order_id": 77}, "77"),
        ({"order_number": 5}, "5"),
        ({}, None),
        ({"order_number": [], "order_id": {}}, None),
        ({"order_number": "x" * 500, "order_id": "u"}, "u"),
    ],
)
def test_the_order_is_named_by_its_number_else_by_its_id(record: dict[str, Any], expected: str | None) -> None:
    assert order_key(record) == expected


@pytest.mark.parametrize(
    ("changes", "name", "email"),
    [
        ({"customer": "Cy Text"}, "Cy Text", None),
        ({"customer": {"name": "Di", "email": "di@example.com"}}, "Di", "di@example.com"),
        ({"customer": None}, "Bo Sample", None),
        ({"customer": {}, "destination_address": None}, None, None),
        ({"customer": ["x"], "destination_address": {"name": "Ed"}}, "Ed", None),
    ],
)
def test_the_customer_is_text_or_object_else_the_destination(
    changes: dict[str, Any], name: str | None, email: str | None
) -> None:
    order = held(stord_order(**changes))

    assert order is not None
    assert (order.customer_name, order.customer_email) == (name, email)


@pytest.mark.parametrize(
    ("activities", "facility"),
    [(None, None), ([], None), ([{}], None), ([{"facility_alias": None}, {"facility_alias": "B"}], "B"), ("x", None)],
)
def test_the_facility_is_the_first_that_has_an_alias(activities: object, facility: str | None) -> None:
    order = held(stord_order(facility_activities=activities))

    assert order is not None
    assert order.lines[0].facility == facility


def test_the_facility_id_comes_from_the_service_level_line_of_the_same_alias() -> None:
    sla = [
        {"facility_id": "f-other", "facility_activity": {"facility_alias": "OTHER"}},
        {"facility_id": "f-atl", "facility_activity": {"facility_alias": "ATL1"}},
    ]
    order = held(stord_order(sla_sales_order_lines=sla))

    assert order is not None
    assert order.lines[0].facility_id == "f-atl"


def test_the_purchase_date_is_when_it_was_posted_else_inserted_and_never_when_it_shipped() -> None:
    posted = held(stord_order(external_posted_at="2026-11-01T00:00:00Z", shipped_at="2026-11-22T00:00:00Z"))
    inserted = held(stord_order())

    assert posted is not None
    assert inserted is not None
    assert (posted.purchase_date, posted.shipped_at) == ("2026-11-01T00:00:00.000000Z", "2026-11-22T00:00:00.000000Z")
    assert inserted.purchase_date == "2026-11-19T10:00:00.000000Z"


@pytest.mark.parametrize(
    ("record", "fate"),
    [
        (stord_order(), Fate.HELD),
        (stord_order(status="partially_shipped"), Fate.HELD),
        (stord_order(status="never heard of"), Fate.HELD),
        (stord_order(status="canceled"), Fate.CANCELLED),
        (stord_order(status="Cancelled"), Fate.CANCELLED),
        (stord_order(status="shipped"), Fate.SHIPPED),
        (stord_order(sales_order_lines=[line("open", ("X", "1"))]), Fate.RELEASED),
        (stord_order(sales_order_lines=[]), Fate.RELEASED),
    ],
)
def test_a_look_up_says_what_has_become_of_an_order(record: dict[str, Any], fate: Fate) -> None:
    verdict = judge(record, OOS, Notes())

    assert verdict is not None
    assert verdict.fate is fate


@pytest.mark.parametrize("lines", [None, "x", {}, [None], ["backordered"]])
def test_a_record_too_broken_to_tell_resolves_nothing(lines: object) -> None:
    assert judge(stord_order(sales_order_lines=lines), OOS, Notes()) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([{"a": 1}], [{"a": 1}]),
        ([[{"a": 1}], [{"b": 2}]], [{"a": 1}, {"b": 2}]),
        ([], []),
        (None, None),
        ({}, None),
        ("x", None),
    ],
)
def test_the_records_come_as_a_list_or_as_lists(data: object, expected: object) -> None:
    assert records(data) == expected


def test_unknown_words_are_counted() -> None:
    notes = Notes()
    held_order(stord_order(status="pondering", sales_order_lines=[line("asleep", ("X", "1"))]), OOS, notes)

    assert notes.counts == {"order_status:pondering": 1, "line_status:asleep": 1}
