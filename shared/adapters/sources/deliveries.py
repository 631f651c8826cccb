"""Which order a vendor's webhook is about; bodies are whole resources, and anything may be missing (`sources.md` 1.9, 2.4)."""

from typing import Any

from shared.adapters.sources.reading import identifier, mapping, text
from shared.adapters.sources.stord.mapping import order_key

__all__ = ["order_of"]


def order_of(source: str, content: Any) -> tuple[str, str | None] | None:
    """Return (order id, order number) as we know them, or None when the delivery names no order."""
    return _stord(content) if source == "stord" else _shipbob(content)


def _shipbob(content: Any) -> tuple[str, str | None] | None:
    """A shipment names its order; an order is the resource itself, bare or under `data`."""
    for record in (mapping(content), mapping(mapping(content).get("data")), mapping(mapping(content).get("order"))):
        found = identifier(record.get("order_id"))
        if found is None and ("shipments" in record or "order_number" in record):
            found = identifier(record.get("id"))
        if found is not None:
            return found, text(record.get("order_number"))
    return None


def _stord(content: Any) -> tuple[str, str | None] | None:
    data = mapping(mapping(content).get("data")) or mapping(content)
    for record in (data, mapping(data.get("order")), mapping(data.get("sales_order"))):
        found = order_key(record)
        if found is not None:
            return found, text(record.get("order_number"))
    return None
