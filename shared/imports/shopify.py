"""Shopify's shapes: rows of one handle that leave blank what the first has said, and products with variants. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.imports.columns import header_key
from shared.imports.rows import Raw

__all__ = ["variants_of", "with_handles"]

Pairs = list[tuple[str, object]]

_HANDLES = frozenset({"handle", "urlhandle"})
_SHARED = frozenset(
    {
        "title",
        "bodyhtml",
        "description",
        "vendor",
        "type",
        "productcategory",
        "tags",
        "published",
        "standardproducttype",
    }
)
"""What only the first row of a handle says."""
_IMAGES = frozenset({"imagesrc", "productimageurl"})
_OF_VARIANTS = frozenset({"variantsku", "sku", "variantprice", "price", "variantinventoryqty", "inventoryquantity"})
_MOST_IMAGES = 50


def with_handles(rows: Iterator[Raw]) -> Iterator[Raw]:
    """Yield rows as they are, or, of a table with handles, each variant with what its product has said.

    A row that only brings another image adds it to the variant before it.
    """
    first = next(rows, None)
    if first is None:
        return
    pairs = list(first.pairs)
    first = first._replace(pairs=pairs)
    keys = [header_key(name) for name, _ in pairs]
    if not _HANDLES.intersection(keys):
        yield first
        yield from rows
        return
    yield from _grouped(first, rows)


def _grouped(first: Raw, rows: Iterator[Raw]) -> Iterator[Raw]:
    held: Raw | None = None
    shared: dict[str, object] = {}
    handle: object = None
    for raw in _chained(first, rows):
        cells = {header_key(name): value for name, value in raw.pairs if value != ""}
        own = next((cells[name] for name in _HANDLES if name in cells), None)
        if raw.code is not None or own is None or own != handle:
            if held is not None:
                yield held
            held, handle = raw, own
            shared = {name: value for name, value in cells.items() if name in _SHARED}
        elif _OF_VARIANTS.intersection(cells):
            if held is not None:
                yield held
            held = raw._replace(pairs=_completed(raw, shared))
        elif held is not None and (images := [cells[name] for name in _IMAGES if name in cells]):
            _add_images(held, images)
    if held is not None:
        yield held


def _chained(first: Raw, rows: Iterator[Raw]) -> Iterator[Raw]:
    yield first
    for raw in rows:
        yield raw._replace(pairs=list(raw.pairs))


def _completed(raw: Raw, shared: Mapping[str, object]) -> Pairs:
    return [(name, value if value != "" else shared.get(header_key(name), "")) for name, value in raw.pairs]


def _add_images(held: Raw, images: list[object]) -> None:
    pairs = held.pairs
    assert isinstance(pairs, list)
    if sum(name == "additional_image_link" for name, _ in pairs) < _MOST_IMAGES:
        pairs.extend(("additional_image_link", image) for image in images)


def variants_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a product of Shopify's `products.json` once for each variant; anything else as it is."""
    variants = item.get("variants")
    if not isinstance(variants, list) or not variants or "price" in item or "sku" in item:
        return [item]
    product = {name: value for name, value in item.items() if name not in {"id", "variants"}}
    found = [variant for variant in variants if isinstance(variant, dict)]
    return [_variant(product, variant, alone=len(found) == 1) for variant in found[:200]] or [item]


def _variant(product: Mapping[str, Any], variant: Mapping[str, Any], *, alone: bool) -> dict[str, Any]:
    title, own = product.get("title"), variant.get("title")
    told = {
        "title": title if alone or not isinstance(own, str) or own == "Default Title" else f"{title} - {own}",
        "sku": variant.get("sku") or None,
        "price": variant.get("price"),
        "barcode": variant.get("barcode"),
        "inventory_quantity": variant.get("inventory_quantity"),
    }
    return {**product, **told}
