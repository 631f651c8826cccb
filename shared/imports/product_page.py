"""One product from what a page says: JSON-LD first, then microdata, then meta tags, field by field. Pure.

Where a value was read is remembered for each field. A price is only taken where a source states it; it is never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from shared.imports.numbers import BadNumber, read_price
from shared.imports.page import Page, read_page
from shared.imports.rows import Raw

__all__ = ["Asked", "Found", "products_of"]

Asked = Mapping[str, bool]
Found = tuple[Raw, dict[str, str]]
_CODES = ("gtin13", "gtin14", "gtin12", "gtin8", "gtin", "isbn")
_MOST_VARIANTS = 200
_META: dict[str, tuple[str, ...]] = {
    "name": ("og:title",),
    "description": ("og:description", "description"),
    "price": ("product:price:amount", "og:price:amount", "product:sale_price:amount"),
    "currency": ("product:price:currency", "og:price:currency"),
    "image": ("og:image", "og:image:url", "og:image:secure_url"),
    "availability": ("product:availability", "og:availability"),
    "sku": ("product:retailer_item_id",),
    "brand": ("product:brand", "og:brand"),
    "category": ("product:category",),
    "barcode": ("product:ean", "product:gtin", "product:upc"),
}


def products_of(html: str, url: str, asked: Asked) -> list[Found]:
    """Return the products of a page with the provenance of each field; none when the page shows none."""
    page = read_page(html)
    main = next(iter(page.nodes), None)
    told = [("json-ld", _from_node(main)) if main is not None else ("json-ld", {})]
    told.append(("microdata", _from_item(page.items[0])) if page.items else ("microdata", {}))
    told.append(("meta", _from_meta(page)))
    cells, origin = _merged(told, url)
    if "name" not in cells:
        return []
    if asked.get("reviews"):
        cells |= _rating(main or {})
    variants = _variants(main) if main is not None and asked.get("variants", True) else []
    found = [_variant(cells, origin, variant, url) for variant in variants] or [(cells, origin)]
    return [(Raw(list(each.items())), places) for each, places in found]


def _merged(told: Sequence[tuple[str, Mapping[str, Any]]], url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return for each field the value of the first source that has one."""
    cells: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, values in told:
        for name, value in values.items():
            if name not in cells and value not in (None, "", []):
                cells[name], origin[_FIELDS.get(name, name)] = value, source
    if "image" in cells:
        cells["image"] = [urljoin(url, each) for each in cells["image"]]
    if "currency" in cells and origin.get("currency") != origin.get("sale_price"):
        del cells["currency"], origin["currency"]
    cells["source_url"], origin["source_url"] = url, "address"
    return cells, origin


_FIELDS = {"price": "sale_price", "image": "images", "availability": "stock"}


def _from_node(node: Mapping[str, Any]) -> dict[str, Any]:
    """Read a product of JSON-LD."""
    offer = next(iter(_offers(node)), {})
    return {
        "name": _text(node.get("name")),
        "description": _text(node.get("description")),
        "sku": _text(node.get("sku")) or _text(node.get("productID")),
        "brand": _text(node.get("brand")),
        "category": _text(node.get("category")),
        "barcode": next((text for name in _CODES if (text := _text(node.get(name)))), None),
        "image": _images(node.get("image")),
        **_priced(offer),
    }


def _priced(offer: Mapping[str, Any]) -> dict[str, Any]:
    """Return price, currency and availability of an offer."""
    stated = offer.get("priceSpecification")
    more = stated[0] if isinstance(stated, list) and stated else stated
    more = more if isinstance(more, Mapping) else {}
    price = next(
        (
            text
            for text in (_price(offer.get("price")), _price(offer.get("lowPrice")), _price(more.get("price")))
            if text
        ),
        None,
    )
    return {
        "price": price,
        "currency": _text(offer.get("priceCurrency")) or _text(more.get("priceCurrency")) if price else None,
        "availability": _availability(_text(offer.get("availability"))),
    }


def _from_item(item: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Read a product of microdata."""
    flat = {name: values[0] for name, values in item.items() if values}
    offers = flat.get("offers")
    offer = _flat(offers) if isinstance(offers, Mapping) else flat
    made = _from_node({**{name: _flat(value) for name, value in flat.items() if name != "offers"}, "offers": offer})
    made["image"] = [each for each in item.get("image", ()) if isinstance(each, str)]
    return made


def _flat(value: Any) -> Any:
    """Return a nested item as a plain object of its first values."""
    if isinstance(value, Mapping) and "@item" in value:
        return {
            name: values[0] for name, values in value["@item"].values.items() if values and isinstance(values[0], str)
        }
    return value


def _from_meta(page: Page) -> dict[str, Any]:
    """Read the meta tags of a page; nothing without a title of the thing itself."""
    if "og:title" not in page.meta:
        return {}
    told: dict[str, Any] = {}
    for name, spellings in _META.items():
        values = next((page.meta[each] for each in spellings if each in page.meta), [])
        told[name] = values if name == "image" else next(iter(values), None)
    told["price"] = _price(told["price"])
    told["currency"] = told["currency"] if told["price"] else None
    told["availability"] = _availability(told["availability"])
    return told


def _offers(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    offers = node.get("offers")
    for offer in offers if isinstance(offers, list) else [offers]:
        if isinstance(offer, Mapping):
            yield offer


def _variants(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the variants a product names: those of a group, or several offers with SKUs of their own."""
    listed = node.get("hasVariant")
    variants = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    if not variants:
        offers = [each for each in _offers(node) if _text(each.get("sku"))]
        if len({_text(each.get("sku")) for each in offers}) < 2:  # noqa: PLR2004 - one offer is no choice
            return []
        variants = [{"sku": offer.get("sku"), "name": offer.get("name"), "offers": offer} for offer in offers]
    return variants[:_MOST_VARIANTS]


def _variant(
    cells: Mapping[str, Any], origin: Mapping[str, str], node: Mapping[str, Any], url: str
) -> tuple[dict[str, Any], dict[str, str]]:
    own = {name: value for name, value in _from_node(node).items() if value not in (None, "", [])}
    if "image" in own:
        own["image"] = [urljoin(url, each) for each in own["image"]]
    inherited = {
        name: value for name, value in cells.items() if name not in {"price", "currency", "availability", "barcode"}
    }
    if "sku" not in own:
        inherited.pop("sku", None)
    made = inherited | own
    places = {name: place for name, place in origin.items() if name in {_FIELDS.get(each, each) for each in made}}
    return made, places | {_FIELDS.get(name, name): "json-ld" for name in own}


def _rating(node: Mapping[str, Any]) -> dict[str, Any]:
    rating = node.get("aggregateRating")
    if not isinstance(rating, Mapping):
        return {}
    told = {"rating": _text(rating.get("ratingValue")), "review_count": _text(rating.get("reviewCount"))}
    return {name: value for name, value in told.items() if value}


def _price(value: Any) -> str | None:
    """Return a stated price that can be read, None for anything else."""
    text = _text(value)
    try:
        read_price(text or "")
    except BadNumber:
        return None
    return text


def _availability(text: str | None) -> str | None:
    """Return the last word of an address of schema.org, or the text."""
    return text.rstrip("/").rpartition("/")[2] if text else None


def _images(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for each in listed[:50] if (text := _text(each, "url", "contentUrl"))]


def _text(value: Any, *names: str) -> str | None:
    """Return the text of a value: of an object its name, of a list its first member."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = next((value[name] for name in (*names, "name", "@value") if isinstance(value.get(name), str)), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None
