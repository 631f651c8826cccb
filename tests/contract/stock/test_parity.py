"""C03: the same story told to every store has the same answers and the same end; and what each operation reads and writes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.core.ids import SequentialIds
from shared.ports.documents import Documents, Query
from tests.http.inventory.builders import Shop, a_shop
from tests.stores import Stores, on_stores

STEPS = 60
BASE = "/api/v1/inventory"
ENDS = ("levels", "movements", "product_stock", "reservations", "stores", "warehouse_outbox")


@on_stores("sqlite-file", "firestore-server", "firestore-emulator")
def test_the_same_story_has_the_same_answers_on_every_store(
    documents: Documents, stores: Stores, shapes: Any, tmp_path: Path
) -> None:
    reference = stores.open("sqlite-memory", shapes, tmp_path)

    told = [_told(_a_shop(tmp_path / name, each)) for name, each in (("one", reference), ("two", documents))]

    assert told[0] == told[1]
    assert {status for status, _ in told[0][0]} >= {200, 201, 409}
    reference.close()


def test_control_another_story_ends_otherwise(stores: Stores, shapes: Any, tmp_path: Path) -> None:
    opened = [stores.open("sqlite-memory", shapes, tmp_path) for _ in range(2)]

    told = [_told(_a_shop(tmp_path / str(seed), each), seed=seed) for seed, each in enumerate(opened)]

    assert told[0] != told[1]


@dataclass
class At:
    """A shop, its default store, and the level of cups in it."""

    shop: Shop
    store: str
    level: str

    def read(self, path: str, **query: Any) -> Any:
        """Read a path."""
        return self.shop.viewer.get(f"{BASE}{path}", limit=2, **query)

    def adjust(self, key: str | None = None, **said: Any) -> Any:
        """Add a cup."""
        headers = {"Idempotency-Key": key} if key else {}
        named = {} if said.keys() & {"sku", "product_id"} else {"product_id": "prd_cup"}
        return self.shop.operator.post(f"{BASE}/adjust", {**named, **said, "quantity": 1}, headers=headers)

    def reserve(self) -> Any:
        """Hold a cup."""
        body = {"product_id": "prd_cup", "quantity": 1, "store_id": self.store}
        return self.shop.operator.post(f"{BASE}/reservations", body)


# What is done; how many documents that reads and writes on a level that exists. Lists read one row more than they show; a
# change of stock near a threshold also marks its level for the check of alerts. A key is one read and one write more.
COSTS: dict[str, tuple[Callable[[At], Any], int, int]] = {
    "read a level": (lambda at: at.shop.viewer.get(f"{BASE}/{at.level}"), 1, 0),
    "adjust": (lambda at: at.adjust(store_id=at.store), 2, 5),
    "adjust at the default store": (At.adjust, 3, 5),
    "adjust by SKU at the default store, once only": (lambda at: at.adjust("k1", sku="CUP"), 5, 6),
    "adjust far above the threshold": (lambda at: at.adjust(store_id=at.store, product_id="prd_plenty"), 2, 4),
    "adjust far above the threshold, once only": (
        lambda at: at.adjust("k1", store_id=at.store, product_id="prd_plenty"),
        3,
        5,
    ),
    "reserve": (At.reserve, 2, 4),
    "list levels": (lambda at: at.read(""), 1 + 3, 0),
    "list levels filtered": (lambda at: at.read("", store_id=at.store, category="Kitchen"), 1 + 3, 0),
    "list low stock": (lambda at: at.read("/low-stock"), 1 + 3, 0),
    "list movements": (lambda at: at.read("/movements"), 3, 0),
    "list the warehouse": (lambda at: at.read("/warehouse"), 1 + 6, 0),
}


@on_stores("sqlite-memory", "firestore-server")
@pytest.mark.parametrize("name", COSTS)
def test_an_operation_reads_and_writes_so_many_documents(documents: Documents, tmp_path: Path, name: str) -> None:
    shop = _a_shop(tmp_path, documents)
    for number in range(6):
        product = shop.product("CUP" if number == 0 else f"SKU{number}", category="Kitchen")
        shop.stock(product, 5)
    if "far above" in name:
        shop.stock(shop.product("PLENTY"), 500)
    action, reads, writes = COSTS[name]
    store = shop.app.stores.ensure_default()
    at = At(shop, store, shop.level("prd_cup", store)["id"])
    documents.counts.reset()

    answer = action(at)

    assert answer.status in {200, 201}, answer.json
    assert (documents.counts.reads, documents.counts.writes) == (reads, writes)


def _a_shop(folder: Path, documents: Documents) -> Shop:
    folder.mkdir(exist_ok=True)
    shop = a_shop(folder, documents)
    shop.app.ids = SequentialIds()
    return shop


def _told(shop: Shop, seed: int = 3) -> tuple[list[tuple[int, Any]], dict[str, Any]]:
    """Tell a random but fixed story; return every answer, and what is stored at the end."""
    rng = random.Random(seed)
    products = [shop.product(sku, category="Kitchen") for sku in ("CUP", "BOWL")]
    places = [shop.store("North Hub"), shop.store("South Hub", region="South")]
    held: list[str] = []
    answers = [_step(shop, rng, (products, places, held)) for _ in range(STEPS)]
    ends = {
        name: sorted(((stored.key.id, stored.data) for stored in shop.app.store.walk(Query(name))), key=str)
        for name in ENDS
    }
    return answers, ends


def _step(shop: Shop, rng: random.Random, world: tuple[list[str], list[str], list[str]]) -> tuple[int, Any]:
    products, places, held = world
    product, place, units = rng.choice(products), rng.choice(places), rng.randint(1, 9)
    pair = {"product_id": product, "store_id": place}
    shop.clock.advance(rng.choice([0, 1, 20]))
    match rng.randrange(7):
        case 0 | 1:
            answer = shop.operator.post(f"{BASE}/adjust", {**pair, "quantity": rng.choice([units, -units])})
        case 2:
            move = {"product_id": product, "from_store_id": places[0], "to_store_id": places[1], "quantity": units}
            answer = shop.operator.post(f"{BASE}/transfer", move)
        case 3:
            answer = shop.operator.post(f"{BASE}/reservations", {**pair, "quantity": units, "ttl_seconds": 30})
            held += [answer.json["id"]] if answer.status == 201 else []
        case 4:
            name = rng.choice(held) if held else "res_none"
            answer = shop.operator.post(f"{BASE}/reservations/{name}/{rng.choice(['commit', 'release'])}")
        case 5:
            answer = shop.viewer.get(BASE, sort=rng.choice(["sku", "available"]), region=rng.choice(["North", "all"]))
        case _:
            answer = shop.viewer.get(f"{BASE}/movements", product_id=product, limit=3)
    body = dict(answer.json)
    body.pop("request_id", None)
    return answer.status, {**body, "next_cursor": None}
