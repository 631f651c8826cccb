"""ShipBob's cursor lists, locations and webhook subscriptions."""

from typing import Any

import pytest

from local.simulators import ShipBob
from tests.unit.simulators.client import call

LEVELS = "/2026-07/inventory-level"


def test_a_cursor_walk_sees_every_item_once(shipbob: ShipBob) -> None:
    found: list[dict[str, Any]] = []
    link: str | None = "/inventory-level?PageSize=90"
    while link:
        page = call(shipbob, "/2026-07" + link).json
        found += page["items"]
        link = page["next"]

    assert sorted(page) == ["first", "items", "last", "next", "prev"]
    assert [row["inventory_id"] for row in found] == [good.number for good in shipbob.world.goods if not good.parts]


@pytest.mark.parametrize(
    ("links", "start"), [("versioned", "/2026-07/inv"), ("foreign", "https://elsewhere.invalid/"), ("same", "/inv")]
)
def test_the_next_link_takes_every_form_seen(shipbob: ShipBob, links: str, start: str) -> None:
    shipbob.switch(links=links)

    assert call(shipbob, LEVELS).json["next"].startswith(start)


def test_the_same_cursor_may_come_twice(shipbob: ShipBob) -> None:
    shipbob.switch(links="same")
    first = call(shipbob, LEVELS).json

    assert call(shipbob, "/2026-07" + first["next"]).json["next"] == first["next"]


@pytest.mark.parametrize(
    "params", [{"cursor": "????"}, {"cursor": "bm90aGluZw=="}, {"PageSize": 251}, {"PageSize": "x"}]
)
def test_wrong_cursors_and_sizes_are_refused(shipbob: ShipBob, params: dict[str, object]) -> None:
    assert call(shipbob, LEVELS, params).status == 400


def test_search_is_partial_and_ignores_case(shipbob: ShipBob) -> None:
    found = [row["sku"] for row in call(shipbob, LEVELS, {"SearchBy": "tee-1"}).json["items"]]

    assert {"TEE-1", "TEE-10", "TEE-11"} <= set(found)


def test_search_by_an_inventory_id_is_exact(shipbob: ShipBob) -> None:
    assert [row["inventory_id"] for row in call(shipbob, LEVELS, {"SearchBy": "88"}).json["items"]] == [88]
    assert [row["inventory_id"] for row in call(shipbob, LEVELS, {"InventoryIds": "90,91"}).json["items"]] == [90, 91]


def test_levels_by_centre_add_up_to_the_total(shipbob: ShipBob) -> None:
    total = call(shipbob, LEVELS, {"InventoryIds": 88}).json["items"][0]
    by_centre = call(shipbob, f"{LEVELS}/locations", {"InventoryIds": 88}).json["items"][0]

    assert by_centre == call(shipbob, f"{LEVELS}/88/locations").json
    assert sum(row["on_hand_quantity"] for row in by_centre["locations"]) == total["total_on_hand_quantity"]
    assert sum(row["fulfillable_quantity"] for row in by_centre["locations"]) == total["total_fulfillable_quantity"]
    assert call(shipbob, f"{LEVELS}/99999/locations").status == 404


def test_what_an_order_waits_for_is_not_free_at_its_centre(shipbob: ShipBob) -> None:
    held = next(row for row in shipbob.truth() if row["reason"] == "out_of_stock" and len(row["item"]) < 5)
    shipment = shipbob.world.order(held["order_id"]).shipment(held["shipment_id"])
    levels = call(shipbob, f"{LEVELS}/{held['item']}/locations").json["locations"]

    assert shipment.centre is not None
    assert [row["fulfillable_quantity"] for row in levels if row["location_id"] == shipment.centre.id] == [0]


def test_channels_locations_and_products(shipbob: ShipBob) -> None:
    channels = call(shipbob, "/2026-07/channel").json["items"]
    products = call(shipbob, "/2026-07/product", {"SearchBy": "KIT-1"}).json["items"]

    assert [channel["id"] for channel in channels if "orders_write" in channel["scopes"]] == [9]
    assert [row["id"] for row in call(shipbob, "/2026-07/location").json] == [3, 4, 7, 250]
    assert products[0]["variants"][0]["bundle_definition"]


def test_subscriptions_are_made_listed_and_deleted(shipbob: ShipBob) -> None:
    body = {"topics": ["order.shipment.exception"], "url": "http://127.0.0.1:1/hook"}
    path = "/2026-07/webhook"

    assert call(shipbob, path, method="POST", body=body).status == 400
    made = call(shipbob, path, method="POST", body=body, headers={"shipbob_channel_id": "9"})
    listed = call(shipbob, path).json["items"]
    deleted = call(shipbob, f"{path}/{made.json['id']}", method="DELETE")

    assert (made.status, deleted.status) == (201, 204)
    assert [entry["topics"] for entry in listed] == [["order.shipment.exception"]]
    assert call(shipbob, path).json["items"] == []
    assert call(shipbob, f"{path}/1", method="DELETE").status == 404


@pytest.mark.parametrize("body", [{}, [], {"topics": ["x"]}, "text"])
def test_a_subscription_without_url_or_topic_is_refused(shipbob: ShipBob, body: object) -> None:
    got = call(shipbob, "/2026-07/webhook", method="POST", body=body, headers={"shipbob_channel_id": "9"})

    assert got.status == 400
