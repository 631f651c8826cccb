"""The OOS desk's plan: 2,000 held orders and 20 sites under one second of CPU.

Orders of one to three lines over 300 SKUs as the feed's bench makes them; every SKU lies at a handful of the 20 sites, scarce
enough that a third of the orders cannot be released. The plan's promises are checked after each round.
"""

import random
import time
from collections import Counter
from statistics import median

from bench.harness import Outcome, Void
from shared.oos.plan import Demand, Plan, Supply, plan

__all__ = ["measure"]

ORDERS, SITES, SKUS, ROUNDS = 2_000, 20, 300, 5
GOAL_S = 1.0


def measure() -> Outcome:
    """Plan several instances and take the middle of the CPU seconds."""
    seconds, shown = [], []
    for seed in range(ROUNDS):
        demands, supply = _instance(random.Random(seed))
        began = time.process_time()
        made = plan(demands, supply)
        seconds.append(time.process_time() - began)
        _check(made, supply)
        shown.append(f"{seconds[-1]:.2f} s CPU, {len(made.released)} released, {made.splits} splits")
    worst = max(seconds)
    value = f"{median(seconds):.2f} s CPU in the middle, {worst:.2f} s at worst ({ORDERS:,} orders, {SITES} sites)"
    return Outcome(value, f"< {GOAL_S:.0f} s", passed=worst < GOAL_S, rounds=shown)


def _instance(rng: random.Random) -> tuple[list[Demand], Supply]:
    weights = [1 / (rank + 2) for rank in range(SKUS)]
    demands = []
    for number in range(ORDERS):
        skus = dict.fromkeys(rng.choices(range(SKUS), weights, k=rng.choice((1, 1, 1, 2, 3))))
        lines = tuple((f"L{number}-{sku}", f"SKU-{sku}", rng.randint(1, 5)) for sku in skus)
        demands.append(Demand(f"O{number}", lines))
    needed: Counter[str] = Counter()
    for demand in demands:
        needed.update(dict(demand.units))
    supply = {
        sku: {f"site-{site}": units * rng.randint(0, 30) // 100 for site in rng.sample(range(SITES), rng.randint(1, 8))}
        for sku, units in needed.items()
    }
    return demands, supply


def _check(made: Plan, supply: Supply) -> None:
    """Refuse a measurement of a plan that promises a unit twice."""
    drawn: Counter[tuple[str, str]] = Counter()
    for assignments in made.released.values():
        drawn.update({(one.sku, one.site): 0 for one in assignments})
        for one in assignments:
            drawn[one.sku, one.site] += one.units
    if any(units > supply[sku][site] for (sku, site), units in drawn.items()):
        raise Void("the plan promised a unit twice")
