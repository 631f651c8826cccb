"""Most orders released, then fewest splits, no unit promised twice: compared with brute force."""

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, product

from shared.oos.plan import Demand, Plan, Supply, plan
from tests.faults.jobs.volume import sized


def instance(rng: random.Random, *, orders: int, skus: int, sites: int, most: int) -> tuple[list[Demand], Supply]:
    """Make a random small instance."""
    names = [f"S{number}" for number in range(skus)]
    demands = []
    for number in range(orders):
        wanted = rng.sample(names, rng.randint(1, min(skus, 3)))
        lines = tuple((f"L{number}-{index}", sku, rng.randint(1, most)) for index, sku in enumerate(wanted))
        demands.append(Demand(f"O{number}", lines))
    supply = {sku: {f"W{site}": rng.randint(0, most + 1) for site in range(sites)} for sku in names}
    return demands, supply


def ways(units: int, caps: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield all ways to draw units from sites."""
    for share in product(*(range(min(units, cap) + 1) for cap in caps)):
        if sum(share) == units:
            yield share


def fewest_splits(demands: tuple[Demand, ...], supply: Supply, sites: list[str]) -> int | None:
    """Return the fewest splits that release all these orders, or None when they cannot all be released."""
    if not demands:
        return 0
    first, rest = demands[0], demands[1:]
    best: int | None = None
    needed = list(first.units.items())
    for shares in product(*(ways(units, [supply[sku].get(site, 0) for site in sites]) for sku, units in needed)):
        left = {sku: dict(at) for sku, at in supply.items()}
        used = set()
        for (sku, _), share in zip(needed, shares, strict=True):
            for site, units in zip(sites, share, strict=True):
                if units:
                    left[sku][site] -= units
                    used.add(site)
        others = fewest_splits(rest, left, sites)
        if others is not None and (best is None or others + len(used) - 1 < best):
            best = others + len(used) - 1
    return best


def brute_force(demands: list[Demand], supply: Supply) -> tuple[int, int]:
    """Return (orders released, splits) of the best plan by trying everything."""
    sites = sorted({site for at in supply.values() for site in at})
    for size in range(len(demands), 0, -1):
        costs = [fewest_splits(group, supply, sites) for group in combinations(demands, size)]
        found = [cost for cost in costs if cost is not None]
        if found:
            return size, min(found)
    return 0, 0


def check_promises(result: Plan, demands: list[Demand], supply: Supply) -> None:
    """No unit twice, every line of a released order served in full, splits counted right, nobody forgotten."""
    drawn: dict[tuple[str, str], int] = defaultdict(int)
    by_order = {demand.order: demand for demand in demands}
    for order, assignments in result.released.items():
        served: dict[str, int] = defaultdict(int)
        for assignment in assignments:
            drawn[assignment.sku, assignment.site] += assignment.units
            served[assignment.line_id] += assignment.units
        assert served == {line_id: units for line_id, _, units in by_order[order].lines}
    assert all(units <= supply[sku][site] for (sku, site), units in drawn.items())
    assert result.splits == sum(len({a.site for a in used}) - 1 for used in result.released.values())
    assert set(result.released) | set(result.missing) == set(by_order)
    assert not set(result.released) & set(result.missing)


def test_the_plan_equals_brute_force_on_500_small_instances() -> None:
    """Orders released and splits are the best possible."""
    rng = random.Random(20260115)
    for _ in range(500):
        demands, supply = instance(
            rng, orders=rng.randint(1, 4), skus=rng.randint(1, 3), sites=rng.randint(1, 3), most=2
        )
        result = plan(demands, supply)

        check_promises(result, demands, supply)
        assert result.exact
        assert (len(result.released), result.splits) == brute_force(demands, supply)


def test_no_unit_is_promised_twice_on_random_instances() -> None:
    """The promises hold on larger instances too, exact or not."""
    rng = random.Random(7)
    for _ in range(sized(2_000, long=10_000)):
        demands, supply = instance(rng, orders=rng.randint(1, 12), skus=5, sites=4, most=5)
        check_promises(plan(demands, supply, work=2_000), demands, supply)
