"""The audit of every night: silent while stock is right, an alert while it is not, once however often it is asked for."""

from typing import Any

import pytest

from shared.inventory.audit import StockAudit
from shared.inventory.keys import LEVELS
from shared.jobs.kinds import Done
from shared.jobs.step import Step
from shared.ports.documents import Put, Query
from tests.http.inventory.builders import Shop, ok
from tests.http.settling import settle

NIGHT = "2026-01-16T01:30:00Z"
PATH = "/api/v1/inventory"


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give a shop with three levels and a reservation."""
    store = shop.store("North Hub")
    for number in range(3):
        shop.stock(shop.product(f"SKU-{number}"), 5 + number, store)
    body = {"product_id": "prd_sku-1", "store_id": store, "quantity": 2}
    ok(shop.operator.post(f"{PATH}/reservations", body), 201)
    return shop


def audited(shop: Shop, slot: str = NIGHT) -> dict[str, Any]:
    """Fire the schedule, do what waits, look at alerts as every hour; return the job."""
    started = shop.app.schedule_runner.fire("audit-stock", slot)
    assert started is not None
    (job_id,) = started
    settle(shop.app)
    shop.app.check_alerts()
    return dict(ok(shop.manager.get(f"/api/v1/jobs/{job_id}")))


def alerts(shop: Shop) -> list[tuple[str, str]]:
    """Return the alerts about jobs with their states."""
    found = ok(shop.viewer.get("/api/v1/alerts?status=all"))["items"]
    return [(one["dedupe_key"], one["status"]) for one in found if one["alert_type"] == "job_failed"]


def spoil(shop: Shop, product_id: str, units: int) -> str:
    """Let a level hold other units than its ledger explains; return its id."""
    (level,) = shop.app.store.query(Query(LEVELS, (("product_id", product_id),)))
    shop.app.documents.commit([Put(level.key, {**level.data, "on_hand": units}, level.version)])
    return level.key.id


def test_a_night_with_right_stock_says_nothing(stocked: Shop) -> None:
    job = audited(stocked)

    assert (job["status"], job["result"], alerts(stocked)) == ("succeeded", {"checked": 3}, [])


def test_a_level_that_differs_opens_an_alert_until_it_is_repaired(stocked: Shop) -> None:
    level_id = spoil(stocked, "prd_sku-2", 99)
    before = ok(stocked.viewer.get(f"{PATH}/{level_id}"))

    job = audited(stocked)

    assert (job["status"], job["error"]["code"]) == ("failed", "stock_differs")
    (item,) = ok(stocked.manager.get(f"/api/v1/jobs/{job['id']}/items"))["items"]
    assert (item["key"], item["code"], item["message"]) == (level_id, "stock_differs", "on_hand is 99, booked are 7")
    assert alerts(stocked) == [("job_failed:audit-stock:", "active")]
    assert ok(stocked.viewer.get(f"{PATH}/{level_id}")) == before  # it looks, and changes nothing

    ok(stocked.admin.post(f"{PATH}/audit/repair", {"inventory_ids": [level_id]}))
    stocked.later(24 * 3600)
    assert audited(stocked, "2026-01-17T01:30:00Z")["status"] == "succeeded"
    assert alerts(stocked) == [("job_failed:audit-stock:", "resolved")]


def test_a_slot_that_is_delivered_again_starts_no_other_audit(stocked: Shop) -> None:
    runner = stocked.app.schedule_runner
    first = runner.fire("audit-stock", NIGHT)
    settle(stocked.app)

    assert runner.fire("audit-stock", NIGHT) == first
    assert len(ok(stocked.manager.get("/api/v1/jobs?job_type=audit-stock"))["items"]) == 1


def test_an_audit_that_does_not_look_is_found_out(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with this variant the check of the second test fails."""

    def blind(_: StockAudit, step: Step) -> Done:
        return Done({"checked": step.counts.get("checked", 0)})

    monkeypatch.setattr(StockAudit, "watch", blind)
    spoil(stocked, "prd_sku-2", 99)

    assert (audited(stocked)["status"], alerts(stocked)) == ("succeeded", [])
