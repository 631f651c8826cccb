"""Fulfilment by suppliers: grouped, chosen, partial, repeated, and never ordered twice."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.core.errors import Transient
from shared.orders.customer_record import customer_key
from shared.orders.suppliers import Link
from shared.ports.documents import Put
from tests.http.trade.drop_ship import DropShip


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> DropShip:
    return DropShip(tmp_path)


def items(order: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    """Return some values of each item."""
    return [tuple(item[name] for name in names) for item in order["items"]]


def test_an_order_is_placed_with_its_supplier_under_a_fixed_reference(shop: DropShip) -> None:
    kept = shop.order()

    started = shop.fulfil(kept)
    processing = shop.read(kept)
    job = shop.finish(started)
    order = shop.read(kept)

    assert (started.status, started.headers["Location"]) == (202, f"/api/v1/jobs/{job.id}")
    assert (processing["status"], processing["fulfillment_job_id"]) == ("processing", job.id)
    assert shop.a.references == ["ONH-CO000001-sup_a"]
    assert [(line.sku, line.quantity) for line in shop.a.placed[0].lines] == [("CUP-1", 2), ("PEN-1", 1)]
    assert shop.a.placed[0].shipping_address["city"] == "Bonn"
    assert order["status"] == "fulfilled"
    assert items(order, "fulfillment_status", "supplier_order_id", "tracking_number") == [("ordered", "S-1", "T-1")] * 2
    assert order["supplier_orders"] == [
        {
            "supplier_id": "sup_a",
            "reference": "ONH-CO000001-sup_a",
            "supplier_order_id": "S-1",
            "status": "placed",
            "item_ids": [item["id"] for item in order["items"]],
            "error": None,
        }
    ]
    assert job.result == {
        "order_id": order["id"],
        "items_fulfilled": 2,
        "items_failed": 0,
        "supplier_orders": job.result["supplier_orders"],
        "tracking_numbers": ["T-1"],
        "order_status": "fulfilled",
    }
    assert (job.status, job.job_type, job.subject) == ("succeeded", "fulfil-order", order["id"])


def test_the_cheapest_supplier_with_enough_stock_is_chosen_then_the_fastest(shop: DropShip) -> None:
    def link(supplier: str, cost: str, stock: int | None, days: int, *, active: bool = True) -> Link:
        return Link(shop.cup, supplier, f"{supplier}-cup", None, Decimal(cost), "EUR", stock, days, active)

    item = {"product_id": shop.cup, "quantity": 5}
    shop.links[shop.cup] = [link("sup_a", "1.00", 4, 1), link("sup_b", "3.00", 5, 9)]
    shop.fulfilled(shop.order(item))
    shop.links[shop.cup] = [link("sup_a", "3.00", 5, 2), link("sup_b", "3.00", 5, 9)]
    shop.fulfilled(shop.order(item))
    shop.links[shop.cup] = [link("sup_a", "1.00", 5, 2, active=False), link("sup_b", "3.00", None, 9)]
    order, _ = shop.fulfilled(shop.order(item))

    assert (shop.b.references, shop.a.references) == (["ONH-CO000001-sup_b"], ["ONH-CO000002-sup_a"])
    assert shop.b.placed[0].lines[0].supplier_product_id == "sup_b-cup"
    assert items(order, "fulfillment_status", "fulfillment_error") == [("failed", "no_supplier")]


def test_items_of_one_product_are_not_promised_the_same_units_of_a_supplier(shop: DropShip) -> None:
    costs = (("sup_a", "1.00", 7), ("sup_b", "3.00", 5))
    shop.links[shop.cup] = [
        Link(shop.cup, supplier, f"{supplier}-cup", None, Decimal(cost), "EUR", stock, 2)
        for supplier, cost, stock in costs
    ]

    order, _ = shop.fulfilled(shop.order(*({"product_id": shop.cup, "quantity": units} for units in (5, 5, 2, 1))))

    assert [item["supplier_id"] for item in order["items"]] == ["sup_a", "sup_b", "sup_a", None]
    assert items(order, "fulfillment_status", "fulfillment_error")[3] == ("failed", "no_supplier")
    assert order["status"] == "partially_fulfilled"


def test_a_supplier_asked_for_is_taken_and_choosing_can_be_switched_off(shop: DropShip) -> None:
    shop.links[shop.cup] = [Link(shop.cup, "sup_b", supplier_stock=9)]
    own = {"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_a"}

    shop.fulfilled(shop.order(own), auto_select_supplier=False)
    shop.fulfilled(shop.order(own), supplier_id="sup_b")

    assert (shop.a.references, shop.b.references) == (["ONH-CO000001-sup_a"], ["ONH-CO000002-sup_b"])


def test_one_refusing_supplier_fails_its_items_only_and_a_second_run_touches_only_those(shop: DropShip) -> None:
    kept = shop.order(
        {"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_a"},
        {"product_id": shop.pen, "quantity": 1, "supplier_id": "sup_b"},
    )
    shop.b.refuses = "Out of pens."

    partial, job = shop.fulfilled(kept)
    again = shop.fulfil(kept)
    shop.b.refuses = None
    shop.finish(again)
    whole = shop.read(kept)

    assert (partial["status"], job.status, job.result["items_failed"]) == ("partially_fulfilled", "succeeded", 1)
    assert items(partial, "fulfillment_status", "fulfillment_error") == [("ordered", None), ("failed", "Out of pens.")]
    assert whole["status"] == "fulfilled"
    assert (shop.a.references, shop.b.references) == (["ONH-CO000001-sup_a"], ["ONH-CO000001-sup_b"])


def test_nothing_ordered_fails_order_and_job_with_the_reason(shop: DropShip) -> None:
    shop.a.refuses = "Account closed."

    order, job = shop.fulfilled(shop.order())

    assert (order["status"], job.status) == ("fulfillment_failed", "failed")
    assert job.error.detail == "Nothing could be ordered: Account closed."
    assert shop.operator.patch(f"/api/v1/orders/{order['id']}/status", {"status": "cancelled"}).status == 200


def test_a_supplier_that_is_gone_fails_its_items(shop: DropShip) -> None:
    kept = shop.order({"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_a"})
    del shop.suppliers["sup_a"]

    order, job = shop.fulfilled(kept)

    assert (order["status"], job.status) == ("fulfillment_failed", "failed")
    assert items(order, "fulfillment_error") == [("There is no such supplier.",)]


@pytest.mark.parametrize("lost", [1, 3])
def test_an_order_whose_answer_was_lost_is_found_and_not_placed_again(shop: DropShip, lost: int) -> None:
    shop.a.loses = lost

    order, job = shop.fulfilled(shop.order())

    assert shop.a.references == ["ONH-CO000001-sup_a"]
    assert (order["status"], job.status) == ("fulfilled", "succeeded")


def test_control_a_supplier_that_forgets_references_is_ordered_from_twice(shop: DropShip) -> None:
    """The check above can fail: without the answer to `find` the lost order would be placed again."""
    shop.a.loses = 1
    vars(shop.a)["find"] = lambda _: None

    shop.fulfilled(shop.order())

    assert shop.a.references == ["ONH-CO000001-sup_a"] * 2


def test_a_supplier_that_stays_silent_fails_the_job_and_the_next_run_asks_first(shop: DropShip) -> None:
    shop.a.loses, shop.b.loses = 0, 0
    shop.a.late = 99
    kept = shop.order()
    order, job = shop.fulfilled(kept)
    assert (job.status, job.dead_letter, order["status"]) == ("failed", True, "fulfillment_failed")
    refused = shop.operator.patch(f"/api/v1/orders/{order['id']}/status", {"status": "cancelled"})
    assert refused.status == 409, "the supplier may have the order"

    shop.a.late = 0
    shop.a.asked.clear()
    order, job = shop.fulfilled(kept, supplier_id="sup_b")

    assert shop.a.asked == ["ONH-CO000001-sup_a"]
    assert (shop.a.references, shop.b.references, order["status"]) == ([], ["ONH-CO000001-sup_b"], "fulfilled")


def test_what_one_supplier_may_have_is_never_given_to_another(shop: DropShip) -> None:
    shop.a.loses = 99
    vars(shop.a)["find"] = _silent(shop)
    kept = shop.order()
    shop.fulfilled(kept)
    del vars(shop.a)["find"]

    order, _ = shop.fulfilled(kept, supplier_id="sup_b")

    assert (shop.a.references, shop.b.references) == (["ONH-CO000001-sup_a"], [])
    assert (order["status"], items(order, "supplier_order_id")) == ("fulfilled", [("S-1",), ("S-1",)])


def _silent(shop: DropShip) -> Any:
    """Return a `find` that answers while nothing was taken, and is lost afterwards."""

    def find(_: str) -> None:
        if shop.a.placed:
            raise Transient("lost", "No answer.")

    return find


def test_one_live_job_per_order_is_joined(shop: DropShip) -> None:
    order = shop.order()

    first, second = shop.fulfil(order), shop.fulfil(order)

    assert (first.json["joined"], second.json["joined"]) == (False, True)
    assert first.json["job_id"] == second.json["job_id"]
    shop.finish(first)
    assert len(shop.a.placed) == 1


def test_every_task_delivered_five_times_orders_once(shop: DropShip) -> None:
    answer = shop.fulfil(shop.order())
    job = shop.app.jobs.record(answer.json["job_id"])
    body = {"job_id": job.id, "step": 0, "lease_epoch": 1, "payload": {}}

    told = [shop.queue().post("/internal/tasks/fulfil-order", body).json["status"] for _ in range(5)]
    shop.finish(answer)

    assert told == ["succeeded"] * 5
    assert len(shop.a.placed) == 1


def test_a_cancelled_job_orders_nothing_and_leaves_the_order_pending(shop: DropShip) -> None:
    kept = shop.order()
    answer = shop.fulfil(kept)
    shop.app.jobs.cancel(answer.json["job_id"])
    shop.work()

    assert (shop.a.placed, shop.read(kept)["status"]) == ([], "pending")
    assert shop.fulfilled(kept)[0]["status"] == "fulfilled"


def test_an_order_past_fulfilment_is_409(shop: DropShip) -> None:
    order, _ = shop.fulfilled(shop.order())

    answer = shop.unchanged(lambda: shop.fulfil(order))

    assert (answer.status, answer.json["current"]) == (409, "fulfilled")
    assert shop.fulfil({"id": "cor_none"}).status == 404


def test_bulk_starts_a_job_for_each_order_and_names_the_others(shop: DropShip) -> None:
    first, second = shop.order(), shop.order()
    done, _ = shop.fulfilled(shop.order())
    body = {"order_ids": [first["id"], "cor_none", second["id"], done["id"]], "supplier_preference": "sup_b"}

    told = shop.operator.post("/api/v1/orders/bulk-fulfill", body)
    shop.work()

    assert (told.status, len(told.json["job_ids"])) == (202, 2)
    assert [(one["order_id"], one["error"]) for one in told.json["failed"]] == [
        ("cor_none", "Not found"),
        (done["id"], "Invalid state"),
    ]
    assert sorted(shop.b.references) == ["ONH-CO000001-sup_b", "ONH-CO000002-sup_b"]


def test_the_sweep_fulfils_what_is_to_be_fulfilled_by_itself_once(shop: DropShip) -> None:
    wanted, other = shop.order(auto_fulfill=True), shop.order()

    slot = {"X-CloudScheduler-ScheduleTime": "2026-01-15T10:35:00Z"}
    first = shop.queue().post("/internal/schedules/fulfil-pending", headers=slot)
    again = shop.queue().post("/internal/schedules/fulfil-pending", headers=slot)
    shop.work()
    later = shop.queue().post("/internal/schedules/fulfil-pending")

    assert (first.status, first.json) == (202, again.json)
    assert later.json == {"job_ids": []}
    assert (shop.read(wanted)["status"], shop.read(other)["status"]) == ("fulfilled", "pending")
    assert len(shop.a.placed) == 1


def test_an_order_that_was_decided_on_meanwhile_stops_no_other_of_the_sweep(shop: DropShip) -> None:
    gone, wanted = shop.order(auto_fulfill=True), shop.order(auto_fulfill=True)
    stored = shop.app.store.get(customer_key(gone["id"]))
    assert stored is not None
    shop.app.documents.commit([Put(stored.key, {**stored.data, "status": "cancelled"}, stored.version)])

    swept = shop.queue().post("/internal/schedules/fulfil-pending")
    shop.work()

    assert (swept.status, len(swept.json["job_ids"])) == (202, 1)
    assert (shop.read(gone)["status"], shop.read(wanted)["status"]) == ("cancelled", "fulfilled")


def test_a_second_group_with_the_same_supplier_has_a_reference_of_its_own(shop: DropShip) -> None:
    shop.links[shop.cup] = [Link(shop.cup, "sup_a", supplier_stock=9)]
    kept = shop.order({"product_id": shop.cup, "quantity": 1}, {"product_id": shop.pen, "quantity": 1})
    shop.fulfilled(kept)
    shop.links[shop.pen] = [Link(shop.pen, "sup_a", supplier_stock=9)]

    order, _ = shop.fulfilled(kept)

    assert shop.a.references == ["ONH-CO000001-sup_a", "ONH-CO000001-sup_a-2"]
    assert (order["status"], items(order, "supplier_order_id")) == ("fulfilled", [("S-1",), ("S-2",)])
