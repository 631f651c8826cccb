"""R06: orders ship and arrive while ShipBob is read; a frozen window loses and doubles nothing.

The model: orders have a creation time; between two pages some waiting orders ship and some new ones arrive. The control
pages the set of orders without tracking, as the older backend does, and loses orders.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.fetch import Answer
from shared.core.clock import instant
from shared.ports.fetch import Request
from tests.unit.sources.builders import a_shipbob, answer, query_of, shipbob_order, walk

SEEDS = 200
START = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


class Changing:
    """A shop whose orders ship and arrive before every answer but the first."""

    def __init__(self, seed: int, *, headers: bool) -> None:
        """Make 60 to 120 waiting orders over the last 80 days."""
        self.rng = random.Random(seed)
        self.headers = headers
        count = self.rng.randint(60, 120)
        made = sorted(START - timedelta(seconds=self.rng.randint(1, 80 * 86_400)) for _ in range(count))
        self.made = dict(enumerate(made, start=1))
        self.shipped: set[int] = set()
        self.at_start = set(self.made)
        self.calls = 0

    def change(self) -> None:
        """Ship some and let some arrive."""
        waiting = sorted(self.made.keys() - self.shipped)
        self.shipped |= set(self.rng.sample(waiting, min(len(waiting), self.rng.randint(0, 4))))
        for _ in range(self.rng.randint(0, 3)):
            number = max(self.made) + 1
            self.made[number] = START + timedelta(seconds=self.calls)

    def record(self, number: int) -> dict[str, Any]:
        """Return an order as ShipBob would show it now."""
        state = "Completed" if number in self.shipped else "Exception"
        return shipbob_order(number, created_date=instant(self.made[number]), shipment_status=state)

    def frozen(self, request: Request) -> Answer:
        """Answer as ShipBob does: by creation time."""
        query = query_of(request)
        numbers = [
            number
            for number, made in sorted(self.made.items(), key=lambda pair: pair[1])
            if query["StartDate"] <= instant(made) <= query["EndDate"]
        ]
        return self.page(numbers, query)

    def shrinking(self, request: Request) -> Answer:
        """Answer as if the list held only orders without tracking."""
        waiting = sorted(self.made.keys() - self.shipped, key=self.made.__getitem__)
        return self.page(waiting, query_of(request))

    def page(self, numbers: list[int], query: dict[str, str]) -> Answer:
        """Return one page of them, after the world has moved on."""
        self.calls += 1
        page, limit = int(query["Page"]), int(query["Limit"])
        rows = [self.record(number) for number in numbers[(page - 1) * limit : page * limit]]
        told = {"Total_Pages": str(-(-len(numbers) // limit)), "Total_Count": str(len(numbers))} if self.headers else {}
        self.change()
        return answer(rows, 200, **told)


def read(shop: Changing, script: Callable[[Request], Answer], **options: Any) -> list[int]:
    """Walk to the end; return the numbers of all records seen held."""
    source, _, clock = a_shipbob(script, page_size=7, **options)
    return [int(order_id) for order_id in walk(source, clock)]


def test_a_frozen_window_loses_and_doubles_nothing() -> None:
    pages = 0
    for seed in range(SEEDS):
        shop = Changing(seed, headers=seed % 2 == 0)
        seen = read(shop, shop.frozen, lookback_days=90, window_days=30)
        pages += shop.calls

        assert len(seen) == len(set(seen)), f"seed {seed}: doubled"
        assert shop.at_start - shop.shipped <= set(seen) <= shop.at_start, f"seed {seed}: lost or invented"
    print(f"{SEEDS} seeds, {pages} pages: nothing lost, nothing doubled")


def test_the_control_that_pages_a_shrinking_set_loses_orders() -> None:
    lost = 0
    for seed in range(SEEDS):
        shop = Changing(seed, headers=False)
        seen = read(shop, shop.shrinking, lookback_days=30, window_days=30, check_total=False)
        lost += bool(shop.at_start - shop.shipped - set(seen))
    print(f"control: {lost} of {SEEDS} seeds lost orders")

    assert lost > SEEDS // 2
