"""ShipBob's order list: every filter ANDed, offset pages, and the headers that may or may not tell where to go on."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.simulators.shipbob.model import Order
from local.simulators.shipbob.render import order_bytes
from local.simulators.shipbob.world import ShipBobWorld
from shared.core.values import dataclass

__all__ = ["KNOWN", "Invalid", "ListQuery", "OrderList", "Window"]

KNOWN = {
    name.lower(): name
    for name in (
        "Page",
        "Limit",
        "IDs",
        "ReferenceIds",
        "StartDate",
        "EndDate",
        "LastUpdateStartDate",
        "LastUpdateEndDate",
        "LastTrackingUpdateStartDate",
        "LastTrackingUpdateEndDate",
        "SortOrder",
        "HasTracking",
        "IsTrackingUploaded",
    )
}
_MOST = 250
_KEPT = 8


class Invalid(Exception):
    """Wrong parameters: field name -> messages, as ShipBob words a 400."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Take the fields."""
        super().__init__(str(fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Window:
    """A closed span of time, open where None."""

    start: datetime | None = None
    end: datetime | None = None

    def __bool__(self) -> bool:
        return self.start is not None or self.end is not None

    def holds(self, moment: datetime | None) -> bool:
        """Say whether a moment lies in it."""
        if moment is None:
            return False
        return (self.start is None or moment >= self.start) and (self.end is None or moment <= self.end)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What was asked for, without page and limit."""

    ids: frozenset[str] | None
    references: frozenset[str] | None
    created: Window
    updated: Window
    tracked: Window
    newest: bool
    has_tracking: bool | None
    uploaded: bool | None

    @classmethod
    def read(cls, given: Mapping[str, str], default_newest: bool) -> "ListQuery":  # noqa: FBT001 (the switch it is)
        """Read the parameters, names in lower case; raise Invalid with everything wrong."""
        wrong: dict[str, list[str]] = {}
        read = _Reader(given, wrong)
        query = cls(
            read.texts("ids"),
            read.texts("referenceids"),
            Window(read.time("startdate"), read.time("enddate")),
            Window(read.time("lastupdatestartdate"), read.time("lastupdateenddate")),
            Window(read.time("lasttrackingupdatestartdate"), read.time("lasttrackingupdateenddate")),
            read.newest(default_newest),
            read.flag("hastracking"),
            read.flag("istrackinguploaded"),
        )
        if wrong:
            raise Invalid(wrong)
        return query

    def tests(self) -> list[Callable[[Order], bool]]:
        """Return the filters in force besides the window on making."""
        found: list[Callable[[Order], bool]] = []
        if self.ids is not None:
            found.append(lambda order: str(order.id) in (self.ids or ()))
        if self.references is not None:
            found.append(lambda order: f"web-{order.number}" in (self.references or ()))
        if self.updated:
            found.append(lambda order: self.updated.holds(order.updated))
        if self.tracked:
            found.append(lambda order: any(self.tracked.holds(shipment.shipped) for shipment in order.shipments))
        if self.has_tracking is not None:
            found.append(lambda order: any(s.shipped for s in order.shipments) is self.has_tracking)
        if self.uploaded is not None:
            found.append(
                lambda order: (bool(order.shipments) and all(s.shipped for s in order.shipments)) is self.uploaded
            )
        return found


class OrderList:
    """Answers list queries; the rows of the latest queries are kept until the world changes."""

    def __init__(self, world: ShipBobWorld) -> None:
        """Take the world."""
        self._world = world
        self._version = -1
        self._found: dict[ListQuery, list[Order]] = {}

    def rows(self, query: ListQuery) -> Sequence[Order]:
        """Return the orders that match, sorted as asked."""
        if self._version != self._world.version or len(self._found) > _KEPT:
            self._found.clear()
            self._version = self._world.version
        if query not in self._found:
            self._found[query] = self._select(query)
        return self._found[query]

    def _select(self, query: ListQuery) -> list[Order]:
        rows = self._candidates(query)
        for test in query.tests():
            rows = [order for order in rows if test(order)]
        return rows[::-1] if query.newest else rows

    def _candidates(self, query: ListQuery) -> list[Order]:
        if query.ids is not None:
            known = (self._world.by_id.get(int(text)) for text in query.ids if text.isascii() and text.isdigit())
            return sorted((order for order in known if order and _in(query.created, order)), key=_made)
        orders, window = self._world.orders, query.created
        low = 0 if window.start is None else bisect_left(orders, window.start, key=_made)
        high = len(orders) if window.end is None else bisect_right(orders, window.end, key=_made)
        return orders[low:high]


def page_bytes(rows: Sequence[Order], further: Sequence[bytes] = ()) -> bytes:
    """Return a bare JSON array of orders."""
    return b"[" + b",".join([*map(order_bytes, rows), *further]) + b"]"


def page_and_limit(given: Mapping[str, str]) -> tuple[int, int]:
    """Read page and limit; raise Invalid outside 1.. and 1-250."""
    wrong: dict[str, list[str]] = {}
    read = _Reader(given, wrong)
    page, limit = read.number("page", 1, None), read.number("limit", 50, _MOST)
    if wrong:
        raise Invalid(wrong)
    return page, limit


class _Reader:
    """Reads parameters and collects what is wrong with them."""

    def __init__(self, given: Mapping[str, str], wrong: dict[str, list[str]]) -> None:
        self._given = given
        self._wrong = wrong

    def number(self, name: str, default: int, most: int | None) -> int:
        text = self._given.get(name, str(default))
        value = int(text) if text.isascii() and text.isdigit() else 0
        if value < 1 or (most is not None and value > most):
            self._refuse(name, "must be at least 1" if most is None else f"must be between 1 and {most}")
        return value

    def time(self, name: str) -> datetime | None:
        text = self._given.get(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._refuse(name, f"The value '{text[:40]}' is not valid.")
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def flag(self, name: str) -> bool | None:
        text = self._given.get(name)
        if text is None:
            return None
        if text.lower() not in {"true", "false"}:
            self._refuse(name, f"The value '{text[:40]}' is not valid.")
        return text.lower() == "true"

    def newest(self, default: bool) -> bool:  # noqa: FBT001 (the switch it is)
        text = self._given.get("sortorder")
        if text is None:
            return default
        if text.lower() not in {"newest", "oldest"}:
            self._refuse("sortorder", f"The value '{text[:40]}' is not valid.")
        return text.lower() == "newest"

    def texts(self, name: str) -> frozenset[str] | None:
        text = self._given.get(name)
        return None if text is None else frozenset(part.strip() for part in text.split(",") if part.strip())

    def _refuse(self, name: str, message: str) -> None:
        self._wrong.setdefault(KNOWN[name], []).append(message)


def _made(order: Order) -> Any:
    return order.created


def _in(window: Window, order: Order) -> bool:
    return window.holds(order.created)
