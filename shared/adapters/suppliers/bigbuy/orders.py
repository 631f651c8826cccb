"""Ordering at BigBuy: our reference goes along as `internalReference` and is asked for before anything is repeated.

Without a carrier of ours the cheapest that BigBuy quotes for these products is taken. BigBuy checks an order before it
is placed: what it refuses then was never sent. Products that lie in several warehouses are ordered as BigBuy splits them, once its
check says that this will do.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from shared.adapters.fetch.vendor import VendorApi
from shared.adapters.sources.reading import identifier, items, mapping, money, text
from shared.adapters.suppliers.bigbuy.answers import failure_of, raise_for
from shared.core.errors import Terminal, Transient
from shared.orders.suppliers import Placed, Placement

__all__ = ["BigBuyOrders"]

_CREATED = 201
_LONGEST_ADDRESS = 70
_NO_CARRIER = "BigBuy offers no carrier to this address for these products."


class _Parcel(NamedTuple):
    """What is told of a parcel: its tracking number, who carries it, and how it stands."""

    number: str | None
    carrier: str | None
    status: str | None


class BigBuyOrders:
    """Placing and finding orders of one account."""

    def __init__(self, api: VendorApi, language: str) -> None:
        """Take the calls of the account, and the language of its letters."""
        self._api, self._language = api, language
        self._names: dict[str, str] | None = None

    def find(self, reference: str) -> Placed | None:
        """Return the order of a reference with its tracking; None when BigBuy knows of none.

        Trouble with the tracking is left for later: the order alone is what counts.
        """
        where = f"order {reference}"
        body = self._known(f"/rest/order/reference/{reference}.json", where)
        orders = {number: order for order in _listed(body) if (number := identifier(order.get("id")))}
        if not orders:
            return None
        status = text(next(iter(orders.values())).get("status")) or "placed"
        with suppress(Terminal, Transient):
            told = self._tracked(list(orders))
            numbers, carrier, _ = _joined([told[number] for number in orders if number in told])
            return Placed(",".join(orders), status, numbers, carrier)
        return Placed(",".join(orders), status)

    def progress(self, placed: Mapping[str, str]) -> dict[str, Placed]:
        """Return how orders stand, by our reference, of which BigBuy's numbers are given; unknown ones are left out.

        The tracking of all is asked for in one call; only orders that have none yet are read one by one.
        """
        tracked = self._tracked([number for numbers in placed.values() for number in numbers.split(",")])
        found: dict[str, Placed] = {}
        for reference, ids in placed.items():
            numbers, carrier, status = _joined([tracked[one] for one in ids.split(",") if one in tracked])
            if not numbers:
                status = self._status(ids.partition(",")[0])
                if status is None:
                    continue
            found[reference] = Placed(ids, status, numbers, carrier)
        return found

    def _status(self, number: str) -> str | None:
        """Return what BigBuy calls the state of an order, None for an order that it does not know."""
        body = self._known(f"/rest/order/{number}.json", f"order {number}")
        return next((text(order.get("status")) or "placed" for order in _listed(body)), None)

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

    def _tracked(self, numbers: Sequence[str]) -> dict[str, list[_Parcel]]:
        """Return the parcels of orders by BigBuy's number; an order with none yet is left out."""
        body = {"track": {"orders": [{"id": number} for number in numbers]}}
        where = f"tracking of {len(numbers)} orders"
        try:
            answer = self._api.post("/rest/tracking/orders.json", body, where, failure_of).body
            raise_for(answer, where)
        except Terminal as refused:
            if refused.code != "http_404":
                raise
            return {}
        rows = [(identifier(row.get("id")), items(row.get("trackings"))) for row in _listed(answer)]
        found = {number: [self._parcel(one) for one in told] for number, told in rows if number}
        return {number: parcels for number, parcels in found.items() if any(parcel.number for parcel in parcels)}

    def _parcel(self, told: Mapping[str, Any]) -> _Parcel:
        carrier = self._carrier(mapping(told.get("carrier")))
        return _Parcel(text(told.get("trackingNumber")), carrier, text(told.get("statusDescription")))

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


def _listed(body: Any) -> Sequence[Mapping[str, Any]]:
    """Return the rows of an answer that may be one row alone."""
    return items(body if isinstance(body, list) else [body])


def _joined(orders: Sequence[Sequence[_Parcel]]) -> tuple[tuple[str, ...], str | None, str | None]:
    """Return the tracking numbers of some orders, who carries the first that names it, and the first state told."""
    parcels = [parcel for order in orders for parcel in order]
    carrier = next((parcel.carrier for parcel in parcels if parcel.carrier), None)
    status = next((parcel.status for parcel in parcels if parcel.status), None)
    return tuple(parcel.number for parcel in parcels if parcel.number), carrier, status


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
