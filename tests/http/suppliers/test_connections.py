"""Connections when workers race, when addresses hold secrets, and when nothing can be taken."""

import json
from typing import Any

import pytest

from shared.core.errors import Terminal
from shared.orders.suppliers import Placement, PlacementLine
from shared.ports.documents import Query
from shared.suppliers.connections import Connections
from tests.http.inventory.builders import ok
from tests.http.settling import settle
from tests.http.suppliers.market import Market

TO = {"first_name": "Ada", "address1": "Calle 1", "city": "Valencia", "postal_code": "46000", "country_code": "ES"}


def order_of(market: Market, product_id: str) -> dict[str, Any]:
    """Order one of a product and have it fulfilled."""
    body = {"shipping_address": TO, "items": [{"product_id": product_id, "quantity": 1}]}
    order = ok(market.manager().post("/api/v1/orders", body), 201)
    ok(market.manager().post("/api/v1/orders/fulfill", {"order_id": order["id"]}), 202)
    settle(market.shop.app)
    return ok(market.manager().get(f"/api/v1/orders/{order['id']}"))  # type: ignore[no-any-return]


def test_the_variant_that_was_linked_is_the_one_that_is_ordered(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.sync(supplier)
    split = next(one for one in market.aliexpress.world.offers if one.id % 7 == 0 and one.stock > 5)
    variants = [one for one in market.products() if one["name"].startswith(f"{split.name} (")]

    ordered = [order_of(market, one["id"])["status"] for one in variants]

    lines = [order.lines[0]["sku_attr"] for order in market.aliexpress.world.orders]
    assert ordered == ["fulfilled", "fulfilled"]
    assert lines == [one["name"].rpartition("(")[2].rstrip(")") for one in variants]
    assert sorted(lines) == ["14:193", "14:194"]


def placement(reference: str, their_id: str) -> Placement:
    """Return an order of one unit."""
    return Placement(reference, [PlacementLine("prd_1", "SKU", their_id, None, 1)], TO)


def test_a_variant_that_is_gone_is_not_replaced_and_can_be_ordered_when_it_is_back(market: Market) -> None:
    supplier = market.connect("aliexpress")
    source = market.shop.app.supplier_gateway(supplier["id"])
    split = next(one for one in market.aliexpress.world.offers if one.id % 7 == 0 and one.stock)
    product_id, sku_id = split.id + 1_005_000_000_000, 12_000_000 + split.id * 10

    with pytest.raises(Terminal) as refused:
        source.place(placement("so-1", f"{product_id}#999"))
    market.shop.clock.advance(48 * 3600)
    ordered_before = list(market.aliexpress.world.orders)
    source.place(placement("so-1", f"{product_id}#{sku_id}"))

    assert (refused.value.code, ordered_before) == ("variant_gone", [])
    assert [order.lines[0]["sku_attr"] for order in market.aliexpress.world.orders] == ["14:193"]


def test_two_workers_that_meet_an_ended_token_use_up_one_refresh_token(market: Market) -> None:
    supplier = market.connect("aliexpress")
    connections: Connections = market.shop.app.suppliers
    first, second = (connections.source(connections.get(supplier["id"])) for _ in range(2))
    market.aliexpress.end_token()

    first.check()
    second.check()

    renewals = [entry for entry in market.aliexpress.journal.entries() if "token/refresh" in str(entry)]
    assert len(renewals) == 1


def test_an_address_of_a_feed_never_shows_its_secrets_and_keeps_working(market: Market) -> None:
    web = market.web
    config = {"feed_url": f"{web.origin}/feeds/european.csv?token=hush-token", "feed_type": "csv"}

    made = ok(market.manager().post("/api/v1/suppliers", {"supplier_type": "feed", "additional_config": config}), 201)
    shown = made["config"]["feed_url"]
    path = f"/api/v1/suppliers/{made['id']}"
    ok(market.manager().patch(path, {"additional_config": {"feed_url": shown}}))
    run = market.sync(made)
    connection = market.shop.app.suppliers.get(made["id"])
    stored = [one.data for name in ("suppliers", "jobs") for one in market.shop.app.store.walk(Query(name))]

    assert shown == f"{web.origin}/feeds/european.csv?***"
    assert (run["status"], run["created"] > 0) == ("succeeded", True)
    assert "hush-token" not in json.dumps(stored)
    assert market.shop.app.suppliers.opened(connection).config["feed_url"] == config["feed_url"]


def test_a_sync_of_which_nothing_could_be_taken_has_failed(market: Market) -> None:
    supplier = market.connect("bigbuy")
    for offer in market.bigbuy.world.offers:
        offer.sku = "x" * 150

    run = market.sync(supplier)

    assert (run["status"], run["created"], run["failed"]) == ("failed", 0, run["fetched"])
    assert market.products() == []
    assert [one.data["last_sync_status"] for one in market.shop.app.store.query(Query("suppliers"))] == ["failed"]
