"""What BigBuy's catalogue tells about an offer: one row in each list, and one answer by number with prices as text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.simulators.offers import CATEGORIES, Offer, Variant

__all__ = ["FIXED", "LISTS", "one_of"]

Row = dict[str, Any]
_MADE = "2025-01-01 00:00:00"
_MAKERS = ((7, "Onhand Test Works"), (8, "Example Goods"))
_PRICES = ("wholesalePrice", "retailPrice", "inShopsPrice")


def _prices(cents: int) -> Row:
    cost = cents / 100
    return {"wholesalePrice": cost, "retailPrice": round(cost * 1.6, 2), "inShopsPrice": round(cost * 2, 2)}


def _priced(one: Offer | Variant) -> Row:
    return {"id": one.id, "sku": one.sku, **_prices(one.cost_cents)}


def _product(offer: Offer) -> Row:
    size = {"weight": 0.5, "width": 10.0, "height": 12.0, "depth": 8.0, "condition": "NEW"}
    told = {"images": True, "tags": True, "categories": True, "attributes": bool(offer.variants)}
    return {
        "id": offer.id,
        "sku": offer.sku,
        "ean13": offer.ean,
        "active": int(offer.active),
        **_prices(offer.cost_cents),
        "taxRate": 21,
        "taxId": 1,
        "taxonomy": offer.category,
        "category": offer.category,
        "manufacturer": _MAKERS[offer.id % len(_MAKERS)][0],
        **size,
        "dateAdd": _MADE,
        "dateUpd": _MADE,
        "dateUpdDescription": _MADE,
        "dateUpdImages": _MADE,
        **told,
        "priceLargeQuantities": [{"id": offer.id, "quantity": 10, "price": round(offer.cost * 0.95, 2)}],
        "logisticClass": "A",
    }


def _information(offer: Offer) -> Row:
    slug = offer.name.casefold().replace(" ", "-")
    return {
        "id": offer.id,
        "sku": offer.sku,
        "name": offer.name,
        "description": offer.description,
        "url": slug,
        "isoCode": "en",
    }


def _images(offer: Offer) -> Row:
    address = f"https://cdn.bigbuy.example/{offer.id}"
    pictures = [
        {"id": offer.id * 10 + at, "isCover": at == 1, "name": "", "url": f"{address}-{at}.jpg"} for at in range(2)
    ]
    return {"id": offer.id, "images": pictures}


def _variation(offer: Offer, one: Variant) -> Row:
    size = {"extraWeight": 0, "width": 10.0, "height": 12.0, "depth": 8.0}
    return {"id": one.id, "sku": one.sku, "ean13": one.ean, "product": offer.id, **_prices(one.cost_cents), **size}


def _stock_of(one: Offer | Variant) -> Row:
    first, second = one.stock // 3, one.stock - one.stock // 3
    kept = [
        {"quantity": first, "minHandlingDays": 1, "maxHandlingDays": 2, "warehouse": 1},
        {"quantity": second, "minHandlingDays": 3, "maxHandlingDays": 5, "warehouse": 2},
    ]
    return {"id": one.id, "sku": one.sku, "stocks": [part for part in kept if part["quantity"]]}


def _stock(offer: Offer) -> Row:
    """Return the stock of a product; one with variations has none itself."""
    return {"id": offer.id, "sku": offer.sku, "stocks": []} if offer.variants else _stock_of(offer)


LISTS: Mapping[str, Callable[[Offer], list[Row]]] = {
    "products": lambda offer: [_product(offer)],
    "new-products": lambda offer: [_product(offer)] if offer.id % 10 == 0 else [],
    "productprices": lambda offer: [_priced(offer)],
    "productvariationprices": lambda offer: [_priced(one) for one in offer.variants],
    "productsinformation": lambda offer: [_information(offer)],
    "productsimages": lambda offer: [_images(offer)],
    "productsstockbyhandlingdays": lambda offer: [_stock(offer)],
    "productsvariations": lambda offer: [_variation(offer, one) for one in offer.variants],
    "productsvariationsstockbyhandlingdays": lambda offer: [_stock_of(one) for one in offer.variants],
}
"""Rows of an offer by the name of a list that is read by taxonomy."""


def _named(numbers: Sequence[tuple[int, str]], **more: Any) -> list[Row]:
    return [{"id": number, "name": word, **more} for number, word in numbers]


FIXED: Mapping[str, list[Row]] = {
    "taxonomies": [
        {**row, "parentTaxonomy": 1, "url": row["name"].casefold().replace(" ", "-"), "urlImages": None}
        for row in _named(CATEGORIES, dateAdd=_MADE, dateUpd=_MADE, isoCode="en")
    ],
    "languages": [{"id": code, "name": word} for code, word in (("en", "English"), ("es", "Español"))],
    "manufacturers": _named(_MAKERS, urlImage=None, reference="REF"),
    "attributes": _named([(31, "S"), (32, "M"), (33, "L")], attributeGroup=3, isoCode="en"),
    "variations": [{"id": 3, "attributes": [{"id": number} for number in (31, 32, 33)]}],
    "tags": _named([(41, "home"), (42, "garden")], isoCode="en"),
    "categories": [],
}
"""Lists that do not depend on a taxonomy; the one of categories is empty since taxonomies took its place."""

_SINGLES: Mapping[str, Callable[[Offer], Any]] = {
    "product": lambda offer: _as_text(_product(offer)),
    "productinformation": lambda offer: [_information(offer)],
    "productinformationbysku": lambda offer: [_information(offer)],
    "productimages": _images,
    "productstockbyhandlingdays": _stock,
    "productvariations": lambda offer: [_variation(offer, one) for one in offer.variants],
}


def one_of(name: str, offer: Offer) -> Any:
    """Return what a list of one product tells of it; raise KeyError when there is no such list."""
    return _SINGLES[name](offer)


def _as_text(row: Row) -> Row:
    """Return a row with its prices as text, as BigBuy tells them of one product."""
    return row | {name: f"{row[name]:.2f}" for name in _PRICES}
