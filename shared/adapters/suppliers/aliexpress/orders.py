"""Ordering at AliExpress: our reference goes along as `out_order_id`, which makes repeating safe for a day."""

import json
from typing import Any, Protocol

from shared.adapters.sources.reading import identifier, mapping, text
from shared.adapters.suppliers.aliexpress.calls import Calls
from shared.adapters.suppliers.reading import unwrap_list
from shared.core.errors import Terminal
from shared.orders.suppliers import Placed, Placement

__all__ = ["AliExpressOrders", "Memory"]

_CREATE, _GET = "aliexpress.ds.order.create", "aliexpress.trade.ds.order.get"
_PRODUCT = "aliexpress.ds.product.get"


class Memory(Protocol):
    """What is kept of orders placed: AliExpress cannot be asked by our reference."""

    def begun(self, reference: str) -> str | None:
        """Note that an order is about to be placed, once; return the supplier's number when it is known.

        Raise Terminal when the first try is so old that repeating it could place a second order.
        """
        ...

    def number(self, reference: str) -> str | None:
        """Return the supplier's number of an order; None when it is not known."""
        ...

    def keep(self, reference: str, number: str) -> None:
        """Keep the supplier's number of an order."""
        ...


class AliExpressOrders:
    """Placing and finding orders of one connection."""

    def __init__(self, calls: Calls, memory: Memory) -> None:
        """Take the calls, and what is kept of orders placed."""
        self._calls, self._memory = calls, memory

    def find(self, reference: str) -> Placed | None:
        """Return the order of a reference; None when no number of it is known (placing it again is then the same order)."""
        number = self._memory.number(reference)
        if number is None:
            return None
        query = json.dumps({"order_id": number.partition(",")[0]})
        answer = self._calls.call(_GET, {"single_order_query": query}, f"order {reference}")
        shipped = unwrap_list(answer.get("logistics_info_list"))
        numbers = tuple(one for entry in shipped if (one := text(entry.get("logistics_no"))))
        carrier = next((name for entry in shipped if (name := text(entry.get("logistics_service")))), None)
        return Placed(number, text(answer.get("order_status")) or "placed", numbers, carrier)

    def place(self, order: Placement, country: str) -> Placed:
        """Place an order; raise Terminal with AliExpress' own reason."""
        placed = self._memory.number(order.reference)
        if placed is not None:
            return Placed(placed)
        to = text(order.shipping_address.get("country_code")) or country
        body = {
            "out_order_id": order.reference,
            "logistics_address": _address(order, country),
            "product_items": [
                {
                    "product_id": (line.supplier_product_id or "").partition("#")[0],
                    "product_count": line.quantity,
                    "sku_attr": self._variant(line.supplier_product_id or "", to),
                    "logistics_service_name": order.shipping_method or "",
                    "order_memo": order.notes or "",
                }
                for line in order.lines
            ],
        }
        known = self._memory.begun(order.reference)  # after the variants are read: what fails there was never sent
        if known is not None:
            return Placed(known)
        given = {"param_place_order_request4_open_api_d_t_o": json.dumps(body)}
        answer = self._calls.call(_CREATE, given, f"order {order.reference}", tries=1)
        if answer.get("is_success") is not True:
            code, message = text(answer.get("error_code")) or "refused", text(answer.get("error_msg")) or ""
            raise Terminal(code, f"AliExpress refused the order: {message or code}"[:300])
        listed = mapping(answer.get("order_list")).get("number", answer.get("order_list"))
        numbers = [one for value in (listed if isinstance(listed, list) else [listed]) if (one := identifier(value))]
        if not numbers:
            raise Terminal("no_order_id", "AliExpress took the order and did not name it.")
        self._memory.keep(order.reference, ",".join(numbers))
        return Placed(",".join(numbers))

    def _variant(self, their_id: str, country: str) -> str:
        """Return the properties (`sku_attr`) that an order names a SKU by, as the product has them now.

        Raise Terminal when the product no longer has the SKU: nothing is ordered rather than another variant.
        """
        product_id, _, sku_id = their_id.partition("#")
        given = {"product_id": product_id, "ship_to_country": country, "target_language": "en"}
        answer = self._calls.call(_PRODUCT, given, f"variants of product {product_id}")
        skus = unwrap_list(answer.get("ae_item_sku_info_dtos"))
        named = [sku for sku in skus if sku_id in {"", identifier(sku.get("sku_id")) or identifier(sku.get("id"))}]
        if len(named) != 1:
            raise Terminal(
                "variant_gone", f"AliExpress sells product {their_id} no longer as it was linked; sync it anew."
            )
        return text(named[0].get("sku_attr")) or ""


def _address(order: Placement, country: str) -> dict[str, Any]:
    to = order.shipping_address
    name = " ".join(part for part in (to.get("first_name"), to.get("last_name")) if part)
    return {
        "contact_person": name,
        "full_name": name,
        "country": to.get("country_code") or country,
        "province": to.get("province") or "",
        "city": to.get("city"),
        "address": to.get("address1"),
        "address2": to.get("address2") or "",
        "zip": to.get("postal_code"),
        "mobile_no": to.get("phone") or "",
        "phone_country": "",
    }
