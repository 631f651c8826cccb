"""Stored rows of held orders, for rules that read them."""

from typing import Any

from shared.oos.rules import Row, reconcile
from tests.unit.oos.builders import a_line, an_order

__all__ = ["NOW", "a_row", "line_of"]

NOW = "2026-01-15T10:30:00.000000Z"


def a_row(order_id: str, *skus: str, now: str = NOW, **changes: Any) -> Row:
    """Return the open row of an order with a short line per SKU; line changes go by `line_<name>`."""
    lines = {name.removeprefix("line_"): changes.pop(name) for name in list(changes) if name.startswith("line_")}
    made = [a_line(sku, item=f"{sku}-{number}", **lines) for number, sku in enumerate(skus or ("TEE-1",))]
    order = an_order(order_id, *made, **({"currency": "EUR"} | changes))
    return reconcile({}, {order_id: order}, {}, {}, now).open[order_id]


def line_of(row: Row, number: int = 0) -> dict[str, Any]:
    """Return a line of a row."""
    found: dict[str, Any] = row["lines"][number]
    return found
