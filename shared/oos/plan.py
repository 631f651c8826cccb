"""Which held orders can ship from elsewhere: most orders released, then fewest splits, no unit promised twice.

Units of a SKU are interchangeable, so a set of orders can be released exactly when, per SKU, their demand fits the total
supply; where the units come from decides only the splits (sites used by an order beyond its first). Orders that share no
SKU do not compete, so the problem falls apart into components. A component is solved exactly by depth-first branch and
bound within a fixed budget of work, and beyond it by smallest-demand-first with tightest-fit sites: still never promising a
unit twice, but no longer proven best (`Plan.exact` says which).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, combinations

from shared.core.values import dataclass, field

__all__ = ["Assignment", "Demand", "Plan", "Supply", "plan"]

Site = str
Supply = dict[str, dict[Site, int]]
Draw = dict[tuple[str, Site], int]
WORK = 100_000
MOST_SITES = 6


@dataclass(frozen=True)
class Demand:
    """What one order needs to leave: (line id, SKU, units) for each of its held lines."""

    order: str
    lines: tuple[tuple[str, str, int], ...]

    @cached_property
    def units(self) -> Mapping[str, int]:
        """Return the units needed per SKU."""
        needed: dict[str, int] = defaultdict(int)
        for _, sku, units in self.lines:
            needed[sku] += units
        return dict(needed)


@dataclass(frozen=True, slots=True)
class Assignment:
    """So many units for one line from one site."""

    line_id: str
    sku: str
    site: Site
    units: int


@dataclass(slots=True)
class Plan:
    """Released orders with their assignments, what the others miss, and the splits."""

    released: dict[str, list[Assignment]] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    splits: int = 0
    exact: bool = True


class _Spent(Exception):
    """The node budget of a component is used up."""


class _Budget:
    """Counts the work of a search: a node costs as many units as it looks at orders."""

    def __init__(self, work: int) -> None:
        self.left = work

    def spend(self, units: int = 1) -> None:
        self.left -= units
        if self.left < 0:
            raise _Spent


def plan(demands: Sequence[Demand], supply: Mapping[str, Mapping[Site, int]], *, work: int = WORK) -> Plan:
    """Return the best plan; ties fall to the orders named first. Negative supply counts as none."""
    stock: Supply = {sku: {site: n for site, n in sites.items() if n > 0} for sku, sites in supply.items()}
    result = Plan()
    for component in _components(demands, stock):
        chosen, exact = _choose(component, stock, work)
        draws = _draws(component, len(chosen), stock, work)
        result.exact = result.exact and exact and draws is not None
        for demand in chosen if draws is None else [one for one in component if one.order in draws]:
            drawn = draws[demand.order] if draws else _tightest(demand, stock)
            used = result.released[demand.order] = _take(demand, drawn, stock)
            result.splits += len({assignment.site for assignment in used}) - 1
    for demand in demands:
        if demand.order not in result.released:
            result.missing[demand.order] = _lacking(demand, stock)
    return result


def _components(demands: Sequence[Demand], stock: Supply) -> Iterator[list[Demand]]:
    """Group the orders that could be released alone by the SKUs they share."""
    able = [demand for demand in demands if demand.lines and not _lacking(demand, stock)]
    parent: dict[str, str] = {}

    def find(sku: str) -> str:
        while parent.setdefault(sku, sku) != sku:
            parent[sku] = sku = parent[parent[sku]]
        return sku

    for demand in able:
        first, *rest = demand.units
        for sku in rest:
            parent[find(sku)] = find(first)
    groups: dict[str, list[Demand]] = defaultdict(list)
    for demand in able:
        groups[find(demand.lines[0][1])].append(demand)
    yield from groups.values()


def _choose(component: list[Demand], stock: Supply, work: int) -> tuple[list[Demand], bool]:
    """Return the largest set of orders whose demand fits, and whether it is proven largest."""
    totals = {sku: sum(stock.get(sku, {}).values()) for demand in component for sku in demand.units}
    by_size = sorted(component, key=lambda demand: sum(n / totals[sku] for sku, n in demand.units.items()))
    best = _greedy(by_size, totals)
    if len(best) == len(component):
        return component, True
    exact = True
    if any(len(demand.units) > 1 for demand in component):
        found, exact = _search(by_size, totals, len(best), _Budget(work))
        best = found or best
    kept = {demand.order for demand in best}
    return [demand for demand in component if demand.order in kept], exact


def _greedy(by_size: Iterable[Demand], totals: Mapping[str, int]) -> list[Demand]:
    left, taken = dict(totals), []
    for demand in by_size:
        if _fits(demand, left):
            taken.append(demand)
            _subtract(demand, left)
    return taken


def _search(
    by_size: list[Demand], totals: Mapping[str, int], best: int, budget: _Budget
) -> tuple[list[Demand] | None, bool]:
    """Find a larger set than `best` orders, or None, and say whether the search came to its end."""
    found: list[Demand] | None = None
    taken: list[Demand] = []

    def visit(index: int, left: dict[str, int], most: int) -> None:
        nonlocal best, found
        budget.spend(1 + len(by_size) - index)
        if len(taken) > best:
            best, found = len(taken), list(taken)
        if index == len(by_size) or len(taken) + min(len(by_size) - index, most) <= best:
            return
        demand = by_size[index]
        if _fits(demand, left):
            after = dict(left)
            _subtract(demand, after)
            taken.append(demand)
            visit(index + 1, after, _bound(by_size, index + 1, after))
            taken.pop()
        visit(index + 1, left, _bound(by_size, index + 1, left))

    try:
        visit(0, dict(totals), len(by_size))
    except _Spent:
        return found, False
    return found, True


def _bound(by_size: Sequence[Demand], start: int, left: Mapping[str, int]) -> int:
    """Return at most how many of the remaining orders fit, looking at each SKU alone (relaxation of the others)."""
    alone = [demand for demand in by_size[start:] if _fits(demand, left)]
    wants: dict[str, list[int]] = defaultdict(list)
    for demand in alone:
        for sku, units in demand.units.items():
            wants[sku].append(units)
    return min((len(alone) - _over(each, left[sku]) for sku, each in wants.items()), default=len(alone))


def _over(wants: list[int], units: int) -> int:
    """Return how many of the wants for a SKU cannot be met at best: those beyond the smallest that fit."""
    if sum(wants) <= units:
        return 0
    fitting = sum(total <= units for total in accumulate(sorted(wants)))
    return len(wants) - fitting


def _draws(component: list[Demand], released: int, stock: Supply, work: int) -> dict[str, Draw] | None:
    """Return what each of `released` orders draws so that splits are fewest, or None when the budget ran out."""
    try:
        options = {demand.order: _options(demand, stock) for demand in component}
        budget = _Budget(work)
        ceiling = sum(len(groups[-1]) - 1 for groups in options.values())
        for splits in range(ceiling + 1):
            search = _Search(options, budget)
            found = search.deepen(component, stock, splits, len(component) - released)
            if found is not None:
                return found
    except _Spent:
        pass
    return None


def _options(demand: Demand, stock: Supply) -> list[tuple[Site, ...]]:
    """Return the sets of sites that could serve an order alone, smallest first; raise _Spent when there are too many."""
    needed = demand.units
    sites = sorted({site for sku in needed for site in stock[sku]})
    if len(sites) > MOST_SITES:
        raise _Spent
    return [
        group
        for size in range(1, len(sites) + 1)
        for group in combinations(sites, size)
        if all(sum(stock[sku].get(site, 0) for site in group) >= units for sku, units in needed.items())
    ]


@dataclass(slots=True)
class _Search:
    """Depth-first search for draws within given splits and skipped orders."""

    options: Mapping[str, list[tuple[Site, ...]]]
    budget: _Budget

    def deepen(self, demands: list[Demand], stock: Supply, splits: int, skips: int) -> dict[str, Draw] | None:
        """Find draws for all but `skips` orders with at most so many splits, or None."""
        if not demands:
            return {}
        self.budget.spend(len(demands))
        demand, rest = demands[0], demands[1:]
        for group in self.options[demand.order]:
            if len(group) - 1 > splits:
                break
            for drawn in _ways(demand, group, stock, self.budget):
                found = self.deepen(rest, _without(stock, drawn), splits - (len(group) - 1), skips)
                if found is not None:
                    return {demand.order: drawn, **found}
        return self.deepen(rest, stock, splits, skips - 1) if skips else None


def _ways(demand: Demand, group: tuple[Site, ...], stock: Supply, budget: _Budget) -> Iterator[Draw]:
    """Yield every way to serve an order's SKUs from the sites of a group."""
    needed = list(demand.units.items())

    def serve(index: int, used: Draw) -> Iterator[Draw]:
        budget.spend()
        if index == len(needed):
            yield used
            return
        sku, units = needed[index]
        for share in _shares(units, [stock[sku].get(site, 0) for site in group]):
            yield from serve(index + 1, used | {(sku, site): n for site, n in zip(group, share, strict=True) if n})

    yield from serve(0, {})


def _shares(units: int, caps: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the ways to draw units from sites with these amounts."""
    if len(caps) == 1:
        if units <= caps[0]:
            yield (units,)
        return
    rest = sum(caps[1:])
    for first in range(min(units, caps[0]), max(0, units - rest) - 1, -1):
        for others in _shares(units - first, caps[1:]):
            yield (first, *others)


def _tightest(demand: Demand, stock: Supply) -> Draw:
    """Draw from the one site that serves the whole order with least left over, else SKU by SKU from sites already used."""
    needed = demand.units
    sites = {site for sku in needed for site in stock[sku]}
    whole = [site for site in sites if all(stock[sku].get(site, 0) >= units for sku, units in needed.items())]
    if whole:
        site = min(whole, key=lambda one: (sum(stock[sku][one] for sku in needed), one))
        return {(sku, site): units for sku, units in needed.items()}
    drawn: Draw = {}
    used: set[Site] = set()
    for sku, units in needed.items():
        for site in sorted(stock[sku], key=lambda one: (one not in used, -stock[sku][one], one)):
            share = min(units - sum(drawn.get((sku, one), 0) for one in stock[sku]), stock[sku][site])
            if share:
                drawn[sku, site] = share
                used.add(site)
    return drawn


def _take(demand: Demand, drawn: Draw, stock: Supply) -> list[Assignment]:
    """Book what an order draws, line by line, and take it from the stock."""
    purse = dict(drawn)
    taken: list[Assignment] = []
    for line_id, sku, units in demand.lines:
        left = units
        for held, site in [place for place in purse if place[0] == sku]:
            share = min(left, purse[held, site])
            if share:
                taken.append(Assignment(line_id, sku, site, share))
                purse[held, site] -= share
                stock[sku][site] -= share
                left -= share
    return taken


def _without(stock: Supply, drawn: Draw) -> Supply:
    left = dict(stock)
    for (sku, site), units in drawn.items():
        if left[sku] is stock[sku]:
            left[sku] = dict(stock[sku])
        left[sku][site] -= units
    return left


def _fits(demand: Demand, left: Mapping[str, int]) -> bool:
    return all(left.get(sku, 0) >= units for sku, units in demand.units.items())


def _subtract(demand: Demand, left: dict[str, int]) -> None:
    for sku, units in demand.units.items():
        left[sku] -= units


def _lacking(demand: Demand, stock: Supply) -> dict[str, int]:
    """Return the units per SKU that the supply left cannot give an order."""
    short = {sku: units - sum(stock.get(sku, {}).values()) for sku, units in demand.units.items()}
    return {sku: units for sku, units in short.items() if units > 0}
