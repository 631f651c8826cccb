"""How a stored row is shown: the canonical OosOrder and the older feed's LegacyOos, as JSON-ready dicts.

Rows are rendered without a model per row: the models in `models.py` describe these shapes for the API document, and a
test compares the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.core.clock import parse_instant
from shared.oos.words import FEED_REASONS

__all__ = [
    "Row",
    "Shown",
    "added",
    "in_feed",
    "in_legacy_feed",
    "legacy_order",
    "legacy_stock",
    "legacy_view",
    "order_view",
]

Row = dict[str, Any]
LEGACY_LIMIT = 5000
_PLAIN = (
    "order_number",
    "status",
    "order_type",
    "priority",
    "channel",
    "channel_category",
    "shipment_type",
    "custom_reference",
)


class Shown:
    """The snapshot a row is shown from: its id, the time of its read, and whether it has gone stale."""

    __slots__ = ("at", "fetched_at", "snapshot_id", "stale")

    def __init__(self, snapshot_id: str, fetched_at: str, *, stale: bool = False) -> None:
        """Take the snapshot's id, its time as text, and its staleness."""
        self.snapshot_id, self.fetched_at, self.stale = snapshot_id, fetched_at, stale
        self.at = parse_instant(fetched_at)


def order_view(row: Row, shown: Shown, *, raw: Any = None, history: bool = False) -> dict[str, Any]:
    """Return a row as OosOrder; `history` adds finished episodes and the lines resolved within this one."""
    view: dict[str, Any] = {"source": row["source"], "order_id": row["order_id"]}
    view |= {name: row[name] for name in _PLAIN}
    lines = [_line(line) for line in row["lines"]]
    view |= {
        "state": row["state"],
        "reasons": reasons(row),
        "facility": _facility(row),
        "customer": row["customer"],
        **{name: row[name] for name in ("purchase_date", "shipped_at", "first_seen_at", "last_seen_at", "opened_at")},
        "resolved_at": row["resolved_at"],
        "resolved_reason": row["resolved_reason"],
        "episode": row["episode"],
        "age_hours": age_hours(row, shown.at),
        "value": _number(row["value"]),
        "currency": row["currency"],
        "lines": lines,
        "line_items": row["line_items"],
        "snapshot_id": shown.snapshot_id,
        "fetched_at": shown.fetched_at,
        "stale": shown.stale,
        "raw_data": raw,
    }
    if history:
        view["episodes"] = row["episodes"]
        view["lines"] = lines + [_line(line) for line in row["closed_lines"]]
    return view


def legacy_view(row: Row, shown: Shown, *, raw: Any = None) -> dict[str, Any]:
    """Return a row as LegacyOos, the shape of the older feed plus our history."""
    view: dict[str, Any] = {"order_id": row["order_id"], "order_number": row["order_number"]}
    view |= {
        "status": row["status"],
        "source": row["source"],
        "purchase_date": row["purchase_date"],
        "shipped_at": row["shipped_at"],
        "priority": row["priority"],
        "facility": _facility(row),
        "channel": row["channel"],
        "channel_category": row["channel_category"],
        "shipment_type": row["shipment_type"],
        "customer": row["customer"],
        "custom_reference": row["custom_reference"],
        "line_items": row["line_items"],
        "raw_data": raw,
        "last_updated_at": shown.fetched_at,
        "oos_lines": [_line(line) for line in row["lines"]],
        **{name: row[name] for name in ("first_seen_at", "last_seen_at", "resolved_at", "resolved_reason")},
        "age_hours": age_hours(row, shown.at),
        "snapshot_id": shown.snapshot_id,
    }
    return view


def reasons(row: Row) -> list[str]:
    """Return the distinct reasons of the lines, in their order."""
    return list(dict.fromkeys(line["reason"] for line in row["lines"]))


def in_feed(row: Row) -> bool:
    """Say whether a row belongs to the OOS feed: a line is short of stock."""
    return any(line["reason"] in FEED_REASONS for line in row["lines"])


def in_legacy_feed(row: Row) -> bool:
    """Say whether a row belongs to the older feed: open, short of stock, and at ShipBob sold direct to a consumer."""
    return row["state"] == "open" and in_feed(row) and (row["source"] != "shipbob" or row["order_type"] == "DTC")


def newest_first(rows: Iterable[Row], field: str) -> list[Row]:
    """Sort rows by a time, latest first, ties by order id."""
    return sorted(sorted(rows, key=lambda row: str(row["order_id"])), key=lambda row: str(row[field]), reverse=True)


def legacy_order(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of the older feed in its order: latest seen first.

    Those of one read come by the SKU of their first line, then by order id: neighbours are alike, and compress better.
    """
    listed = (row for row in rows if in_legacy_feed(row))
    alike = sorted(listed, key=lambda row: (str(row["lines"][0]["sku"] or ""), str(row["order_id"])))
    return sorted(alike, key=lambda row: str(row["last_seen_at"]), reverse=True)


def age_hours(row: Row, at: datetime) -> float:
    """Return the hours from opening to resolution or, while open, to the snapshot; one decimal."""
    end = parse_instant(row["resolved_at"]) if row["resolved_at"] else at
    seconds = (end - parse_instant(row["opened_at"])).total_seconds()
    return round(max(0.0, seconds) / 3600, 1)


def _facility(row: Row) -> str | None:
    return row["lines"][0]["facility"] if row["lines"] else None


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    return {**line, "unit_price": _number(line["unit_price"])}


def _number(amount: str | None) -> float | None:
    """Show decimal text as a JSON number: at most two decimals survive a float exactly in its shortest form."""
    return None if amount is None else float(amount)


def added(figures: Sequence[int | None]) -> int | None:
    """Add figures up; one that was not given leaves the sum unknown."""
    return None if any(figure is None for figure in figures) else sum(figure or 0 for figure in figures)


def legacy_stock(items: Sequence[Mapping[str, Any]], primary: str) -> dict[str, dict[str, Any]]:
    """Return live stock as the older backend showed it, by SKU in lower case; `primary` is the location called fontana."""
    return {item["sku"].strip().lower(): _legacy(item, primary) for item in items}


def _legacy(item: Mapping[str, Any], primary: str) -> dict[str, Any]:
    shipbob, stord = item["sources"]["shipbob"], item["sources"]["stord"]
    known = shipbob["status"] in {"ok", "not_found"}
    parts: dict[bool, list[int | None]] = {True: [], False: []}
    for location in shipbob["locations"]:
        parts[location["id"] == primary].append(location["available"])
    return {
        "sku": item["sku"],
        "stord_stock": stord["available"],
        "shipbob_fontana_stock": added(parts[True]) if known else None,
        "shipbob_other_stock": added(parts[False]) if known else None,
        "status": item["status"],
        "as_of": item["as_of"],
    }
