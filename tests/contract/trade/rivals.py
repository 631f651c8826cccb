"""Many callers of every kind of mutation at the last units of a product: as a program, one of several processes at one store.

`python -m tests.contract.trade.rivals URL EMULATOR` says "ready" and then reads lines `{"kind", "product", "orders", "callers"}`:
for each it lets so many callers act at once and prints how they fared and how long the slowest took.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from shared.core.clock import SystemClock
from shared.inventory.models import TransferBody
from shared.orders.rules import Move, Status
from tests.contract.stock.buyers import fared, opened
from tests.contract.trade.market import MANAGER, Market, a_market
from tests.unit.inventory.builders import OPERATOR

__all__ = ["KINDS", "acted", "deeds"]

KINDS = ("adjust", "reserve", "purchase", "transfer", "fulfil")
"""What takes one unit from a shelf; `fulfil` approves an order of its own (which holds the unit) and fulfils it."""

Deed = Callable[[], object]


def deeds(market: Market, kind: str, product: str, orders: Sequence[str], callers: int) -> list[Deed]:
    """Return what each caller does: take one unit, or see to one order."""
    if kind == "fulfil":
        return [lambda name=name: _fulfilled(market, name) for name in orders]  # type: ignore[misc]
    if kind == "finish":
        return [lambda: _moved(market, orders[0], Status.FULFILLED)] * callers
    one: dict[str, Deed] = {
        "adjust": lambda: market.stock.adjust(product, -1),
        "reserve": lambda: market.stock.reserve(product, 1, None),
        "purchase": lambda: market.buy((product, 1)),
        "transfer": lambda: _transferred(market, product),
    }
    return [one[kind]] * callers


def acted(market: Market, told: dict[str, Any]) -> dict[str, Any]:
    """Let callers act at once; return how they fared, and the seconds of the slowest."""
    took: list[float] = []

    def timed(deed: Deed) -> None:
        began = time.monotonic()
        try:
            deed()
        finally:
            took.append(time.monotonic() - began)

    own = deeds(market, told["kind"], told["product"], told["orders"], told["callers"])
    outcomes = fared([lambda deed=deed: timed(deed) for deed in own])  # type: ignore[misc]
    return {"outcomes": outcomes, "slowest": max(took)}


def _transferred(market: Market, product: str) -> object:
    body = TransferBody(product_id=product, from_store_id="main", to_store_id="other", quantity=1)
    return market.stock.store.atomically(lambda: market.stock.adjustments.transfer(OPERATOR, body))


def _fulfilled(market: Market, order_id: str) -> None:
    _moved(market, order_id, Status.APPROVED)
    _moved(market, order_id, Status.FULFILLED)


def _moved(market: Market, order_id: str, target: Status) -> None:
    market.transfers.move(order_id, Move(target, MANAGER))


def _main(url: str, emulator: str) -> None:
    documents = opened(url, emulator)
    market = a_market(documents, SystemClock(), seed=False)
    market.stock.level("cup")
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(acted(market, json.loads(line))), flush=True)
    documents.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
