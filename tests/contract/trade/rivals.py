"""Many callers of every kind of mutation at the last units of a product: as a program, one of several processes at one store.

`python -m tests.contract.trade.rivals URL EMULATOR` says "ready" and then reads lines `{"kind", "product", "names", "callers",
"ahead", "seed"}`: for each it lets so many callers act at once, on a clock so many seconds ahead, and prints how they fared and
how long the slowest took.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.core.clock import SystemClock
from shared.core.errors import Problem
from shared.inventory.change_models import LevelPatch, TransferBody
from shared.inventory.keys import level_id
from shared.orders.rules import Move, Status
from shared.ports.documents import Documents
from shared.sales.models import NewReturn
from shared.sales.returns import Returns
from tests.contract.stock.buyers import fared, opened
from tests.contract.trade.market import MANAGER, PRICES, Market, a_market
from tests.unit.inventory.builders import OPERATOR

__all__ = ["KINDS", "Round", "acted", "deeds"]

KINDS = ("adjust", "reserve", "purchase", "transfer", "fulfil")
"""What takes one unit from a shelf; `fulfil` approves an order of its own (which holds the unit) and fulfils it."""

Deed = Callable[[], object]
_STEPS = 12
_STORES = ("main", "other")


@dataclass(frozen=True)
class Round:
    """What the callers of one process are to do: `names` are orders or reservations, or what a writer has seen."""

    kind: str
    product: str
    names: Sequence[str]
    callers: int
    ahead: float = 0.0
    seed: int = 0


def deeds(market: Market, told: Round) -> list[Deed]:
    """Return what each caller does."""
    if told.kind == "fulfil":
        return [lambda name=name: _fulfilled(market, name) for name in told.names]  # type: ignore[misc]
    if told.kind == "history":
        seeds = range(told.seed, told.seed + told.callers)
        return [lambda seed=seed: _history(market, random.Random(seed)) for seed in seeds]  # type: ignore[misc]
    one: dict[str, Deed] = {
        "adjust": lambda: market.stock.adjust(told.product, -1),
        "reserve": lambda: market.stock.reserve(told.product, 1, None),
        "purchase": lambda: market.buy((told.product, 1)),
        "transfer": lambda: _transferred(market, told.product, 1),
        "finish": lambda: _moved(market, told.names[0], Status.FULFILLED),
        "commit": lambda: market.stock.commit(told.names[0]),
        "expected": lambda: _written(market, told.product, LevelPatch(on_hand=0, expected_quantity=int(told.names[0]))),
        "version": lambda: _written(market, told.product, LevelPatch(on_hand=0, version=int(told.names[0]))),
    }
    return [one[told.kind]] * told.callers


def acted(market: Market, told: Round) -> dict[str, Any]:
    """Let callers act at once; return how they fared, and the seconds of the slowest."""
    took: list[float] = []

    def timed(deed: Deed) -> None:
        began = time.monotonic()
        try:
            deed()
        finally:
            took.append(time.monotonic() - began)

    outcomes = fared([lambda deed=deed: timed(deed) for deed in deeds(market, told)])  # type: ignore[misc]
    return {"outcomes": outcomes, "slowest": max(took)}


def _history(market: Market, rng: random.Random) -> None:
    """Do some steps of every kind at random; what is refused, or fails for want of time, leaves nothing."""
    held: list[str] = []
    sold: list[str] = []
    for _ in range(_STEPS):
        with suppress(Problem):
            _step(market, rng, held, sold)


def _step(market: Market, rng: random.Random, held: list[str], sold: list[str]) -> None:
    stock, product, units, store = market.stock, rng.choice(sorted(PRICES)), rng.randint(1, 4), rng.choice(_STORES)
    basket = [(product, units), (rng.choice(sorted(PRICES)), 1)]
    can: list[Deed] = [
        lambda: stock.adjust(product, units, store),
        lambda: stock.adjust(product, -units, store),
        lambda: held.append(stock.reserve(product, units, rng.choice([10, None]), store)["id"]),
        lambda: sold.append(market.buy(*basket).key.id),
        lambda: _transferred(market, product, units),
        lambda: _fulfilled(market, market.order(units, product).key.id),
    ]
    if held:
        can += [lambda: stock.commit(held.pop()), lambda: stock.release(held.pop())]
    if sold:
        can += [lambda whole=whole: _given_back(market, rng.choice(sold), whole=whole) for whole in (True, False)]  # type: ignore[misc]
    rng.choice(can)()


def _given_back(market: Market, sale_id: str, *, whole: bool) -> None:
    returns = Returns(market.sales)
    if whole:
        returns.void(MANAGER, sale_id, None)
        return
    line = market.sales.get(sale_id).data["items"][0]
    wanted = NewReturn.model_validate({"items": [{"product_id": line["product_id"], "quantity": 1}]})
    returns.take_back(MANAGER, sale_id, wanted)


def _transferred(market: Market, product: str, units: int) -> object:
    body = TransferBody(product_id=product, from_store_id="main", to_store_id="other", quantity=units)
    return market.stock.store.atomically(lambda: market.stock.adjustments.transfer(OPERATOR, body))


def _fulfilled(market: Market, order_id: str) -> None:
    _moved(market, order_id, Status.APPROVED)
    _moved(market, order_id, Status.FULFILLED)


def _moved(market: Market, order_id: str, target: Status) -> None:
    market.transfers.move(order_id, Move(target, MANAGER))


def _written(market: Market, product: str, patch: LevelPatch) -> object:
    level = level_id("main", product)
    return market.stock.store.atomically(lambda: market.stock.levels.change(MANAGER, level, patch))


def _at(documents: Documents, ahead: float) -> Market:
    return a_market(documents, SystemClock(lambda: ahead), seed=False)


def _main(url: str, emulator: str) -> None:
    documents = opened(url, emulator)
    _at(documents, 0).stock.level("cup")
    print("ready", flush=True)
    for line in sys.stdin:
        told = Round(**json.loads(line))
        print(json.dumps(acted(_at(documents, told.ahead), told)), flush=True)
    documents.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
