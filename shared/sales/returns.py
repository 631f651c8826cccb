"""What comes back: returns and voids of sales, as entries of their own. A sale is never changed.

Units go back to the store that sold them, as `addition` movements that name the return; its lines are negative, so that reports
are net from the day of the return on. No more comes back than was sold, whoever asks at once: what has come back of a sale is
counted in one document that every return of it changes.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from shared.core.caller import Caller
from shared.core.clock import instant
from shared.core.errors import InvalidState, NotFound
from shared.core.money import number
from shared.core.values import dataclass
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.ports.documents import Create, Key, Put, Stored
from shared.sales.models import NewReturn, SaleReturn
from shared.sales.record import LINE_KEYS, LINES_TABLE, line_draws, line_view
from shared.sales.rules import total_of
from shared.sales.service import Sales
from shared.stores.scope import check_scope

__all__ = ["Returns"]

Data = dict[str, Any]

_KEYS = tuple(SaleReturn.model_fields)


@dataclass(frozen=True)
class Returns:
    """Returns and voids of sales."""

    sales: Sales

    def of(self, sale_id: str) -> list[Data]:
        """Return what came back of a sale, oldest first; raise NotFound."""
        self.sales.get(sale_id)
        kept = self.sales.store.get(_key(sale_id))
        return [] if kept is None else [_shown(entry) for entry in kept.data["entries"]]

    def take_back(self, caller: Caller, sale_id: str, wanted: NewReturn) -> Data:
        """Take some units back; raise NotFound, Forbidden, or InvalidState when fewer are left with the customer."""
        asked: dict[str, int] = {}
        for item in wanted.items:
            asked[item.product_id] = asked.get(item.product_id, 0) + item.quantity
        return self._in_one_commit(caller, sale_id, asked, wanted.reason)

    def void(self, caller: Caller, sale_id: str, reason: str | None) -> Data:
        """Take back everything that is left of a sale; raise NotFound, Forbidden, or InvalidState when nothing is."""
        return self._in_one_commit(caller, sale_id, None, reason)

    def _in_one_commit(self, caller: Caller, sale_id: str, asked: Mapping[str, int] | None, reason: str | None) -> Data:
        return self.sales.store.atomically(lambda: self._taken(caller, sale_id, asked, reason))

    def _taken(self, caller: Caller, sale_id: str, asked: Mapping[str, int] | None, reason: str | None) -> Data:
        sale, store = self.sales.get(sale_id), self.sales.store
        check_scope(caller, sale.data["store_id"])
        kept = store.get(_key(sale_id))
        returned: dict[str, int] = kept.data["returned"] if kept else {}
        left = {
            line["product_id"]: line["quantity"] - returned.get(line["product_id"], 0) for line in sale.data["items"]
        }
        taken = {product: units for product, units in left.items() if units} if asked is None else dict(asked)
        _check(left, taken)
        entry = self._entry(caller, sale, taken, {"reason": reason, "kind": "void" if asked is None else "return"})
        self._book(sale, entry, returned)
        after = {product: returned.get(product, 0) + taken.get(product, 0) for product in left}
        data = {"returned": after, "entries": [*(kept.data["entries"] if kept else []), entry]}
        store.write([Create(_key(sale_id), data) if kept is None else Put(_key(sale_id), data, kept.version)])
        return _shown(entry)

    def _entry(self, caller: Caller, sale: Stored, taken: Mapping[str, int], told: Mapping[str, Any]) -> Data:
        return_id = self.sales.ids.new("ret")
        sold = [line for line in sale.data["items"] if line["product_id"] in taken]
        lines = [_back(line, taken[line["product_id"]], f"{return_id}_{at}") for at, line in enumerate(sold, 1)]
        total = total_of([(line["quantity"], Decimal(line["unit_price"])) for line in lines])
        return {
            "id": return_id,
            "sale_id": sale.key.id,
            **told,
            "store_id": sale.data["store_id"],
            "user_id": caller.user_id,
            "currency": sale.data["currency"],
            "total_amount": f"{total:.2f}",
            "items": lines,
            "created_at": instant(self.sales.clock.now()),
        }

    def _book(self, sale: Stored, entry: Data, returned: Mapping[str, int]) -> None:
        """Put the units back on the shelf, into the lots they came from, and send the negative lines to the warehouse."""
        why = {"return": "Returned", "void": "Sale voided"}[entry["kind"]]
        store_id, user_id = entry["store_id"], entry["user_id"]
        units_of = _drawn(entry["items"], {line["product_id"]: line["quantity"] for line in entry["items"]})
        before = _drawn(sale.data["items"], returned)
        booking = self.sales.ledger.open((product_id, store_id) for product_id in units_of)
        for product_id, units in units_of.items():
            kind, reference = MovementType.ADDITION, entry["id"]
            change = Change(product_id, store_id, units, kind, reason=why, reference=reference, user_id=user_id)
            booking.put_back(change, sale, before=before.get(product_id, 0))
        booking.write()
        common = {name: entry[name] for name in ("created_at", "store_id", "user_id", "currency")}
        rows = [{**common, **_negative(line), "kind": "return", "number": 0} for line in entry["items"]]
        self.sales.store.write([self.sales.outbox.rows(LINES_TABLE, entry["id"], rows)])


def _key(sale_id: str) -> Key:
    return Key("sale_returns", sale_id)


def _drawn(lines: Iterable[Mapping[str, Any]], units_of: Mapping[str, int]) -> dict[str, int]:
    """Return the units of each product, parts of kits among them, that so many units of some lines are."""
    drawn: dict[str, int] = {}
    for line in lines:
        for product_id, units in line_draws(line, units_of.get(line["product_id"], 0)):
            drawn[product_id] = drawn.get(product_id, 0) + units
    return drawn


def _check(left: Mapping[str, int], taken: Mapping[str, int]) -> None:
    """Raise NotFound for a product that was not sold, InvalidState when less is left than is to come back."""
    if not taken:
        raise InvalidState("Everything of this sale has come back.", current="returned", allowed=[])
    for product_id, units in taken.items():
        if product_id not in left:
            raise NotFound("This sale has no such product.", resource="product")
        if units > left[product_id]:
            detail = f"Only {left[product_id]} units of this sale are left to come back; {units} were named."
            raise InvalidState(detail, current=left[product_id], allowed=[])


def _back(line: Mapping[str, Any], units: int, line_id: str) -> Data:
    total = Decimal(line["unit_price"]) * units
    back = {**{name: line[name] for name in LINE_KEYS}, "id": line_id, "quantity": units, "line_total": f"{total:.2f}"}
    if "components" in line:
        of_each = dict(line_draws(line, units))
        back["components"] = [{**one, "quantity": of_each[one["product_id"]]} for one in line["components"]]
    return back


def _negative(line: Mapping[str, Any]) -> Data:
    row = {name: line[name] for name in LINE_KEYS}
    return {**row, "quantity": -line["quantity"], "line_total": f"-{line['line_total']}"}


def _shown(entry: Mapping[str, Any]) -> Data:
    items = [line_view(line) for line in entry["items"]]
    shown = {"items": items, "total_amount": number(Decimal(entry["total_amount"]))}
    return {name: shown[name] if name in shown else entry[name] for name in _KEYS}
