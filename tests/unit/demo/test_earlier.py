"""The demo shop has a yesterday: orders that were held and have left, and no sign of a refresh before the first one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.demo.earlier import HELD_THEN, earlier_with
from local.demo.load import load
from tests.installation import Installation, installed

SOURCES = ("shipbob", "stord")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    """Give an installation whose store is empty, and its yesterday."""
    with installed(tmp_path, size=1_500) as made:
        load(made.app, (("earlier refresh", earlier_with(made.simulators)),))
        yield made


def orders(shop: Installation, source: str, state: str) -> list[dict[str, Any]]:
    """Return what an operator reads."""
    told: list[dict[str, Any]] = shop.get(
        f"/api/v1/oos/orders?source={source}&state={state}&reason=all&limit=1000"
    ).json["items"]
    return told


@pytest.mark.parametrize("source", SOURCES)
def test_open_and_resolved_orders_are_there_after_the_first_refresh(shop: Installation, source: str) -> None:
    run = shop.refresh(source)

    resolved = orders(shop, source, "resolved")
    assert (len(resolved), run["resolved"]) == (HELD_THEN, 0)
    assert all((order["age_hours"], order["episode"]) == (24.0, 1) for order in resolved)
    assert {order["resolved_reason"] for order in resolved} >= {"shipped", "cancelled"}
    assert len(orders(shop, source, "open")) == run["held"] > 0
    history = shop.get(f"/api/v1/oos/history?source={source}&from=2026-01-01&to=2027-01-01").json["items"]
    assert [order["order_id"] for order in history] == [order["order_id"] for order in resolved]


def test_nothing_looks_refreshed_before_the_first_refresh(shop: Installation) -> None:
    status = shop.get("/api/v1/refresh/status").json

    assert shop.get("/api/last-refresh-time").status_code == 404
    assert status["last_refresh_time"] is None
    for one in status["sources"]:
        assert (one["last_success_at"], one["last_attempt_at"], one["snapshot_id"], one["open_orders"]) == (
            None,
        ) * 3 + (0,)
    assert shop.get("/api/v1/refresh/runs").json["items"] == []
    assert [orders(shop, source, "open") for source in SOURCES] == [[], []]


@pytest.mark.parametrize("source", SOURCES)
def test_the_worlds_hold_today_what_they_would_hold_anyway(shop: Installation, source: str, tmp_path: Path) -> None:
    with installed(tmp_path / "other", size=1_500) as untouched:
        expected = untouched.simulators[source].truth()

    assert shop.simulators[source].truth() == expected


def test_a_source_that_was_read_gets_no_yesterday(tmp_path: Path) -> None:
    with installed(tmp_path, size=1_500) as shop:
        shop.refresh("stord")
        earlier_with(shop.simulators)(shop.app)

        assert [len(orders(shop, source, "resolved")) for source in SOURCES] == [HELD_THEN, 0]
