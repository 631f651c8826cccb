"""What a complete refresh means for the orders we knew: pure functions over rows.

A **row** is the stored form of one order: JSON values only, money as decimal text, times as texts of `core.clock.instant`.
`lines` holds the lines held now (for a resolved order: the last ones), `closed_lines` the lines of this episode that were
resolved while the order stayed open, `episodes` the finished episodes.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from shared.core.values import dataclass, field
from shared.oos.source import Fate, HeldLine, HeldOrder, Verdict

__all__ = ["Outcome", "Row", "line_id", "newest", "reconcile", "reconcile_some", "suspicious"]

Row = dict[str, Any]

SUSPICIOUS_FROM = 20
_LONGEST_ID = 64
_ID_PART = re.compile(r"[A-Za-z0-9-]*")
_SKIPPED = frozenset({"source", "order_id", "lines", "raw", "customer_name", "customer_email", "value"})
_COPIED = tuple(name for name in HeldOrder.__slots__ if name not in _SKIPPED)


@dataclass(slots=True)
class Outcome:
    """What one refresh did: open rows by order id, the rows it resolved, and the counts of a RefreshRun."""

    open: dict[str, Row] = field(default_factory=dict)
    resolved: list[Row] = field(default_factory=list)
    opened: int = 0
    updated: int = 0
    reopened: int = 0
    unverified: int = 0


def newest(orders: Iterable[HeldOrder]) -> dict[str, HeldOrder]:
    """Keep one order per id: the one its source updated last, the later read on a tie."""
    kept: dict[str, HeldOrder] = {}
    for order in orders:
        present = kept.get(order.order_id)
        if present is None or (order.source_updated_at or "") >= (present.source_updated_at or ""):
            kept[order.order_id] = order
    return kept


def suspicious(open_before: int, vanished: int) -> bool:
    """Say whether a run looks like a vendor fault: 20 or more open orders and over half of them unknown to the vendor."""
    return open_before >= SUSPICIOUS_FROM and vanished * 2 > open_before


def reconcile(
    before: Mapping[str, Row],
    held: Mapping[str, HeldOrder],
    verdicts: Mapping[str, Verdict],
    past: Mapping[str, Row],
    now: str,
) -> Outcome:
    """Fold a complete read into the open rows `before`.

    `held` is what the read found, `verdicts` the answers of direct look-ups for open orders it did not find (none = the
    look-up failed), `past` the resolved rows of orders that may be coming back, `now` the run's time.
    """
    outcome = Outcome()
    for order_id, order in held.items():
        _seen(outcome, order, before.get(order_id), past.get(order_id), now)
    for order_id, row in before.items():
        if order_id not in held:
            _missing(outcome, row, verdicts.get(order_id), now)
    return outcome


def reconcile_some(
    before: Mapping[str, Row], verdicts: Mapping[str, Verdict], past: Mapping[str, Row], now: str
) -> Outcome:
    """Fold what was asked about single orders into the open rows `before`; everything not asked about stays as it is."""
    outcome = Outcome(open={key: row for key, row in before.items() if key not in verdicts})
    for order_id, verdict in verdicts.items():
        present = before.get(order_id)
        if verdict.fate is Fate.HELD and verdict.order is not None:
            _seen(outcome, verdict.order, present, past.get(order_id), now)
        elif present is not None:
            outcome.resolved.append(_resolved(present, verdict.fate.value, now))
    return outcome


def _seen(outcome: Outcome, order: HeldOrder, present: Row | None, past: Row | None, now: str) -> None:
    if present is not None:
        outcome.updated += 1
        outcome.open[order.order_id] = _updated(present, order, now)
    elif past is not None:
        outcome.reopened += 1
        outcome.open[order.order_id] = _reopened(past, order, now)
    else:
        outcome.opened += 1
        outcome.open[order.order_id] = _opened(order, now)


def _missing(outcome: Outcome, row: Row, verdict: Verdict | None, now: str) -> None:
    if verdict is None:
        outcome.unverified += 1
        outcome.open[row["order_id"]] = row
    elif verdict.fate is Fate.HELD and verdict.order is not None:
        outcome.updated += 1
        outcome.open[row["order_id"]] = _updated(row, verdict.order, now)
    else:
        outcome.resolved.append(_resolved(row, verdict.fate.value, now))


def _opened(order: HeldOrder, now: str) -> Row:
    history = {"first_seen_at": now, "opened_at": now, "episode": 1, "episodes": []}
    return _row(order, history, now) | {"lines": _lines(order, {}, now), "closed_lines": []}


def _updated(row: Row, order: HeldOrder, now: str) -> Row:
    history = {name: row[name] for name in ("first_seen_at", "opened_at", "episode", "episodes")}
    known = {line["line_id"]: line for line in (*row["lines"], *row["closed_lines"])}
    lines = _lines(order, known, now)
    still = {line["line_id"] for line in lines}
    closed = [_closed(line, now) for key, line in known.items() if key not in still]
    return _row(order, history, now) | {"lines": lines, "closed_lines": closed}


def _reopened(past: Row, order: HeldOrder, now: str) -> Row:
    ended = {name: past[name] for name in ("opened_at", "resolved_at", "resolved_reason")}
    history = {
        "first_seen_at": past["first_seen_at"],
        "opened_at": now,
        "episode": past["episode"] + 1,
        "episodes": [*past["episodes"], ended],
    }
    known = {line["line_id"]: line for line in (*past["lines"], *past["closed_lines"])}
    return _row(order, history, now) | {"lines": _lines(order, known, now), "closed_lines": []}


def _resolved(row: Row, reason: str, now: str) -> Row:
    lines = [_closed(line, now) for line in row["lines"]]
    ended = {"state": "resolved", "resolved_at": now, "resolved_reason": reason}
    return row | ended | {"lines": lines}


def _row(order: HeldOrder, history: Mapping[str, Any], now: str) -> Row:
    """Write the order's own fields, its history, and the state of an order seen open by this run."""
    row: Row = {"source": order.source, "order_id": order.order_id}
    row |= {name: getattr(order, name) for name in _COPIED}
    row["customer"] = {"name": order.customer_name, "email": order.customer_email}
    row["value"] = _text(order.value)
    row |= history
    return row | {"state": "open", "last_seen_at": now, "resolved_at": None, "resolved_reason": None}


def _lines(order: HeldOrder, known: Mapping[str, Row], now: str) -> list[Row]:
    """Write the held lines, each grain once, keeping the time a line was first seen."""
    lines: dict[str, Row] = {}
    for line in order.lines:
        row = _line(order, line)
        earlier = known.get(row["line_id"])
        row |= {"is_open": True, "first_seen_at": earlier["first_seen_at"] if earlier else now, "resolved_at": None}
        lines.setdefault(row["line_id"], row)
    return list(lines.values())


def _line(order: HeldOrder, line: HeldLine) -> Row:
    row = {name: getattr(line, name) for name in HeldLine.__slots__ if name not in {"item", "unit_price"}}
    identity = line_id(order.source, order.order_id, line.shipment_id, line.item)
    return {"line_id": identity, "unit_price": _text(line.unit_price), "product_id": None} | row


def _closed(line: Row, now: str) -> Row:
    return line if not line["is_open"] else line | {"is_open": False, "resolved_at": now}


def line_id(source: str, order_id: str, shipment_id: str | None, item: str) -> str:
    """Name a grain: the same line has the same id in every refresh.

    The name is put together from what the line shows anyway, so it costs a compressed answer next to nothing; parts that do
    not fit an id are hashed instead, into a name that no put-together one equals.
    """
    parts = (source, order_id, shipment_id or "", item)
    told = "_".join(("oln", *parts))
    if len(told) <= _LONGEST_ID and all(map(_ID_PART.fullmatch, parts)):
        return told
    grain = "\x1f".join(parts)
    return "oln_" + hashlib.sha256(grain.encode("utf-8", "surrogatepass")).hexdigest()[:26]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
