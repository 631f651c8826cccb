"""How sales are stored and sent to the warehouse. Money is decimal text; a sale holds its lines."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.core.money import number
from shared.inventory.keys import product_key
from shared.ports.documents import Key, Stored
from shared.sales.models import Sale, SaleLine
from shared.sales.rules import Decision, Failure, Part, Sellable, total_of

__all__ = [
    "LINES_TABLE",
    "LINE_KEYS",
    "SALES",
    "SALE_KEYS",
    "line_draws",
    "line_rows",
    "line_view",
    "part_ids",
    "sale_data",
    "sale_key",
    "sale_view",
    "sellable",
]

Data = dict[str, Any]

LINES_TABLE = "sale_lines"
"""Where the warehouse keeps their lines."""
SALES = "sales"
SALE_KEYS = tuple(Sale.model_fields)
LINE_KEYS = tuple(name for name in SaleLine.model_fields if name != "components")
_MONEY = frozenset({"unit_price", "line_total"})


def sale_key(sale_id: str) -> Key:
    """Return where a sale lies."""
    return Key(SALES, sale_id)


def part_ids(stored: Stored) -> list[str]:
    """Return the products that a kit is made of; none of another product."""
    return [part["product_id"] for part in stored.data.get("kit") or ()]


def sellable(stored: Stored, parts: Mapping[Key, Stored]) -> Sellable:
    """Return what a product is sold as, from its document and those of its parts."""
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
        parts=tuple(_part(each, parts.get(product_key(each["product_id"]))) for each in data.get("kit") or ()),
    )


def sale_data(sale_id: str, decision: Decision, failed: Sequence[Failure], facts: Mapping[str, Any]) -> Data:
    """Return the document of a sale; `facts` are store, user, reference and time."""
    lines: list[Data] = []
    for at, (asked, product) in enumerate(decision.bought, 1):
        assert product.price is not None
        kit = {"components": _components(product, asked.quantity)} if product.parts else {}
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
                **kit,
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
    items = [line_view(line) for line in data["items"]]
    shown = {"items": items, "total_amount": number(Decimal(data["total_amount"])), "id": stored.key.id}
    return {name: shown[name] if name in shown else data[name] for name in SALE_KEYS}


def line_view(line: Mapping[str, Any]) -> Data:
    """Return a line as shown; that of a kit says what it draws."""
    shown = {name: _shown(name, line[name]) for name in LINE_KEYS}
    return {**shown, "components": line["components"]} if "components" in line else shown


def line_draws(line: Mapping[str, Any], units: int) -> list[tuple[str, int]]:
    """Return the products whose stock so many units of a line are, and how much of each."""
    if "components" not in line:
        return [(line["product_id"], units)]
    return [(one["product_id"], one["quantity"] // line["quantity"] * units) for one in line["components"]]


def line_rows(sale: Mapping[str, Any]) -> list[Data]:
    """Return the warehouse rows of a sale's lines."""
    common = {name: sale[name] for name in ("created_at", "store_id", "user_id", "currency")}
    return [
        {**common, **{name: line[name] for name in LINE_KEYS}, "kind": "sale", "number": at}
        for at, line in enumerate(sale["items"], 1)
    ]


def _part(each: Mapping[str, Any], stored: Stored | None) -> Part:
    product_id, units = each["product_id"], each["quantity"]
    if stored is None:
        return Part(product_id, "", "", active=False, units=units)
    data = stored.data
    return Part(product_id, data["sku"], data["name"], active=data["status"] == "active", units=units)


def _components(kit: Sellable, quantity: int) -> list[Data]:
    return [
        {
            "product_id": part.product_id,
            "sku": part.sku,
            "product_name": part.name,
            "quantity": part.units * quantity,
        }
        for part in kit.parts
    ]


def _shown(name: str, value: Any) -> Any:
    return number(Decimal(value)) if name in _MONEY else value
