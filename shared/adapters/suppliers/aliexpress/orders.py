"""Ordering at AliExpress: our reference goes along as `out_order_id`, which makes repeating safe for a day.

Every line names the service that brings it; AliExpress is asked which there are and what they cost.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from shared.adapters.sources.reading import identifier, mapping, money, text, units
from shared.adapters.suppliers.aliexpress.calls import Calls
from shared.adapters.suppliers.reading import unwrap_list
from shared.core.errors import Terminal
from shared.core.values import dataclass
from shared.orders.suppliers import Placed, Placement, PlacementLine

__all__ = ["AliExpressOrders", "Memory", "Terms"]

_CREATE, _GET = "aliexpress.ds.order.create", "aliexpress.trade.ds.order.get"
_PRODUCT, _FREIGHT = "aliexpress.ds.product.get", "aliexpress.ds.freight.query"
_NONE_YET = "1001"
_NO_SERVICE = "no such service goes there; offered are:"
_FOREVER = 10_000
_UNDER_WAY = frozenset({"SELLER_PART_SEND_GOODS", "WAIT_BUYER_ACCEPT_GOODS", "FUND_PROCESSING", "FINISH"})


@dataclass(frozen=True, slots=True)
class Terms:
    """To which country AliExpress quotes when an address names none, in which money and language, and how it tells tracking."""

    country: str = "FR"
    currency: str = "EUR"
    language: str = "en"
    tracking_method: str = "aliexpress.ds.order.tracking.get"


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

    def __init__(self, calls: Calls, memory: Memory, terms: Terms) -> None:
        """Take the calls, what is kept of orders placed, and on what terms AliExpress is asked."""
        self._calls, self._memory, self._terms = calls, memory, terms

    def find(self, reference: str, *, tracked: bool = False) -> Placed | None:
        """Return the order of a reference; None when no number of it is known (placing it again is then the same order).

        `tracked`: an order under way that names no tracking number itself is looked up where AliExpress tells tracking.
        """
        number = self._memory.number(reference)
        if number is None:
            return None
        status, numbers, carrier = None, dict[str, None](), None
        for one in number.split(","):
            answer = self._calls.call(_GET, {"single_order_query": json.dumps({"order_id": one})}, f"order {reference}")
            state = text(answer.get("order_status"))
            shipped = unwrap_list(answer.get("logistics_info_list"))
            told = [(text(entry.get("logistics_no")), text(entry.get("logistics_service"))) for entry in shipped]
            if tracked and state in _UNDER_WAY and not any(named for named, _ in told):
                told = self._tracking(one, reference)
            numbers |= dict.fromkeys(named for named, _ in told if named)
            status, carrier = status or state, carrier or next((by for _, by in told if by), None)
        return Placed(number, status or "placed", tuple(numbers), carrier)

    def place(self, order: Placement) -> Placed:
        """Place an order; raise Terminal with AliExpress' own reason."""
        placed = self._memory.number(order.reference)
        if placed is not None:
            return Placed(placed)
        to = text(order.shipping_address.get("country_code")) or self._terms.country
        body = {
            "out_order_id": order.reference,
            "logistics_address": _address(order, to),
            "product_items": [self._item(line, to, order) for line in order.lines],
        }
        known = self._memory.begun(
            order.reference
        )  # after variants and services are read: what fails there was never sent
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

    def _item(self, line: PlacementLine, country: str, order: Placement) -> dict[str, Any]:
        """Return a line of an order: the SKU as the product has it now, and the service that brings it."""
        product_id, _, sku_id = (line.supplier_product_id or "").partition("#")
        sku = self._variant(product_id, sku_id, country)
        chosen = identifier(sku.get("sku_id")) or identifier(sku.get("id")) or ""
        return {
            "product_id": product_id,
            "product_count": line.quantity,
            "sku_attr": text(sku.get("sku_attr")) or "",
            "logistics_service_name": self._service(_Parcel(product_id, chosen, line.quantity, country), order),
            "order_memo": order.notes or "",
        }

    def _variant(self, product_id: str, sku_id: str, country: str) -> Mapping[str, Any]:
        """Return a SKU, which an order names by its properties (`sku_attr`), as the product has it now.

        Raise Terminal when the product no longer has the SKU: nothing is ordered rather than another variant.
        """
        given = {"product_id": product_id, "ship_to_country": country, "target_language": "en"}
        answer = self._calls.call(_PRODUCT, given, f"variants of product {product_id}")
        skus = unwrap_list(answer.get("ae_item_sku_info_dtos"))
        named = [sku for sku in skus if sku_id in {"", identifier(sku.get("sku_id")) or identifier(sku.get("id"))}]
        if len(named) != 1:
            their_id = f"{product_id}#{sku_id}" if sku_id else product_id
            raise Terminal(
                "variant_gone", f"AliExpress sells product {their_id} no longer as it was linked; sync it anew."
            )
        return named[0]

    def _service(self, parcel: "_Parcel", order: Placement) -> str:
        """Return the service that brings a SKU: the one the order names, else the one that costs least, then the fastest.

        Raise Terminal when none goes there, or the one named does not.
        """
        where = f"delivery of product {parcel.product_id}"
        asked = json.dumps(parcel.asked(self._terms.currency))
        answer = self._calls.call(_FREIGHT, {"queryDeliveryReq": asked}, where)
        offered = [option for option in unwrap_list(answer.get("delivery_options")) if text(option.get("code"))]
        wanted = (order.shipping_method or "").casefold()
        fitting = [
            option
            for option in offered
            if not wanted or wanted in {(text(option.get(name)) or "").casefold() for name in ("code", "company")}
        ]
        if not fitting:
            names = ", ".join(text(option.get("company")) or str(option["code"]) for option in offered[:10])
            raise Terminal(
                "DELIVERY_METHOD_NOT_EXIST", f"AliExpress, {where}: {_NO_SERVICE} {names or 'nothing'}."[:300]
            )
        return str(min(fitting, key=_preferred)["code"])

    def _tracking(self, number: str, reference: str) -> list[tuple[str | None, str | None]]:
        """Return the tracking numbers of an order with who carries each; none yet is no trouble."""
        given = {"ae_order_id": number, "language": "en_US"}
        answer = self._calls.call(self._terms.tracking_method, given, f"tracking of order {reference}")
        if text(answer.get("code")) == _NONE_YET:
            return []
        lines = unwrap_list(mapping(answer.get("data")).get("tracking_detail_line_list"))
        return [(text(line.get("mail_no")), text(line.get("carrier_name"))) for line in lines]


class _Parcel(NamedTuple):
    """What is to be brought where."""

    product_id: str
    sku_id: str
    quantity: int
    country: str

    def asked(self, currency: str) -> dict[str, str]:
        """Return the question for services and what they cost."""
        return {
            "productId": self.product_id,
            "quantity": str(self.quantity),
            "shipToCountry": self.country,
            "selectedSkuId": self.sku_id,
            "currency": currency,
            "language": "en_US",
            "locale": "en_US",
        }


def _preferred(option: Mapping[str, Any]) -> tuple[Decimal, int, str]:
    """Return what services are compared by: the fee (`shipping_fee_cent` is in major units, whatever its name), then days."""
    fee = Decimal(0) if option.get("free_shipping") is True else money(option.get("shipping_fee_cent"))
    days = units(option.get("max_delivery_days"))
    return Decimal("Infinity") if fee is None else fee, _FOREVER if days is None else days, str(option["code"])


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
