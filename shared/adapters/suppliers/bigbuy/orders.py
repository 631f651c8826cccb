"""Ordering at BigBuy: our reference goes along as `internalReference` and is asked for before anything is repeated."""

import json
from collections.abc import Mapping
from typing import Any

from shared.adapters.fetch.vendor import VendorApi
from shared.adapters.sources.reading import identifier, items, mapping, text
from shared.core.errors import Problem, Terminal, Transient
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch, Request, Response

__all__ = ["BigBuyOrders"]

_CREATED, _CONFLICT, _TOO_MANY, _SERVER_ERROR = 201, 409, 429, 500
_PASSING = "ER009"
_EXISTS = "ER008"
_LONGEST_ADDRESS = 70


class BigBuyOrders:
    """Placing and finding orders of one account."""

    def __init__(self, api: VendorApi, base_url: str, key: str, fetch: Fetch) -> None:
        """Take the reading side, and what a POST needs."""
        self._api, self._base_url, self._key, self._fetch = api, base_url.rstrip("/"), key, fetch

    def find(self, reference: str) -> Placed | None:
        """Return the order of a reference with its tracking; None when BigBuy knows of none."""
        try:
            reply = self._api.get(f"/rest/order/reference/{reference}.json", "", f"order {reference}")
        except Terminal as refused:
            if refused.code == "http_404":
                return None
            raise
        except Transient as trouble:
            if trouble.code == "empty_body":  # what BigBuy answers instead of 404
                return None
            raise
        order = mapping(reply.body)
        order_id = identifier(order.get("id"))
        if order_id is None:
            return None
        numbers, carrier = self._tracking(order_id)
        return Placed(order_id, text(order.get("status")) or "placed", numbers, carrier)

    def place(self, order: Placement) -> Placed:
        """Place an order; raise Terminal with BigBuy's own reason, or Transient when it may come to pass."""
        answer = self._post("/rest/order/create.json", {"order": _body(order)})
        try:
            status, body = answer.status, answer.read()
        finally:
            answer.close()
        if status == _CREATED:
            order_id = answer.headers.get("location", "").rstrip("/").rpartition("/")[2].removesuffix(".json")
            if not order_id:
                raise Transient("no_order_id", "BigBuy took the order and did not name it.")
            return Placed(order_id)
        raise self._refusal(status, body)

    def _refusal(self, status: int, body: bytes) -> Exception:
        told = _object(body)
        code, message = text(told.get("code")) or "", text(told.get("message")) or ""
        if status == _TOO_MANY or status >= _SERVER_ERROR or code in {_PASSING, _EXISTS}:
            return Transient(
                code.lower() or f"http_{status}",
                "BigBuy could not place the order now.",
                rate_limited=status == _TOO_MANY,
            )
        if status == _CONFLICT:
            return Terminal(
                "several_warehouses", "BigBuy keeps these products in several warehouses; order them apart."
            )
        if status == 401:  # noqa: PLR2004 - unauthorised
            return Terminal("credentials_rejected", "The credentials were refused (401).")
        return Terminal(
            code.lower() or f"http_{status}", f"BigBuy refused the order: {(message or code or status)}"[:300]
        )

    def _tracking(self, order_id: str) -> tuple[tuple[str, ...], str | None]:
        try:
            reply = self._api.get(f"/rest/tracking/order/{order_id}.json", "", f"tracking of order {order_id}")
        except (Terminal, Transient):
            return (), None
        found = [
            one
            for row in (reply.body if isinstance(reply.body, list) else [reply.body])
            for one in items(mapping(row).get("trackings"))
        ]
        numbers = tuple(number for one in found if (number := text(one.get("trackingNumber"))))
        carriers = [text(mapping(one.get("carrier")).get("name")) for one in found]
        return numbers, next((carrier for carrier in carriers if carrier), None)

    def _post(self, path: str, body: Mapping[str, Any]) -> Response:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", "User-Agent": "onhand"}
        try:
            return self._fetch.send(Request("POST", self._base_url + path, headers, json.dumps(body).encode()))
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None


def _body(order: Placement) -> dict[str, Any]:
    to = order.shipping_address
    street = " ".join(part for part in (to.get("address1"), to.get("address2")) if part)
    return {
        "internalReference": order.reference,
        "language": "en",
        "paymentMethod": "moneybox",
        "carriers": [{"name": order.shipping_method}] if order.shipping_method else [],
        "shippingAddress": {
            "firstName": to.get("first_name") or "",
            "lastName": to.get("last_name") or "",
            "country": to.get("country_code"),
            "postcode": to.get("postal_code"),
            "town": to.get("city"),
            "address": street[:_LONGEST_ADDRESS],
            "phone": to.get("phone") or "",
            "email": to.get("email") or "",
            "comment": order.notes or "",
            "companyName": to.get("company") or "",
        },
        "products": [{"reference": line.supplier_sku or line.sku, "quantity": line.quantity} for line in order.lines],
    }


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}
