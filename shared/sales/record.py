"""How sales are stored and sent to the warehouse. Money is decimal text; a sale holds its lines."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.core.money import number
from shared.ports.documents import Key, Stored
from shared.sales.models import Sale, SaleLine
from shared.sales.rules import Decision, Failure, Sellable, total_of

__all__ = ["LINE_KEYS", "SALES", "SALE_KEYS", "line_rows", "sale_data", "sale_key", "sale_view", "sellable"]

Data = dict[str, Any]

SALES = "sales"
SALE_KEYS = tuple(Sale.model_fields)
LINE_KEYS = tuple(SaleLine.model_fields)
_MONEY = frozenset({"unit_price", "line_total"})


def sale_key(sale_id: str) -> Key:
    """Return where a sale lies."""
    return Key(SALES, sale_id)


def sellable(stored: Stored) -> Sellable:
    """Return what a product is sold as, from its document."""
    data = stored.data
    return Sellable(
        product_id=stored.key.id,
        sku=data["sku"],
        name=data["name"],
        active=data["status"] == "active",
        price=None if data["sale_price"] is None else Decimal(data["sale_price"]),
        currency=data["currency"],
        category_id=data["category_id"],
        category=data["category"],
    )


def sale_data(sale_id: str, decision: Decision, failed: Sequence[Failure], facts: Mapping[str, Any]) -> Data:
    """Return the document of a sale; `facts` are store, user, reference and time."""
    lines: list[Data] = []
    for at, (asked, product) in enumerate(decision.bought, 1):
        assert product.price is not None
        lines.append(
            {
                "id": f"{sale_id}_{at}",
                "sale_id": sale_id,
                "product_id": product.product_id,
                "sku": product.sku,
                "product_name": product.name,
                "category_id": product.category_id,
                "category": product.category,
                "quantity": asked.quantity,
                "unit_price": f"{product.price:.2f}",
                "line_total": f"{product.price * asked.quantity:.2f}",
            }
        )
    total = total_of([(line["quantity"], Decimal(line["unit_price"])) for line in lines])
    return {
        **facts,
        "currency": decision.currency,
        "total_amount": f"{total:.2f}",
        "items": lines,
        "failed_items": [failure.view() for failure in failed],
    }


def sale_view(stored: Stored) -> Data:
    """Return a sale as shown."""
    data = stored.data
    items = [{name: _shown(name, line[name]) for name in LINE_KEYS} for line in data["items"]]
    shown = {"items": items, "total_amount": number(Decimal(data["total_amount"])), "id": stored.key.id}
    return {name: shown[name] if name in shown else data[name] for name in SALE_KEYS}


def line_rows(sale: Mapping[str, Any]) -> list[Data]:
    """Return the warehouse rows of a sale's lines."""
    common = {name: sale[name] for name in ("created_at", "store_id", "user_id", "currency")}
    return [
        {**common, **{name: line[name] for name in LINE_KEYS}, "kind": "sale", "number": at}
        for at, line in enumerate(sale["items"], 1)
    ]


def _shown(name: str, value: Any) -> Any:
    return number(Decimal(value)) if name in _MONEY else value
