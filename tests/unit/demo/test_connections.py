"""The demo shop is connected with what the local run simulates, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.demo.connections import connections_with
from local.demo.load import load
from local.environment import local_environment
from local.simulators import AliExpress, BigBuy, Options, Shop
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.ports.documents import Query


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[tuple[Any, dict[str, int]]]:
    """Give an application beside simulators, and their ports."""
    clock, few = ManualClock(), Options(size=5)
    with BigBuy(clock, few) as bigbuy, AliExpress(clock, few) as aliexpress, Shop(clock, few) as shop:
        ports = {"bigbuy": bigbuy.port, "aliexpress": aliexpress.port, "shop": shop.port}
        given = dict(local_environment({"DATA_DIR": str(tmp_path), "STORE_URL": "sqlite:///:memory:"}).variables)
        given |= {"BIGBUY_BASE_URL": bigbuy.origin, "ALIEXPRESS_BASE_URL": aliexpress.origin}
        given["FETCH_ALLOW_HOSTS"] = ",".join(f"127.0.0.1:{port}" for port in ports.values())
        app = App(Settings.from_env(given), clock)
        yield app, ports
        app.close()


def connected(app: Any) -> dict[str, str]:
    """Return the name and state of each connection by its kind."""
    return {
        stored.data["supplier_type"]: f"{stored.data['name']} {stored.data['status']}"
        for stored in app.store.walk(Query("suppliers"))
    }


def test_what_is_simulated_is_connected_once(simulated: tuple[Any, dict[str, int]]) -> None:
    app, ports = simulated
    seed = connections_with(ports)

    assert load(app, (("connections", seed),)) == ["connections"]
    seed(app)

    assert app.store.count(Query("suppliers")) == 3
    assert connected(app) == {
        "bigbuy": "BigBuy connected",
        "aliexpress": "AliExpress connected",
        "feed": "Web shop feed connected",
    }


def test_a_vendor_that_is_talked_to_elsewhere_is_left_alone(simulated: tuple[Any, dict[str, int]]) -> None:
    app, ports = simulated

    connections_with({"shop": ports["shop"]})(app)

    assert connected(app) == {"feed": "Web shop feed connected"}
