"""Ordering at BigBuy: our reference goes along as `internalReference` and is asked for before anything is repeated.

Without a carrier of ours the cheapest that BigBuy quotes for these products is taken. BigBuy checks an order before it
is placed: what it refuses then was never sent. Products that lie in several warehouses are ordered as BigBuy splits them, once its
check says that this will do.
"""

from collections.abc import Mapping
from typing import Any

from shared.adapters.fetch.vendor import VendorApi
from shared.adapters.sources.reading import identifier, items, mapping, money, text
from shared.adapters.suppliers.bigbuy.answers import failure_of, raise_for
from shared.core.errors import Terminal, Transient
from shared.orders.suppliers import Placed, Placement

__all__ = ["BigBuyOrders"]

_CREATED = 201
_LONGEST_ADDRESS = 70
_NO_CARRIER = "BigBuy offers no carrier to this address for these products."


class BigBuyOrders:
    """Placing and finding orders of one account."""

    def __init__(self, api: VendorApi, language: str) -> None:
        """Take the calls of the account, and the language of its letters."""
        self._api, self._language = api, language
        self._names: dict[str, str] | None = None

    def find(self, reference: str, *, strict: bool = False) -> Placed | None:
        """Return the order of a reference with its tracking; None when BigBuy knows of none.

        `strict`: trouble with the tracking is raised; else the order alone is what counts.
        """
        where = f"order {reference}"
        body = self._known(f"/rest/order/reference/{reference}.json", where)
        orders = [order for order in items(body if isinstance(body, list) else [body]) if identifier(order.get("id"))]
        if not orders:
            return None
        numbers: list[str] = []
        carrier: str | None = None
        for order in orders:
            try:
                found, name = self._tracking(str(identifier(order.get("id"))))
            except (Terminal, Transient):
                if strict:
                    raise
            else:
                numbers, carrier = [*numbers, *found], carrier or name
        ids = ",".join(str(identifier(order.get("id"))) for order in orders)
        return Placed(ids, text(orders[0].get("status")) or "placed", tuple(numbers), carrier)

    def place(self, order: Placement) -> Placed:
        """Place an order; raise Terminal with BigBuy's own reason, or Transient when it may come to pass."""
        body = {"order": _body(order, order.shipping_method or self._cheapest(order), self._language)}
        try:
            self._check(body, order.reference)
            answer = self._api.post("/rest/order/create.json", body, f"order {order.reference}", failure_of)
        except Terminal as refused:
            if refused.code != "several_warehouses":
                raise
            return self._split(order, body)
        raise_for(answer.body, f"order {order.reference}")
        order_id = answer.headers.get("location", "").rstrip("/").rpartition("/")[2].removesuffix(".json")
        if answer.status != _CREATED or not order_id:
            raise Transient("no_order_id", "BigBuy took the order and did not name it.")
        return Placed(order_id)

    def _check(self, body: Mapping[str, Any], reference: str) -> None:
        """Ask whether the order would be taken, which binds to nothing; raise as placing it would."""
        where = f"check of order {reference}"
        answer = self._api.post("/rest/order/check.json", body, where, failure_of)
        raise_for(answer.body, where)

    def _cheapest(self, order: Placement) -> str:
        """Return the carrier that is quoted lowest; raise Terminal ER010 when there is none."""
        to = order.shipping_address
        asked = {
            "delivery": {"isoCountry": to.get("country_code"), "postcode": to.get("postal_code")},
            "products": _lines(order),
        }
        where = f"shipping of order {order.reference}"
        answer = self._api.post("/rest/shipping/orders.json", {"order": asked}, where, failure_of)
        raise_for(answer.body, where)
        quoted = [
            (cost, name)
            for option in items(mapping(answer.body).get("shippingOptions"))
            if (cost := money(option.get("cost"))) is not None
            and (name := text(mapping(option.get("shippingService")).get("name")) or text(option.get("name")))
        ]
        if not quoted:
            raise Terminal("er010", _NO_CARRIER)
        return min(quoted)[1]

    def _split(self, order: Placement, body: Mapping[str, Any]) -> Placed:
        """Order from every warehouse that holds a part, if BigBuy's check has nothing against any of it."""
        where = f"order {order.reference} from several warehouses"
        for step in ("check", "create"):
            answer = self._api.post(f"/rest/order/{step}/multishipping.json", body, where, failure_of)
            raise_for(answer.body, where)
            told = mapping(answer.body)
            if told.get("errors"):
                reason = next((text(error.get("message")) for error in items(told["errors"])), None)
                raise Terminal("several_warehouses", f"BigBuy, {where}: {reason or 'cannot be split'}"[:300])
        ids = [number for one in items(told.get("orders")) if (number := identifier(one.get("id")))]
        if not ids:
            raise Transient("no_order_id", "BigBuy took the order and did not name it.")
        return Placed(",".join(ids))

    def _tracking(self, order_id: str) -> tuple[list[str], str | None]:
        """Return the tracking numbers of an order and who carries it; none yet is no trouble."""
        body = self._known(f"/rest/tracking/order/{order_id}.json", f"tracking of order {order_id}")
        rows = items(body if isinstance(body, list) else [body])
        found = [one for row in rows for one in items(row.get("trackings"))]
        numbers = [number for one in found if (number := text(one.get("trackingNumber")))]
        carriers = [self._carrier(mapping(one.get("carrier"))) for one in found]
        return numbers, next((carrier for carrier in carriers if carrier), None)

    def _carrier(self, told: Mapping[str, Any]) -> str | None:
        """Return the name of a carrier, of which a tracking tells the id."""
        carrier_id = identifier(told.get("id"))
        if text(told.get("name")) or carrier_id is None:
            return text(told.get("name"))
        if self._names is None:
            body = self._known("/rest/tracking/carriers.json", "list of carriers")
            listed = [(identifier(row.get("id")), text(row.get("name"))) for row in items(body)]
            self._names = {number: name for number, name in listed if number and name}
        return self._names.get(carrier_id)

    def _known(self, path: str, where: str) -> Any:
        """Return what BigBuy knows, None where it says that there is nothing: 404, or nothing with status 200."""
        try:
            body = self._api.get(path, "", where).body
            raise_for(body, where)
        except Terminal as refused:
            if refused.code == "http_404":
                return None
            raise
        except Transient as trouble:
            if trouble.code == "empty_body":
                return None
            raise
        return body


def _lines(order: Placement) -> list[dict[str, Any]]:
    return [{"reference": line.supplier_sku or line.sku, "quantity": line.quantity} for line in order.lines]


def _body(order: Placement, carrier: str, language: str) -> dict[str, Any]:
    to = order.shipping_address
    street = " ".join(part for part in (to.get("address1"), to.get("address2")) if part)
    return {
        "internalReference": order.reference,
        "language": language,
        "paymentMethod": "moneybox",
        "carriers": [{"name": carrier}],
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
        "products": _lines(order),
    }
