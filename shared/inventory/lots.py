"""Pure rules of lots: which units a level holds by lot, which of them have expired, and which lots a movement draws from.

A level carries `lots` from the first receipt that names one: `[{lot, expiry, quantity}]`, first expiring first; `lot` null are
the units that came without one. Their sum is on hand, always. A level that never saw a lot has no such member.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from shared.core.errors import InsufficientStock, InvalidState, ValidationFailed

__all__ = [
    "MOST_LOTS",
    "add_lots",
    "arriving",
    "between",
    "explained",
    "first_end",
    "holding",
    "instant_of_end",
    "is_over",
    "over_units",
    "parts_of",
    "turning",
    "with_parts",
]

Data = dict[str, Any]
Parts = list[Data]

MOST_LOTS = 200
"""Lots a level carries at a time: some 20 kB of a document that may have 1 MiB."""


class Moves(Protocol):
    """What is asked of lots: a signed quantity, and the lot or lots it names."""

    @property
    def quantity(self) -> int:
        """Return the units, negative when they leave."""
        ...

    @property
    def lot(self) -> str | None:
        """Return the lot that is named."""
        ...

    @property
    def expiry(self) -> str | None:
        """Return the last day of the lot that is named."""
        ...

    @property
    def lots(self) -> Sequence[Mapping[str, Any]]:
        """Return the lots that units bring with them."""
        ...


_NEVER = "9999-12-31"


def is_over(lot: Mapping[str, Any], now: datetime) -> bool:
    """Say whether a lot has expired: its expiry is the last day (UTC) on which its units may leave."""
    return lot["expiry"] is not None and lot["expiry"] < now.date().isoformat()


def over_units(level: Mapping[str, Any], now: datetime) -> int:
    """Return the units of a level that have expired."""
    return sum(lot["quantity"] for lot in level.get("lots", ()) if is_over(lot, now))


def instant_of_end(expiry: str) -> str:
    """Return the moment from which a lot counts as expired: midnight UTC after its last day; the last day there is has none."""
    day = date.fromisoformat(expiry)
    return f"{day + timedelta(days=1) if day < date.max else day}T00:00:00.000000Z"


def turning(level: Mapping[str, Any], now: datetime) -> list[str]:
    """Return the moments still to come at which lots of a level expire."""
    return [
        instant_of_end(lot["expiry"])
        for lot in level.get("lots", ())
        if lot["expiry"] is not None and not is_over(lot, now)
    ]


def first_end(level: Mapping[str, Any]) -> str:
    """Return the earliest expiry among a level's lots; the last day there is when none expires."""
    return min((lot["expiry"] for lot in level["lots"] if lot["expiry"] is not None), default=_NEVER)


def holding(level: Mapping[str, Any], code: str | None) -> Data | None:
    """Return what a level holds of a lot; None when it holds nothing."""
    return next((lot for lot in level.get("lots", ()) if lot["lot"] == code), None)


def parts_of(level: Mapping[str, Any], change: Moves, now: datetime, *, selling: bool) -> Parts:
    """Return the signed units of each lot that a change moves; empty where neither the level nor the change knows lots.

    In: the lots named, else units without a lot. Out: the lot named, else first expiring first out, passing by expired lots
    when `selling`; what a level that may go below zero lacks is owed by the units without a lot. Raise InsufficientStock when
    a lot that is named holds less, ValidationFailed when it is known with another expiry.
    """
    if change.quantity > 0 or change.lots:
        return _received(level, change)
    if change.lot is not None:
        return _named(level, change)
    return _drawn(level, -change.quantity, now, selling=selling) if "lots" in level else []


def with_parts(level: Mapping[str, Any], parts: Parts) -> Data:
    """Return the level after its lots changed by these parts; raise InvalidState when it would carry too many."""
    if not parts:
        return dict(level)
    lots = {lot["lot"]: dict(lot) for lot in level.get("lots", _untracked(level["on_hand"]))}
    for part in parts:
        lot = lots.setdefault(part["lot"], {**part, "quantity": 0})
        lot["quantity"] += part["quantity"]
        lot["expiry"] = min(filter(None, (lot["expiry"], part["expiry"])), default=None)
    left = sorted((lot for lot in lots.values() if lot["quantity"]), key=_turn)
    if len(left) > MOST_LOTS:
        detail = f"A level carries at most {MOST_LOTS} lots at a time."
        raise InvalidState(detail, current=len(left) - 1, allowed=[])
    return {**level, "lots": left}


def between(parts: Sequence[Mapping[str, Any]], skip: int, units: int) -> Parts:
    """Return, as units to put back, so many of the units drawn, after the first `skip` of them."""
    back: Parts = []
    for part in parts:
        drawn = -part["quantity"]
        passed = min(skip, drawn)
        taken = min(drawn - passed, units)
        skip, units = skip - passed, units - taken
        if taken:
            back.append({**part, "quantity": taken})
    return back


def arriving(movement: Mapping[str, Any]) -> Parts:
    """Return the units that left by a movement as they come in elsewhere: with the lots they left."""
    return [{**part, "quantity": -part["quantity"]} for part in movement.get("lots", ())]


def add_lots(found: Data, movement: Mapping[str, Any]) -> None:
    """Add to what is known of a level's lots, by lot ("": none), what a movement says of them."""
    for part in movement.get("lots") or _untracked(movement["quantity"]):
        lot = found.setdefault(part["lot"] or "", {**part, "quantity": 0})
        lot["quantity"] += part["quantity"]
        lot["expiry"] = min(filter(None, (lot["expiry"], part["expiry"])), default=None)


def explained(found: Mapping[str, Data]) -> Parts:
    """Return the lots a ledger explains."""
    return [dict(lot) for lot in found.values() if lot["quantity"]]


def _received(level: Mapping[str, Any], change: Moves) -> Parts:
    if change.lots:
        named = [part for part in change.lots if part["lot"] is not None]
        return [dict(part) for part in change.lots] if named or "lots" in level else []
    if change.lot is None:
        return _untracked(change.quantity) if "lots" in level else []
    held = holding(level, change.lot)
    _check_expiry(held, change)
    expiry = change.expiry or (held["expiry"] if held else None)
    return [{"lot": change.lot, "expiry": expiry, "quantity": change.quantity}]


def _named(level: Mapping[str, Any], change: Moves) -> Parts:
    held = holding(level, change.lot)
    have = held["quantity"] if held else 0
    if held is None or have < -change.quantity:
        detail = f"Only {have} units of lot {change.lot} are at this store; {-change.quantity} were requested."
        raise InsufficientStock(detail, available=have, requested=-change.quantity)
    _check_expiry(held, change)
    return [{**held, "quantity": change.quantity}]


def _drawn(level: Mapping[str, Any], units: int, now: datetime, *, selling: bool) -> Parts:
    parts: Parts = []
    for lot in level["lots"]:
        if lot["lot"] is None or (selling and is_over(lot, now)):
            continue
        taken = min(units, lot["quantity"])
        if taken:
            parts.append({**lot, "quantity": -taken})
            units -= taken
    return [*parts, *_untracked(-units)]


def _check_expiry(held: Mapping[str, Any] | None, change: Moves) -> None:
    if held and held["expiry"] and change.expiry and held["expiry"] != change.expiry:
        raise ValidationFailed.at("/expiry", "conflict", f"Lot {change.lot} of this level expires on {held['expiry']}.")


def _untracked(units: int) -> Parts:
    return [{"lot": None, "expiry": None, "quantity": units}] if units else []


def _turn(lot: Mapping[str, Any]) -> tuple[bool, str, str]:
    return lot["lot"] is None, lot["expiry"] or _NEVER, lot["lot"] or ""
