"""A deployment between two suppliers and a web shop with feeds."""

from pathlib import Path
from typing import Any

from local.simulators import AliExpress, BigBuy, Options
from local.simulators.shop.simulator import Shop as WebShop
from shared.core.caller import Role
from shared.core.clock import ManualClock
from tests.client import Client
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle


class Market:
    """A deployment with both suppliers beside it."""

    def __init__(self, folder: Path) -> None:
        """Start everything."""
        clock = ManualClock()
        self.bigbuy = BigBuy(clock, Options(size=40)).start()
        self.bigbuy.switch(variations="none")
        self.aliexpress = AliExpress(clock, Options(size=10)).start()
        self.web = WebShop(clock, Options(size=5)).start()
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in (self.bigbuy, self.aliexpress, self.web))
        addresses: dict[str, Any] = {
            "BIGBUY_BASE_URL": self.bigbuy.origin,
            "ALIEXPRESS_BASE_URL": self.aliexpress.origin,
        }
        self.shop: Shop = a_shop(folder, None, clock, FETCH_ALLOW_HOSTS=hosts, **addresses)

    def close(self) -> None:
        """Stop everything."""
        self.shop.app.close()
        for one in (self.bigbuy, self.aliexpress, self.web):
            one.stop()

    def manager(self) -> Client:
        """Return a manager whose token is fresh."""
        return self.shop.bound(None, Role.MANAGER)

    def connect(self, kind: str, **more: Any) -> dict[str, Any]:
        """Connect a supplier with its demo credentials."""
        further = {"app_key": "demo-aliexpress-app", "app_secret": "demo-aliexpress-secret"}
        body: dict[str, Any] = {"supplier_type": kind, "api_key": f"demo-{kind}-key"}
        body |= (
            {"additional_config": {**further, "refresh_token": "demo-aliexpress-refresh"}}
            if kind == "aliexpress"
            else {}
        )
        made: dict[str, Any] = ok(self.manager().post("/api/v1/suppliers/connect", {**body, **more}), 201)
        return made

    def sync(
        self, supplier: dict[str, Any], sync_type: str = "products", rounds: int = 3, **options: Any
    ) -> dict[str, Any]:
        """Run a sync to its end, moving time on while it waits; return its run."""
        body = {"supplier_id": supplier["id"], "sync_type": sync_type, **options}
        answer = self.manager().post("/api/v1/suppliers/sync", body)
        assert answer.status == 202, answer.json
        for _ in range(rounds):
            settle(self.shop.app)
            self.shop.clock.advance(700)
        return self.history()[0]

    def history(self, **query: Any) -> list[dict[str, Any]]:
        """Return the syncs, newest first."""
        items: list[dict[str, Any]] = ok(self.manager().get("/api/v1/sync/history", **query))["items"]
        return items

    def products(self, **query: Any) -> list[dict[str, Any]]:
        """Return the catalogue."""
        items: list[dict[str, Any]] = ok(self.manager().get("/api/v1/products", limit=200, sort="sku", **query))[
            "items"
        ]
        return items
