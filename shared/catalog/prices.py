"""Prices of many products at once, all or none; prices over time; what competitors ask."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from shared.catalog.edits import Edits
from shared.catalog.price_models import BulkPrices, CompetitorFilter, NewCompetitorPrice, PriceFilter
from shared.catalog.products import PRICE_CHANGES, Products
from shared.catalog.views import amount
from shared.core.caller import Caller
from shared.core.clock import instant
from shared.core.errors import FieldError, ValidationFailed
from shared.core.money import MOST, number, rounded
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Query, Stored

__all__ = ["COMPETITOR_PRICES", "Prices"]

Data = dict[str, Any]

COMPETITOR_PRICES = "competitor_prices"
_STORED = {"sale_price": "sale_price", "cost_price": "unit_cost"}
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Prices:
    """Changing many prices, and reading how they changed."""

    products: Products
    edits: Edits

    def change_many(self, caller: Caller, wanted: BulkPrices) -> list[Data]:
        """Change prices, all or none; return old and new of each. With `dry_run` nothing is written.

        Raise NotFound with all unknown ids, or ValidationFailed with every price that cannot be.
        """
        ids, where = self._named(wanted)
        self.edits.refuse_repeated(ids, where)
        found = self.edits.found(ids, where)
        field = _STORED[wanted.apply_to]
        new = self._new_prices(wanted, found, field)
        changes = {product_id: {field: str(price)} for product_id, price in new.items()}
        if not wanted.dry_run:
            self.edits.write(caller, found, changes, reason="bulk price update")
        return [
            {
                "product_id": stored.key.id,
                "old_price": amount(stored.data[field]),
                "new_price": number(new[stored.key.id]),
                "currency": stored.data["currency"],
            }
            for stored in found
        ]

    def history(self, product_id: str, wanted: PriceFilter) -> Query:
        """Return the query for the changed prices of a product; raise NotFound."""
        self.products.get(product_id)
        return _of_product(PRICE_CHANGES, product_id, wanted)

    def competitors(self, product_id: str, wanted: CompetitorFilter) -> Query:
        """Return the query for what competitors ask for a product; raise NotFound."""
        self.products.get(product_id)
        return _of_product(COMPETITOR_PRICES, product_id, wanted)

    def add_competitor(self, caller: Caller, product_id: str, seen: NewCompetitorPrice) -> Data:
        """Keep a competitor's price; raise NotFound."""
        self.products.get(product_id)
        now = self.products.clock.now()
        data = {
            "product_id": product_id,
            "competitor": seen.competitor,
            "price": str(seen.price),
            "currency": seen.currency or self.products.rules.currency,
            "url": seen.url,
            "seen_at": instant(seen.seen_at or now),
            "created_by": caller.user_id,
            "created_at": instant(now),
        }
        key = Key(COMPETITOR_PRICES, self.products.ids.new("cpr"))
        self.products.store.write([Create(key, data)])
        return _competitor_view(Stored(key, data, ""))

    def shown(self, stored: Stored) -> Data:
        """Return a changed price as shown."""
        return _price_view(stored)

    def shown_competitor(self, stored: Stored) -> Data:
        """Return a competitor's price as shown."""
        return _competitor_view(stored)

    @staticmethod
    def _named(wanted: BulkPrices) -> tuple[list[str], str]:
        if wanted.updates is not None:
            return [update.product_id for update in wanted.updates], "/updates/{}/product_id"
        return list(wanted.product_ids or ()), "/product_ids/{}"

    @staticmethod
    def _new_prices(wanted: BulkPrices, found: Sequence[Stored], field: str) -> dict[str, Decimal]:
        if wanted.updates is not None:
            return {update.product_id: update.price for update in wanted.updates}
        new: dict[str, Decimal] = {}
        errors: list[FieldError] = []
        for number_, stored in enumerate(found):
            old = stored.data[field]
            price = None if old is None else _adjusted(Decimal(old), wanted)
            if price is None:
                errors.append(FieldError(f"/product_ids/{number_}", "no_price", "This product has no price to change."))
            elif not 0 <= price <= MOST:
                message = "The new price would be below 0 or above 99999999.99."
                errors.append(FieldError(f"/product_ids/{number_}", "out_of_range", message))
            else:
                new[stored.key.id] = price
        if errors:
            raise ValidationFailed(errors[0].message, errors=tuple(errors))
        return new


def _price_view(stored: Stored) -> Data:
    """Return a changed price as shown."""
    data = stored.data
    return {
        "field": data["field"],
        "old_price": amount(data["old_price"]),
        "new_price": amount(data["new_price"]),
        **{name: data[name] for name in ("currency", "reason", "user_id", "created_at")},
    }


def _competitor_view(stored: Stored) -> Data:
    """Return a competitor's price as shown."""
    return {"id": stored.key.id, **stored.data, "price": amount(stored.data["price"])}


def _adjusted(old: Decimal, wanted: BulkPrices) -> Decimal:
    value = wanted.adjustment_value or Decimal(0)
    return rounded(old + old * value / _HUNDRED if wanted.adjustment_type == "percentage" else old + value)


def _of_product(collection: str, product_id: str, wanted: PriceFilter | CompetitorFilter) -> Query:
    low, high = (instant(each) if each else None for each in (wanted.created_from, wanted.created_to))
    return Query(collection, (("product_id", product_id),), at_least=low, at_most=high)
