"""Connections, syncs, schedules and history over HTTP, against the simulated suppliers on real sockets."""

import json
from typing import Any

import pytest

from shared.ports.documents import Query
from tests.http.inventory.builders import ok
from tests.http.settling import settle
from tests.http.suppliers.market import Market


def counts(run: dict[str, Any]) -> tuple[str, int, int, int, int, int]:
    """Return how a sync ended."""
    return run["status"], run["fetched"], run["created"], run["updated"], run["unchanged"], run["failed"]


# Connections


def test_a_connection_is_checked_stored_and_never_shows_its_key(market: Market) -> None:
    made = market.connect("bigbuy", name="Our BigBuy")

    assert (made["supplier_type"], made["name"], made["status"], made["credential_hint"]) == (
        "bigbuy",
        "Our BigBuy",
        "connected",
        "-key",
    )
    assert ok(market.manager().get(f"/api/v1/suppliers/{made['id']}")) == made
    assert [one["id"] for one in ok(market.manager().get("/api/v1/suppliers/list"))["items"]] == [made["id"]]
    everything = [
        stored.data
        for name in ("suppliers", "jobs", "audit_events")
        for stored in market.shop.app.store.walk(Query(name))
    ]
    assert "demo-bigbuy-key" not in json.dumps(everything)


def test_refused_credentials_are_422_and_store_nothing(market: Market) -> None:
    wrong = market.manager().post("/api/v1/suppliers", {"supplier_type": "bigbuy", "api_key": "wrong-key-entirely"})
    missing = market.manager().post("/api/v1/suppliers", {"supplier_type": "aliexpress", "api_key": "x"})
    unknown = market.manager().post("/api/v1/suppliers", {"supplier_type": "amazon", "api_key": "x"})
    market.bigbuy.add_fault("http_503", None, 0, "")
    down = market.manager().post("/api/v1/suppliers", {"supplier_type": "bigbuy", "api_key": "demo-bigbuy-key"})

    assert (wrong.status, wrong.problem) == (422, "CredentialsRejected")
    assert (missing.status, missing.codes) == (422, [("/additional_config/app_key", "missing")])
    assert unknown.status == 422
    assert (down.status, down.problem) == (502, "UpstreamFailed")
    assert "wrong-key-entirely" not in wrong.body.decode()
    assert market.shop.app.store.query(Query("suppliers")) == []


def test_a_private_feed_address_is_refused_before_any_connection(market: Market) -> None:
    body = {"supplier_type": "feed", "additional_config": {"feed_url": "http://169.254.169.254/latest/meta-data"}}
    refused = market.manager().post("/api/v1/suppliers", body)

    assert (refused.status, refused.problem) == (422, "UrlNotAllowed")
    assert market.manager().post("/api/v1/suppliers", {"supplier_type": "feed"}).status == 422


def test_status_asks_the_supplier_on_request(market: Market) -> None:
    made = market.connect("bigbuy")
    market.bigbuy.revoke_token()

    silent = ok(market.manager().get(f"/api/v1/suppliers/{made['id']}/status"))
    asked = ok(market.manager().get(f"/api/v1/suppliers/{made['id']}/status", check=True))

    assert (silent["success"], silent["status"]) == (True, "connected")
    assert (asked["status"], asked["last_error"] is not None) == ("error", True)
    assert market.manager().get("/api/v1/suppliers/sup_none/status").status == 404


def test_disabling_and_disconnecting(market: Market) -> None:
    made = market.connect("bigbuy")
    path = f"/api/v1/suppliers/{made['id']}"
    assert market.manager().patch(path, {"api_key": "another-wrong-key"}).status == 422
    assert ok(market.manager().patch(path, {"status": "disabled"}))["status"] == "disabled"
    refused = market.manager().post("/api/v1/suppliers/sync", {"supplier_id": made["id"]})
    assert (refused.status, refused.json["current"]) == (409, "disabled")

    assert market.manager().delete(path).status == 204
    assert market.manager().get(path).status == 404


# Syncs


def test_a_products_sync_makes_drafts_with_links_and_a_second_one_changes_nothing(market: Market) -> None:
    supplier = market.connect("bigbuy")

    first = market.sync(supplier)
    again = market.sync(supplier)

    offers = {offer.sku: offer for offer in market.bigbuy.world.offers}
    assert counts(first) == ("succeeded", 40, 40, 0, 0, 0)
    assert counts(again) == ("succeeded", 40, 0, 0, 40, 0)
    for product in market.products(supplier_id=supplier["id"]):
        offer = offers[product["sku"]]
        assert (product["status"], product["name"], product["unit_cost"]) == ("draft", offer.name, offer.cost)
        assert (product["barcode"], product["current_stock"], len(product["images"])) == (offer.ean, 0, 2)
        (link,) = ok(market.manager().get(f"/api/v1/products/{product['id']}/suppliers"))["items"]
        assert (link["supplier_product_id"], link["cost"], link["supplier_stock"]) == (
            str(offer.id),
            offer.cost,
            offer.stock,
        )
        assert link["is_active"] is offer.active
    shown = ok(market.manager().get(f"/api/v1/suppliers/{supplier['id']}"))
    assert (shown["products_count"], shown["last_sync_status"]) == (40, "succeeded")


def test_what_people_edited_stays_and_what_the_supplier_changed_comes(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    edited, other = market.products(supplier_id=supplier["id"])[:2]
    ok(market.manager().patch(f"/api/v1/products/{edited['id']}", {"name": "Our own name"}))
    for offer in market.bigbuy.world.offers:
        if offer.sku in {edited["sku"], other["sku"]}:
            offer.name, offer.stock, offer.cost_cents = "Their new name", 3, 777

    run = market.sync(supplier)

    assert counts(run) == ("succeeded", 40, 0, 2, 38, 0)
    after = {product["sku"]: product for product in market.products(supplier_id=supplier["id"])}
    assert (after[edited["sku"]]["name"], after[edited["sku"]]["unit_cost"]) == ("Our own name", 7.77)
    assert (after[other["sku"]]["name"], after[other["sku"]]["unit_cost"]) == ("Their new name", 7.77)


def test_a_product_of_ours_with_the_same_sku_is_linked_and_not_made_again(market: Market) -> None:
    sku = market.bigbuy.world.offers[0].sku
    ours = ok(market.shop.operator.post("/api/v1/products", {"name": "Ours", "sku": sku, "sale_price": 5}), 201)
    supplier = market.connect("bigbuy")

    run = market.sync(supplier)

    assert run["created"] == 39
    after = ok(market.manager().get(f"/api/v1/products/{ours['id']}"))
    assert (after["name"], after["sale_price"], after["status"]) == ("Ours", 5.0, "active")
    assert len(ok(market.manager().get(f"/api/v1/products/{ours['id']}/suppliers"))["items"]) == 1


def test_limit_category_and_stock_choose(market: Market) -> None:
    supplier = market.connect("bigbuy")

    assert market.sync(supplier, limit=5)["created"] == 5
    assert market.sync(supplier, category_filter="Garden", in_stock_only=True)["status"] == "succeeded"
    wanted = [one for one in market.bigbuy.world.offers if one.category == 2403 and one.stock]
    assert len(market.products(category="Garden")) == len(wanted)
    unknown = market.sync(supplier, category_filter="Spaceships")
    assert (unknown["status"], unknown["fetched"]) == ("failed", 0)


@pytest.mark.parametrize(
    "fault", ["http_500", "html_ok", "truncated", "wrong_type", "token_revoked", "redirect", "empty_body", "empty_list"]
)
def test_a_supplier_that_fails_fails_the_sync_and_changes_nothing_of_what_was_known(market: Market, fault: str) -> None:
    """R05 for suppliers; a sync that read nothing is never called a success."""
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    before = market.products(supplier_id=supplier["id"])
    # One answer is let through, except of lists: one that holds something is believed.
    market.bigbuy.add_fault(fault, None, 0 if fault == "empty_list" else 1, "")

    run = market.sync(supplier, rounds=8)

    assert run["status"] == "failed"
    assert run["created"] == run["updated"] == 0
    assert market.products(supplier_id=supplier["id"]) == before
    shown = ok(market.manager().get(f"/api/v1/suppliers/{supplier['id']}"))
    assert shown["last_error"]


def test_passing_trouble_is_waited_for_and_no_record_is_made_twice(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.bigbuy.add_fault("http_503", 5, 2, "")

    run = market.sync(supplier, rounds=6)

    assert counts(run) == ("succeeded", 40, 40, 0, 0, 0)


def test_an_hourly_quota_is_waited_for_by_a_later_task(market: Market) -> None:
    supplier = market.connect("bigbuy")
    for _ in range(3):
        market.sync(supplier)

    run = market.sync(supplier, rounds=10)

    assert counts(run) == ("succeeded", 40, 0, 0, 40, 0)


def test_one_bad_record_is_counted_and_the_rest_is_taken(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.bigbuy.world.offers[3].sku = "X" * 150

    run = market.sync(supplier)

    job = ok(market.manager().get(f"/api/v1/jobs/{run['job_id']}"))
    assert (run["status"], run["created"], run["failed"]) == ("succeeded", 39, 1)
    assert [job[name] for name in ("items_processed", "items_succeeded", "items_failed")] == [40, 39, 1]
    assert [error["key"] for error in run["errors"]] == [str(market.bigbuy.world.offers[3].id)]


def test_a_stock_sync_touches_links_only_and_never_our_ledger(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    before = market.products(supplier_id=supplier["id"])
    market.bigbuy.world.offers[0].stock += 11

    run = market.sync(supplier, "stock")

    assert counts(run) == ("succeeded", 40, 0, 1, 39, 0)
    assert market.products(supplier_id=supplier["id"]) == before
    assert ok(market.manager().get("/api/v1/inventory/movements"))["items"] == []


def test_two_triggers_are_one_sync(market: Market) -> None:
    supplier = market.connect("bigbuy")
    body = {"sync_type": "products", "supplier_id": supplier["id"]}

    first, second = (market.manager().post("/api/v1/sync/trigger", body).json for _ in range(2))

    assert (first["joined"], second["joined"], first["job_id"]) == (False, True, second["job_id"])
    assert first["data"] == {"job_id": first["job_id"]}
    assert market.manager().delete(f"/api/v1/suppliers/{supplier['id']}").status == 409
    assert (
        market.manager().post("/api/v1/sync/trigger", {"sync_type": "products", "options": {"pages": 1}}).status == 422
    )
    assert market.manager().post("/api/v1/sync/trigger", {"sync_type": "everything"}).status == 422


def test_without_a_connection_a_trigger_is_409(market: Market) -> None:
    assert market.manager().post("/api/v1/sync/trigger", {"sync_type": "stock"}).status == 409


@pytest.mark.parametrize("wrapping", ["named", "bare", "single"])
def test_aliexpress_is_read_in_every_wrapping_and_each_sku_is_a_product(market: Market, wrapping: str) -> None:
    market.aliexpress.switch(wrapping=wrapping)
    supplier = market.connect("aliexpress")

    run = market.sync(supplier)

    offers = market.aliexpress.world.offers
    split = [offer for offer in offers if offer.id % 7 == 0]
    assert (run["status"], run["created"], run["failed"]) == ("succeeded", len(offers) + len(split), 0)
    plain = next(offer for offer in offers if offer.id % 7)
    product = next(one for one in market.products() if one["name"] == plain.name)
    assert (product["unit_cost"], product["currency"]) == (plain.cost, "EUR")


def test_an_ended_token_is_renewed_once_and_kept(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.end_token()

    first = market.sync(supplier, limit=2)
    again = market.sync(supplier, limit=2)

    assert [first["status"], again["status"]] == ["succeeded", "succeeded"]
    renewals = [entry for entry in market.aliexpress.journal.entries() if "token/refresh" in str(entry)]
    assert len(renewals) == 1


@pytest.mark.parametrize(("fault", "times", "attempts"), [("rate_limited", 2, 1), ("http_500", 2, 1), ("reset", 3, 2)])
def test_a_short_ban_and_passing_trouble_are_waited_for_in_the_call(
    market: Market, fault: str, times: int, attempts: int
) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.add_fault(fault, times, 0, "")

    run = market.sync(supplier, "orders", rounds=5)

    job = ok(market.manager().get(f"/api/v1/jobs/{run['job_id']}"))
    assert (run["status"], job["attempts"]) == ("succeeded", attempts)


# Schedules


def test_a_schedule_starts_one_sync_per_period_with_one_catch_up(market: Market) -> None:
    supplier = market.connect("bigbuy")
    body = {"sync_type": "stock", "supplier_id": supplier["id"], "frequency": "daily", "time_of_day": "03:00"}
    made = ok(market.manager().post("/api/v1/sync/schedule", body), 201)
    app, clock = market.shop.app, market.shop.clock

    fired = [len(app.sync_schedules.fire())]
    for hours in (24, 1, 24 * 5, 1):
        clock.advance(hours * 3600)
        fired.append(len(app.sync_schedules.fire()))
        settle(app)

    assert made["schedule_id"] == made["id"]
    assert fired == [0, 1, 0, 1, 0]
    shown = ok(market.manager().get(f"/api/v1/sync/schedule/{made['id']}"))
    assert (shown["last_run_status"], shown["last_run_at"] is not None) == ("succeeded", True)
    assert [run["trigger"] for run in market.history(sync_type="stock")] == ["schedule", "schedule"]
    assert market.manager().post("/api/v1/sync/schedule", body).status == 409
    assert ok(market.manager().patch(f"/api/v1/sync/schedule/{made['id']}", {"enabled": False}))["next_run_at"] is None
    assert market.manager().post("/api/v1/sync/schedule", {**body, "frequency": "yearly"}).status == 422
    assert market.manager().delete(f"/api/v1/sync/schedule/{made['id']}").status == 204


# Orders


@pytest.mark.parametrize("kind", ["bigbuy", "aliexpress"])
def test_an_order_is_placed_once_and_its_tracking_comes_back(market: Market, kind: str) -> None:
    supplier = market.connect(kind)
    market.sync(supplier)
    simulator: Any = market.bigbuy if kind == "bigbuy" else market.aliexpress
    offer = next(one for one in simulator.world.offers if one.stock > 5 and one.id % 7)
    product = next(one for one in market.products() if one["name"] == offer.name)
    to = {"first_name": "Ada", "address1": "Calle 1", "city": "Valencia", "postal_code": "46000", "country_code": "ES"}
    order = ok(
        market.manager().post(
            "/api/v1/orders", {"shipping_address": to, "items": [{"product_id": product["id"], "quantity": 2}]}
        ),
        201,
    )

    ok(market.manager().post("/api/v1/orders/fulfill", {"order_id": order["id"]}), 202)
    settle(market.shop.app)
    placed = ok(market.manager().get(f"/api/v1/orders/{order['id']}"))
    simulator.world.ship(placed["supplier_orders"][0]["reference"])
    market.sync(supplier, "orders")
    shipped = ok(market.manager().get(f"/api/v1/orders/{order['id']}"))

    assert (placed["status"], len(simulator.world.orders)) == ("fulfilled", 1)
    assert placed["supplier_orders"][0]["supplier_order_id"] == str(simulator.world.orders[0].number)
    assert shipped["items"][0]["tracking_number"] == simulator.world.orders[0].tracking
    assert shipped["status"] == "shipped"
