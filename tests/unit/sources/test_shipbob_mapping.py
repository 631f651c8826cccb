"""ShipBob's records as held orders: the vectors of the specification, and the odd records."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from shared.adapters.sources.reading import Notes
from shared.adapters.sources.shipbob.mapping import centre_ids, held_order, judge
from shared.oos.source import Fate, HeldLine, HeldOrder
from tests.unit.sources.builders import SHIPBOB_SPLIT, shipbob_order

OUT = {"id": 303, "name": "OutOfStock", "inventory_id": 11}


def held(record: dict[str, Any], centres: dict[str, str] | None = None) -> HeldOrder | None:
    return held_order(record, centres or {}, Notes())


def lines(record: dict[str, Any], centres: dict[str, str] | None = None) -> list[HeldLine]:
    order = held(record, centres)
    return order.lines if order else []


SPLIT_HELD = HeldOrder(
    source="shipbob",
    order_id="1001",
    order_number="S-1001",
    status="PartiallyFulfilled",
    order_type="DTC",
    priority=None,
    channel="Web",
    channel_category="DTC",
    shipment_type="Ground",
    custom_reference="web-77",
    customer_name="Ada Example",
    customer_email="ada@example.com",
    purchase_date="2026-11-20T09:15:00.000000Z",
    shipped_at=None,
    source_updated_at="2026-11-21T07:30:12.500000Z",
    value=Decimal("70.5"),
    currency=None,
    lines=[
        HeldLine(
            item="88",
            shipment_id="7002",
            inventory_item_id="88",
            sku="TEE-1",
            name="Tee",
            facility="West",
            facility_id="4",
            ordered_quantity=3,
            committed_quantity=1,
            short_quantity=2,
            reason="out_of_stock",
            source_state="Exception",
            source_reason="OutOfStock",
            source_reason_id=303,
            unit_price=Decimal("19.5"),
        )
    ],
    line_items=[
        {"sku": "TEE-1", "quantity": 3, "status": "Exception"},
        {"sku": "CAP-2", "quantity": 1, "status": None},
    ],
    raw=SHIPBOB_SPLIT,
)


def test_the_split_order_shows_its_short_shipment_only() -> None:
    order = held(SHIPBOB_SPLIT)

    assert order == SPLIT_HELD


def test_a_one_detail_is_one_row_with_the_sku_of_its_item() -> None:
    assert [(line.item, line.sku, line.short_quantity) for line in lines(shipbob_order(1, OUT))] == [("11", "A", 2)]


def test_b_an_item_that_matches_nothing_is_a_row_without_sku_and_quantities() -> None:
    (line,) = lines(shipbob_order(1, OUT | {"inventory_id": 99}))

    assert (line.item, line.inventory_item_id, line.sku, line.name) == ("99", "99", None, None)
    assert (line.ordered_quantity, line.committed_quantity, line.short_quantity) == (0, None, None)


def test_c_an_inactive_sku_is_its_own_reason() -> None:
    assert [
        line.reason for line in lines(shipbob_order(1, {"id": 302, "name": "InactiveSku", "inventory_id": 11}))
    ] == ["inactive_sku"]


@pytest.mark.parametrize("status", ["Cancelled", "cancelled", " CANCELLED "])
def test_d_a_cancelled_order_is_not_held(status: str) -> None:
    assert held(shipbob_order(1, OUT, status=status)) is None


def test_e_the_same_detail_twice_is_one_row() -> None:
    assert len(lines(shipbob_order(1, OUT, OUT))) == 1


def test_f_two_short_items_of_one_sku_are_two_rows() -> None:
    record = shipbob_order(1, OUT, OUT | {"inventory_id": 12})
    record["shipments"][0]["products"][1]["sku"] = "A"

    assert [(line.item, line.sku) for line in lines(record)] == [("11", "A"), ("12", "A")]


def test_f2_an_order_on_hold_for_its_address_is_held_for_another_reason() -> None:
    (line,) = lines(shipbob_order(1, {"id": 401, "name": "InvalidAddress"}, shipment_status="OnHold"))

    assert (line.reason, line.item, line.sku) == ("hold_address", "detail-401", None)


def test_g_null_channel_location_and_recipient_are_nulls_and_no_failure() -> None:
    record = shipbob_order(1, OUT, channel=None, recipient=None)
    record["shipments"][0]["location"] = None
    order = held(record)

    assert order is not None
    assert (order.channel, order.customer_name, order.customer_email) == (None, None, None)
    assert (order.lines[0].facility, order.lines[0].facility_id) == (None, None)


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"id": 303}, "out_of_stock"),
        ({"id": 308}, "partially_committed"),
        ({"id": 307}, "not_pickable"),
        ({"id": 305}, "transfer"),
        ({"id": 306}, "transfer"),
        ({"id": 302}, "inactive_sku"),
        ({"id": 304}, "unknown_sku"),
        ({"id": 400}, "hold_payment"),
        ({"id": 401}, "hold_address"),
        ({"id": 402}, "hold_date"),
        ({"id": 404, "name": "MissingTarriffInformation"}, "other"),
        ({"id": 403, "name": "Manual"}, "hold_manual"),
        ({"id": 777, "name": "Manual"}, "hold_manual"),
        ({"id": 405, "name": "International Hazmat"}, "other"),
        ({"id": 300, "name": "Bundle"}, "other"),
        ({"id": 303, "name": "Manual"}, "out_of_stock"),
        ({"id": None, "name": "out of stock"}, "out_of_stock"),
        ({"name": "Never heard of"}, "other"),
        ({}, "other"),
        ({"id": "303"}, "out_of_stock"),
    ],
)
def test_the_id_decides_the_reason_then_the_name(detail: dict[str, Any], reason: str) -> None:
    assert [line.reason for line in lines(shipbob_order(1, detail))] == [reason]


@pytest.mark.parametrize("status", ["Exception", "OnHold", "On Hold", "on hold", "EXCEPTION"])
def test_a_held_shipment_is_known_without_blanks_and_case(status: str) -> None:
    assert len(lines(shipbob_order(1, OUT, shipment_status=status))) == 1


@pytest.mark.parametrize(
    "status", ["Processing", "Completed", "None", "Cancelled", "CleanSweeped", "Teleporting", None, 7]
)
def test_any_other_shipment_is_not_held(status: object) -> None:
    assert held(shipbob_order(1, OUT, shipment_status=status)) is None


def test_missing_stock_outranks_another_reason_for_the_same_item() -> None:
    record = shipbob_order(1, {"id": 305, "inventory_id": 11}, OUT, {"id": 308, "inventory_id": 11})

    assert [line.reason for line in lines(record)] == ["out_of_stock"]


def test_a_detail_without_item_is_named_by_its_id() -> None:
    assert [line.item for line in lines(shipbob_order(1, {"id": 303}, {"id": 307}))] == ["detail-303", "detail-307"]


def test_the_centre_of_the_detail_wins_and_is_named_by_whoever_knows_it() -> None:
    record = shipbob_order(1, OUT | {"exception_fulfillment_center_id": 250})

    assert [(line.facility_id, line.facility) for line in lines(record)] == [("250", None)]
    assert [(line.facility_id, line.facility) for line in lines(record, {"250": "Home"})] == [("250", "Home")]
    assert centre_ids([record]) == {"250"}


def test_a_centre_the_order_itself_names_needs_no_asking() -> None:
    record = shipbob_order(1, OUT | {"exception_fulfillment_center_id": 3})
    record["shipments"].append({"id": 11, "status": "Completed", "location": {"id": 3, "name": "East"}})

    assert [line.facility for line in lines(record)] == ["East"]
    assert centre_ids([record]) == set()


def test_lots_of_one_item_are_added_up() -> None:
    record = shipbob_order(1, OUT)
    record["shipments"][0]["products"][0]["inventory_items"] = [
        {"id": 11, "quantity": 2, "quantity_committed": 1, "lot": "a"},
        {"id": 11, "quantity": 3, "quantity_committed": 0, "lot": "b"},
    ]

    assert [(line.ordered_quantity, line.committed_quantity, line.short_quantity) for line in lines(record)] == [
        (5, 1, 4)
    ]


@pytest.mark.parametrize(
    ("quantity", "committed", "expected"),
    [
        (3, 5, (3, 5, 0)),
        (3, None, (3, None, None)),
        ("4.00", "1", (4, 1, 3)),
        (None, 1, (0, 1, None)),
        (-2, 0, (0, 0, None)),
        (10**30, 1, (0, 1, None)),
        (True, 1, (0, 1, None)),
        ("NaN", 1, (0, 1, None)),
    ],
)
def test_short_is_ordered_less_committed_and_null_when_unknown(
    quantity: Any, committed: Any, expected: tuple[Any, ...]
) -> None:
    record = shipbob_order(1, OUT)
    record["shipments"][0]["products"][0]["inventory_items"][0] |= {
        "quantity": quantity,
        "quantity_committed": committed,
    }
    (line,) = lines(record)

    assert (line.ordered_quantity, line.committed_quantity, line.short_quantity) == expected


@pytest.mark.parametrize(
    ("prices", "value"),
    [([19.5, 12], "99.00"), ([19.5, None], None), ([None, None], None), (["0.1", "0.2"], "1.2"), ([0, 0], "0")],
)
def test_the_value_is_told_only_when_every_line_has_a_price(prices: list[Any], value: str | None) -> None:
    record = shipbob_order(1, OUT)
    for product, price in zip(record["products"], prices, strict=True):
        product["unit_price"] = price
    order = held(record)

    assert order is not None
    assert order.value == (None if value is None else Decimal(value))


def test_the_purchase_date_falls_back_to_the_creation_and_a_missing_zone_is_utc_and_noted() -> None:
    notes = Notes()
    order = held_order(shipbob_order(1, OUT, purchase_date=None, created_date="2026-11-20T09:15:00"), {}, notes)

    assert order is not None
    assert order.purchase_date == "2026-11-20T09:15:00.000000Z"
    assert notes.counts == {"time:without zone": 1}


def test_unknown_words_are_counted_not_fatal() -> None:
    notes = Notes()
    record = shipbob_order(1, OUT, {"id": 399, "name": "Brand New"}, status="Reconsidered", type="C2C")
    record["shipments"].append({"id": 5, "status": "Teleporting"})

    assert held_order(record, {}, notes) is not None
    assert notes.counts == {
        "order_status:Reconsidered": 1,
        "order_type:C2C": 1,
        "shipment_status:Teleporting": 1,
        "status_detail:Brand New": 1,
    }


def test_the_number_of_different_unknown_words_is_bounded() -> None:
    notes = Notes()
    for number in range(500):
        held_order(shipbob_order(number, OUT, status=f"Status {number}"), {}, notes)

    assert len(notes.counts) == 21
    assert notes.counts["order_status:..."] == 480


@pytest.mark.parametrize(
    ("record", "fate"),
    [
        (shipbob_order(1, OUT), Fate.HELD),
        (shipbob_order(1, {"id": 401}, shipment_status="OnHold"), Fate.HELD),
        (shipbob_order(1, OUT, status="Cancelled"), Fate.CANCELLED),
        (shipbob_order(1, OUT, status="Fulfilled", shipment_status="Completed"), Fate.SHIPPED),
        (shipbob_order(1, OUT, status="Whatever", shipment_status="Completed"), Fate.SHIPPED),
        (shipbob_order(1, OUT, status="Processing", shipment_status="Processing"), Fate.RELEASED),
        (shipbob_order(1, OUT, status="PartiallyFulfilled", shipment_status="Processing"), Fate.RELEASED),
        (shipbob_order(1, OUT, status=None, shipment_status="Cancelled"), Fate.CANCELLED),
        (shipbob_order(1, OUT, status="Processing", shipments=[]), Fate.RELEASED),
    ],
)
def test_a_look_up_says_what_has_become_of_an_order(record: dict[str, Any], fate: Fate) -> None:
    verdict = judge(record, {}, Notes())

    assert verdict is not None
    assert verdict.fate is fate
    assert (verdict.order is not None) == (fate is Fate.HELD)


@pytest.mark.parametrize(
    "shipments", [None, "gone", {}, [None], ["x"], [{"status": "Exception", "status_details": None}]]
)
def test_a_record_too_broken_to_tell_resolves_nothing(shipments: object) -> None:
    assert judge(shipbob_order(1, OUT, status="Processing", shipments=shipments), {}, Notes()) is None


def test_the_record_itself_is_left_alone() -> None:
    record = copy.deepcopy(SHIPBOB_SPLIT)
    held(record)

    assert record == SHIPBOB_SPLIT
