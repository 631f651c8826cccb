"""I01 on the routes that move stock: 32 equal requests at once, and two more, have the effect of one and say the same."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared.http.idempotency import Idempotency
from shared.ports.documents import Documents, Key, Query
from tests.client import Answered
from tests.faults.jobs.volume import LONG, sized
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.stores import on_stores

CALLERS = 32
KEYS = sized(2, 200)
STORES = ("sqlite-file", "firestore-emulator") if LONG else ("sqlite-memory",)
MOVES = {"purchase": 1, "adjust": 1, "transfer": 2, "fulfil": 2}
"""What callers do, and how many movements one of it makes."""
Asked = Callable[[], tuple[str, Any]]


def requests(shop: Shop, kind: str) -> Asked:
    """Return what gives a path and a body, for a product of which there is enough."""
    product = shop.product()
    here, there = shop.app.stores.ensure_default(), shop.store("There")
    shop.stock(product, 10_000, here)
    move = {"product_id": product, "from_store_id": here, "to_store_id": there, "quantity": 3}
    fixed: dict[str, tuple[str, Any]] = {
        "purchase": ("/api/v1/sales", {"items": [{"product_id": product, "quantity": 3}]}),
        "adjust": ("/api/v1/inventory/adjust", {"product_id": product, "quantity": -3}),
        "transfer": ("/api/v1/inventory/transfer", move),
    }

    def approved() -> tuple[str, Any]:
        order = ok(shop.operator.post("/api/v1/transfer-orders", move), 201)["id"]
        ok(shop.manager.post(f"/api/v1/transfer-orders/{order}/approve"))
        return f"/api/v1/transfer-orders/{order}/fulfill", {}

    return approved if kind == "fulfil" else lambda: fixed[kind]


def at_once(shop: Shop, path: str, body: Any, key: dict[str, str]) -> list[Answered]:
    """Send one request from many threads at once, and twice more after that."""
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(lambda _: shop.operator.post(path, body, headers=key), range(CALLERS)))
    return answers + [shop.operator.post(path, body, headers=key) for _ in range(2)]


def check(answers: list[Answered]) -> None:
    """Show that one answered, those who came meanwhile were told to wait, and everybody else got the same answer."""
    done = [answer for answer in answers if answer.status < 300]
    waiting = [answer for answer in answers if answer.status >= 300]
    assert [answer.problem for answer in waiting] == ["IdempotencyInFlight"] * len(waiting)
    assert {answer.headers["Retry-After"] for answer in waiting} <= {"1"}
    assert len({(answer.status, answer.body, answer.headers.get("Location")) for answer in done}) == 1
    assert Counter(answer.headers.get("Idempotency-Replayed") for answer in done) == {None: 1, "true": len(done) - 1}
    assert answers[-1] in done
    assert answers[-2] in done


def run(shop: Shop, kind: str, keys: int) -> None:
    """Use so many keys, each by many at once; show that each had one effect."""
    asked = requests(shop, kind)
    before = shop.app.store.count(Query("movements"))
    for number in range(keys):
        answers = at_once(shop, *asked(), {"Idempotency-Key": f"key-{number}"})

        check(answers)
    assert shop.app.store.count(Query("movements")) - before == keys * MOVES[kind]
    assert shop.app.store.count(Query("sales")) == (keys if kind == "purchase" else 0)
    (level,) = ok(shop.viewer.get("/api/v1/inventory", store_id=shop.app.stores.ensure_default()))["items"]
    assert (level["on_hand"], level["reserved"]) == (10_000 - 3 * keys, 0)


@pytest.mark.parametrize("kind", MOVES)
@on_stores(*STORES)
def test_a_key_used_by_32_at_once_moves_stock_once(documents: Documents, kind: str, tmp_path: Path) -> None:
    run(a_shop(tmp_path, documents), kind, KEYS)


_FRESH = count()


class Forgetful(Idempotency):
    """Knows no key again."""

    def key(self, scope: tuple[str, ...]) -> Key:
        """Find no record of anything."""
        return super().key((*scope, str(next(_FRESH))))


@pytest.mark.parametrize("kind", ["purchase", "adjust", "transfer"])
def test_control_keys_that_are_forgotten_are_seen(kind: str, tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.handle.warm()
    records = Forgetful(lambda: shop.app.store, shop.clock)
    shop.handle._ready.records = lambda: records

    with pytest.raises(AssertionError):
        run(shop, kind, 1)
