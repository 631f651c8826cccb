"""Schedules by a cron rule: checked when made, once per slot, one catch-up after downtime, in the zone's own time."""

from typing import Any

import pytest

from tests.http.inventory.builders import ok
from tests.http.suppliers.market import Market

PATH = "/api/v1/sync/schedule"
HOUR = 3600


def scheduled(market: Market, **more: Any) -> dict[str, Any]:
    """Make a schedule of a connection to BigBuy."""
    body = {"sync_type": "stock", "supplier_id": market.connect("bigbuy")["id"], "frequency": "cron", **more}
    made: dict[str, Any] = ok(market.manager().post(PATH, body), 201)
    return made


def test_a_rule_runs_once_per_slot_with_one_catch_up(market: Market) -> None:
    made = scheduled(market, cron="30 */6 * * *", timezone="Europe/Paris")
    app, clock = market.shop.app, market.shop.clock

    fired = [len(app.sync_schedules.fire())]
    for hours in (6, 0, 48, 0.1):
        clock.advance(hours * HOUR)
        fired.append(len(app.sync_schedules.fire()))

    assert (made["frequency"], made["cron"]) == ("cron", "30 */6 * * *")
    assert fired == [0, 1, 0, 1, 0]


def test_a_rule_is_about_the_times_of_its_zone(market: Market) -> None:
    made = scheduled(market, cron="0 3 * * *", timezone="Asia/Kolkata")

    assert made["next_run_at"].endswith("T21:30:00Z")


@pytest.mark.parametrize(
    "times",
    [
        {"cron": "* * * *"},
        {"cron": "61 * * * *"},
        {"cron": "0 0 30 2 *"},
        {"cron": None},
        {"frequency": "daily", "cron": "0 3 * * *"},
    ],
)
def test_a_rule_that_is_none_is_refused_when_made_and_when_changed(market: Market, times: dict[str, Any]) -> None:
    made = scheduled(market, cron="0 3 * * *")
    path = f"{PATH}/{made['id']}"
    body = {"sync_type": "products", "supplier_id": made["supplier_id"], "frequency": "cron", **times}

    answers = [market.manager().post(PATH, body), market.manager().patch(path, times)]

    assert [(one.status, one.json["errors"][0]["pointer"]) for one in answers] == [(422, "/cron")] * 2
    assert ok(market.manager().get(path)) == made


def test_a_schedule_becomes_one_by_rule_and_back(market: Market) -> None:
    made = scheduled(market, cron="0 3 * * *")
    path = f"{PATH}/{made['id']}"

    daily = ok(market.manager().patch(path, {"frequency": "daily", "cron": None}))
    again = ok(market.manager().patch(path, {"frequency": "cron", "cron": "15 4 * * 1"}))

    assert (daily["frequency"], daily["cron"]) == ("daily", None)
    assert (again["cron"], again["version"]) == ("15 4 * * 1", 3)
    assert ok(market.manager().patch(path, again))["version"] == 3
