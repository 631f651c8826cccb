"""What differs between two snapshots of a source, complete enough to be applied: `applied(from, diff) == to`.

Orders are compared as OosOrder without what only says where they were read (`PROVENANCE`). `last_seen_at` counts only where
it is not the snapshot's own time: that an order was seen again is no change. A change of the order itself has `line_id` null;
a line that came or went is the field `line`, with the whole line on the side where it is; where lines only changed places,
the field `lines` holds their ids.
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PROVENANCE", "applied", "comparable", "difference"]

Orders = Mapping[str, Mapping[str, Any]]
PROVENANCE = frozenset({"snapshot_id", "fetched_at", "stale", "age_hours", "raw_data"})


def comparable(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OosOrder without its provenance; `last_seen_at` is null when it is the snapshot's own time."""
    kept = {name: value for name, value in order.items() if name not in PROVENANCE}
    if kept["last_seen_at"] == order["fetched_at"]:
        kept["last_seen_at"] = None
    return kept


def difference(before: Orders, after: Orders) -> tuple[list[str], list[str], list[dict[str, Any]]]:
    """Return ids of orders that entered, ids of those that left, and the changes of those in both; input is `comparable`."""
    entered = [key for key in after if key not in before]
    left = [key for key in before if key not in after]
    changed = [change for key in before if key in after for change in _changes(before[key], after[key])]
    return entered, left, changed


def applied(before: Orders, diff: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the orders after a diff as the wire gives it: left ones out, changes made, entered ones (`comparable`) in."""
    gone = {one["order_id"] for one in diff["left"]}
    orders = {key: _copy(order) for key, order in before.items() if key not in gone}
    for change in diff["changed"]:
        _make(orders[change["order_id"]], change)
    orders.update({order["order_id"]: _copy(comparable(order)) for order in diff["entered"]})
    return orders


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    order_id = after["order_id"]
    found = [
        _change(order_id, None, name, before.get(name), after[name])
        for name in after
        if name != "lines" and before.get(name) != after[name]
    ]
    old, new = _by_id(before["lines"]), _by_id(after["lines"])
    for line_id in [*old, *(key for key in new if key not in old)]:
        one, other = old.get(line_id), new.get(line_id)
        if one is None or other is None:
            found.append(_change(order_id, line_id, "line", one, other))
        else:
            found += [
                _change(order_id, line_id, name, one[name], other[name]) for name in other if one[name] != other[name]
            ]
    expected = [key for key in old if key in new] + [key for key in new if key not in old]
    if expected != list(new):
        found.append(_change(order_id, None, "lines", list(old), list(new)))
    return found


def _make(order: dict[str, Any], change: Mapping[str, Any]) -> None:
    field, line_id, after = change["field"], change["line_id"], change["after"]
    if line_id is None and field == "lines":
        lines = _by_id(order["lines"])
        order["lines"] = [lines[key] for key in after]
    elif line_id is None:
        order[field] = after
    elif field != "line":
        _by_id(order["lines"])[line_id][field] = after
    elif after is None:
        order["lines"] = [line for line in order["lines"] if line["line_id"] != line_id]
    else:
        order["lines"] = [*order["lines"], dict(after)]


def _change(order_id: str, line_id: str | None, field: str, before: Any, after: Any) -> dict[str, Any]:
    return {"order_id": order_id, "line_id": line_id, "field": field, "before": before, "after": after}


def _by_id(lines: Sequence[Any]) -> dict[str, Any]:
    return {line["line_id"]: line for line in lines}


def _copy(order: Mapping[str, Any]) -> dict[str, Any]:
    return {**order, "lines": [dict(line) for line in order["lines"]]}
