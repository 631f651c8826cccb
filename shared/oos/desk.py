"""The OOS desk: what an operator asks about stuck orders as a whole. Everything is read from snapshots; nothing is changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.core.clock import Clock, instant
from shared.core.errors import NotFound
from shared.core.money import number
from shared.core.values import dataclass, field
from shared.oos.analytics import Figures, rows_in
from shared.oos.asked import Look, Span
from shared.oos.at_risk import at_risk, line_value
from shared.oos.coverage import Stock, short_lines, units_short
from shared.oos.diff import comparable, difference
from shared.oos.looks import View, Views
from shared.oos.phantom import Phantom, hidden, phantoms
from shared.oos.plan import Demand, Plan, plan
from shared.oos.queue import order_name
from shared.oos.reader import Current, Loaded, SnapshotReader
from shared.oos.resolved import first_seen, resolved_key
from shared.oos.rules import Row
from shared.oos.unblock import unblock
from shared.oos.views import Shown, order_view
from shared.ports.store import Store

__all__ = ["Desk", "SkuRows"]


@dataclass(frozen=True, slots=True)
class SkuRows:
    """The per-SKU view: all rows in order, the snapshots they come from, and the age of the oldest."""

    rows: list[dict[str, Any]]
    snapshots: dict[str, str]
    age_s: int | None


class Desk:
    """Answers questions about all held orders at once."""

    def __init__(self, store: Store, clock: Clock, reader: SnapshotReader, views: Views, currency: str) -> None:
        """Take the store (for resolved orders), time, the snapshots, and the currency shown where a SKU has several."""
        self._store, self._clock, self._reader, self._views = store, clock, reader, views
        self._currency = currency

    def skus(self, look: Look, facilities: Sequence[str], sort: str, *, descending: bool) -> SkuRows:
        """Return the open feed grouped by SKU."""
        views = self._views.of(look)
        groups: dict[str, _Sku] = defaultdict(_Sku)
        for view in views.values():
            for row in view.feed:
                for line in short_lines(row):
                    if line["sku"] and (not facilities or line["facility"] in facilities):
                        groups[line["sku"]].add(row, line)
        rows = [one.shown(sku, self._currency) for sku, one in groups.items()]
        rows.sort(key=lambda row: row["sku"], reverse=descending)
        rows.sort(key=lambda row: (row[sort] is not None, row[sort] or 0), reverse=descending)
        return SkuRows(rows, _snapshot_ids(views), _oldest(views))

    def at_risk(self, look: Look, group_by: str) -> tuple[dict[str, Any], int | None]:
        """Return money at risk, grouped, with totals; and the age of the oldest snapshot."""
        views = self._views.of(look)
        rows = ((row, view.shown.at) for view in views.values() for row in view.feed)
        return at_risk(rows, group_by).shown() | {"snapshot_ids": list(_snapshot_ids(views).values())}, _oldest(views)

    def diff(self, source: str, since: str | datetime, until: str | datetime) -> dict[str, Any]:
        """Return what differs between two snapshots of a source; raise NotFound for one that is not kept."""
        before, after = self._snapshot(source, since, "from"), self._snapshot(source, until, "to")
        old, new = _orders(before), _orders(after)
        entered, left, changed = difference(old, new)
        rows = after.by_id
        return {
            "source": source,
            "from": before.header.id,
            "to": after.header.id,
            "entered": [order_view(rows[key], _shown(after)) for key in entered],
            "left": [{"order_id": key, "resolved_reason": self._why(source, key, after)} for key in left],
            "changed": changed,
        }

    def summary(self, span: Span, sources: Sequence[str]) -> tuple[dict[str, Any], int | None]:
        """Return the analytics of the orders of the feed first seen within a span, open or resolved."""
        views = self._views.of(Look(sources))
        bounds = (instant(span.start), instant(span.end))
        figures = Figures()
        for source in sources:
            seen: set[str] = set()
            view = views.get(source)
            for row in rows_in(view.open if view else (), *bounds):
                seen.add(row["order_id"])
                figures.add(row)
            gone = (stored.data["row"] for stored in first_seen(self._store, source, bounds))
            for row in rows_in(gone, *bounds):
                if row["order_id"] not in seen:
                    figures.add(row)
        shown = figures.shown() | {"last_updated": figures.last_change, "as_of": figures.last_change}
        shown["date_range"] = {"start_date": span.shown[0], "end_date": span.shown[1]}
        return shown | {"snapshot_ids": list(_snapshot_ids(views).values())}, _oldest(views)

    def plan(self, sources: Sequence[str], order_ids: Sequence[str] | None) -> dict[str, Any]:
        """Return which held orders can ship from elsewhere; ids that are not open in the feed are told as unknown."""
        views = self._views.of(Look(sources))
        rows = [row for view in views.values() for row in view.feed]
        if order_ids is not None:
            rows = _wanted(rows, order_ids)
        unknown = sorted(set(order_ids or ()) - {row["order_id"] for row in rows})
        names = {order_name(row["source"], row["order_id"]): row for row in rows}
        able = {name: row for name, row in names.items() if _by_stock(row)}
        demands = [Demand(name, _needs(row)) for name, row in able.items()]
        stock = self._views.stock(Look(), (line[1] for demand in demands for line in demand.lines))
        skus = {line[1] for demand in demands for line in demand.lines}
        made = plan(demands, stock.supply(skus))
        shown = _plan_shown(made, names, able, list(_snapshot_ids(views).values()))
        return shown | {"unknown_orders": unknown}

    def unblock(self, sources: Sequence[str], sku: str, quantity: int, facility: str | None) -> dict[str, Any]:
        """Return which orders release if so many units of a SKU arrive."""
        views = self._views.of(Look(sources))
        found = unblock((row for view in views.values() for row in view.feed), sku, quantity, facility)
        released = [
            {"source": row["source"], "order_id": row["order_id"], "position": position}
            for position, row in enumerate(found.released, start=1)
        ]
        return {"released": released, "used": found.used, "left_over": quantity - found.used}

    def phantoms(self) -> Sequence[Phantom]:
        """Return the SKUs a 3PL calls available at a site where it holds orders short of them."""
        skus = {
            line["sku"] for view in self._views.of(Look()).values() for row in view.feed for line in short_lines(row)
        }
        stock: Stock = self._views.stock(Look(), (sku for sku in skus if sku), own=False)
        return phantoms(stock)

    def discrepancies(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        """Return where the 3PLs contradict themselves, by SKU: `{sku, source, kind, our_units, source_units, orders}`.

        `source_units` are those called available where orders are held (phantom), or on hand and not sold (hidden);
        `our_units` what our own stores have free, `orders` the ids held there.
        """
        views = self._views.of(Look(sources))
        held: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for source, view in views.items():
            for row in view.feed:
                for line in short_lines(row):
                    held[source, line["sku"] or "", line["facility"] or line["facility_id"] or ""].add(row["order_id"])
        found: dict[tuple[str, str, str], _Gap] = defaultdict(_Gap)
        for one in self.phantoms():
            if one.source in views:
                found[one.sku, one.source, "phantom"].add(one.available, held[one.source, one.sku, one.facility])
        for source, view in views.items():
            waiting = {sku for each, sku, _ in held if each == source}
            for sku, units in hidden(view.loaded.stock, waiting).items():
                found[sku, source, "hidden"].add(units, ())
        own = self._views.own(sku for sku, _, _ in found)
        return [
            {"sku": sku, "source": source, "kind": kind, "our_units": own.get(sku, 0)} | gap.shown()
            for (sku, source, kind), gap in sorted(found.items())
        ]

    def _snapshot(self, source: str, named: str | datetime, field: str) -> Loaded:
        if isinstance(named, datetime):
            current: Current | None = self._reader.at(source, named)
            loaded = current.loaded if current else None
        else:
            loaded = self._reader.snapshot(named)
            loaded = loaded if loaded is not None and loaded.header.source == source else None
        if loaded is None:
            detail = f"This source has no snapshot for `{field}`."
            raise NotFound(detail, resource="snapshot")
        return loaded

    def _why(self, source: str, order_id: str, after: Loaded) -> str | None:
        """Return how an order left that is not open in a snapshot: the last of its episodes that ended by then."""
        row = after.by_id.get(order_id)
        if row is None:
            stored = self._store.get(resolved_key(source, order_id))
            current = self._reader.current(source).loaded
            row = stored.data["row"] if stored else current.by_id.get(order_id) if current else None
        if row is None:
            return None
        ended = [*row["episodes"], *([row] if row["resolved_at"] else [])]
        by_then = [one for one in ended if one["resolved_at"] <= after.header.cut_at]
        return by_then[-1]["resolved_reason"] if by_then else None


@dataclass(slots=True)
class _Gap:
    """The units of one contradiction, and the orders it holds up."""

    units: int = 0
    orders: set[str] = field(default_factory=set)

    def add(self, units: int, orders: Iterable[str]) -> None:
        self.units += units
        self.orders.update(orders)

    def shown(self) -> dict[str, Any]:
        return {"source_units": self.units, "orders": sorted(self.orders)}


@dataclass(slots=True)
class _Sku:
    """One SKU while its lines are added."""

    orders: set[tuple[str, str]] = field(default_factory=set)
    lines: int = 0
    ordered: int = 0
    short: int = 0
    oldest: str | None = None
    values: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    facilities: set[str] = field(default_factory=set)
    product_id: str | None = None
    name: str | None = None

    def add(self, row: Row, line: Mapping[str, Any]) -> None:
        self.orders.add((row["source"], row["order_id"]))
        self.lines += 1
        self.ordered += line["ordered_quantity"]
        self.short += units_short(line)
        self.oldest = min(filter(None, [self.oldest, row["opened_at"]]))
        if line["facility"]:
            self.facilities.add(line["facility"])
        if line["unit_price"] is not None and row["currency"]:
            self.values[row["currency"]] += line_value(line)
        self.product_id = self.product_id or line["product_id"]
        self.name = self.name or line["name"]

    def shown(self, sku: str, preferred: str) -> dict[str, Any]:
        """Return the wire's row; of several currencies the preferred one is shown, else the first by name."""
        currency = preferred if preferred in self.values else min(self.values, default=None)
        return {
            "sku": sku,
            "product_id": self.product_id,
            "name": self.name,
            "orders": len(self.orders),
            "lines": self.lines,
            "ordered_units": self.ordered,
            "short_units": self.short,
            "oldest_opened_at": self.oldest,
            "value": number(self.values[currency]) if currency else None,
            "currency": currency,
            "facilities": sorted(self.facilities),
        }


def _needs(row: Row) -> tuple[tuple[str, str, int], ...]:
    return tuple((line["line_id"], line["sku"], units_short(line)) for line in short_lines(row) if units_short(line))


def _by_stock(row: Row) -> bool:
    """Say whether units alone release an order: every held line waits for stock and names its SKU."""
    lines = short_lines(row)
    return len(lines) == len(row["lines"]) and all(line["sku"] for line in lines) and bool(_needs(row))


def _plan_shown(
    made: Plan, names: Mapping[str, Row], able: Mapping[str, Row], snapshot_ids: Sequence[str]
) -> dict[str, Any]:
    releases = [
        {**_name(names[name]), "assignments": [_assigned(one) for one in assignments]}
        for name, assignments in made.released.items()
    ]
    left = [(name, row) for name, row in names.items() if name not in made.released]
    return {
        "releases": releases,
        "not_possible": [_impossible(row, made.missing.get(name, {}), able=name in able) for name, row in left],
        "released_orders": len(releases),
        "splits": made.splits,
        "exact": made.exact,
        "snapshot_ids": list(snapshot_ids),
    }


def _name(row: Row) -> dict[str, str]:
    return {"source": row["source"], "order_id": row["order_id"]}


def _assigned(one: Any) -> dict[str, Any]:
    source, _, facility = one.site.partition("|")
    return {"line_id": one.line_id, "from_source": source, "facility": facility, "units": one.units}


def _impossible(row: Row, missing: Mapping[str, int], *, able: bool) -> dict[str, Any]:
    """Say what an order misses; one that stock alone does not release says what else holds it."""
    units = [{"sku": sku, "units": count} for sku, count in missing.items()]
    if not able:
        units = [{"sku": line["sku"], "units": units_short(line)} for line in short_lines(row) if not line["sku"]]
    others = sorted({line["reason"] for line in row["lines"]} - {line["reason"] for line in short_lines(row)})
    return {**_name(row), "missing": units, "held_for": others}


def _wanted(rows: Iterable[Row], order_ids: Sequence[str]) -> list[Row]:
    """Return the open orders of these ids, in their order."""
    by_id: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_id[row["order_id"]].append(row)
    return [row for order_id in dict.fromkeys(order_ids) for row in by_id[order_id]]


def _orders(loaded: Loaded) -> dict[str, dict[str, Any]]:
    shown = _shown(loaded)
    return {row["order_id"]: comparable(order_view(row, shown)) for row in loaded.open}


def _shown(loaded: Loaded) -> Shown:
    return Shown(loaded.header.id, loaded.header.fetched_at)


def _snapshot_ids(views: Mapping[str, View]) -> dict[str, str]:
    return {source: view.loaded.header.id for source, view in views.items()}


def _oldest(views: Mapping[str, View]) -> int | None:
    return max((view.age_s for view in views.values()), default=None)
