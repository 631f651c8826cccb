"""The demo's 120 days: every state of an order, one history, and nothing twice when it is loaded again."""

from collections import Counter
from pathlib import Path

from local.demo import trade
from local.demo.load import load
from shared.ports.documents import Query
from tests.http.trade.shop import Shop


def counted(shop: Shop) -> dict[str, int]:
    """Return how much there is of everything."""
    names = ("sales", "movements", "transfer_orders", "customer_orders", "levels", "stores", "products")
    return {name: shop.app.store.count(Query(name)) for name in names}


def test_the_demo_holds_what_it_promises_and_is_loaded_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    load(shop.app)
    first = counted(shop)
    trade.seed_trade(shop.app)
    trade.seed_customer_orders(shop.app)

    assert counted(shop) == first
    assert (first["transfer_orders"], first["customer_orders"], first["products"]) == (60, 10, 40)
    assert first["stores"] == 6
    states = Counter(stored.data["status"] for stored in shop.app.store.walk(Query("transfer_orders")))
    assert set(states) == {"pending_review", "approved", "fulfilled", "cancelled"}
    for stored in shop.app.store.walk(Query("levels")):
        pair = (("product_id", stored.data["product_id"]), ("store_id", stored.data["store_id"]))
        moved = sum(one.data["quantity"] for one in shop.app.store.walk(Query("movements", pair)))
        assert stored.data["on_hand"] == moved >= 0
    sold = sum(line["quantity"] for sale in shop.app.store.walk(Query("sales")) for line in sale.data["items"])
    kind = (("transaction_type", "sale"),)
    assert sold == -sum(one.data["quantity"] for one in shop.app.store.walk(Query("movements", kind)))
    times = sorted(str(stored.data["created_at"]) for stored in shop.app.store.walk(Query("sales")))
    assert (times[0][:10], times[-1][:10]) == ("2025-09-17", "2026-01-14")
