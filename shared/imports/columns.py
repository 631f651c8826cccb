"""Which column means what: header synonyms in several languages, and the caller's own mapping (api.md 2.11). Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from shared.core.errors import FieldError, ValidationFailed

__all__ = ["FIELDS", "Columns", "check_mapping", "header_key"]

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "name": ("title", "name", "product_name", "product_title", "nom", "titre", "designation", "artikelname", "titel"),
    "description": ("description", "desc", "body", "body_html", "content", "beschreibung"),
    "sale_price": (
        "price",
        "sale_price",
        "prix",
        "retail_price",
        "selling_price",
        "variant price",
        "preis",
        "verkaufspreis",
    ),
    "unit_cost": (
        "cost",
        "cost_price",
        "wholesale",
        "buy_price",
        "cout",
        "unit_cost",
        "cost per item",
        "prix d'achat",
        "einkaufspreis",
    ),
    "sku": ("sku", "reference", "ref", "item_number", "variant sku", "id", "artikelnummer"),
    "stock": (
        "stock",
        "qty",
        "quantity",
        "inventory",
        "stock_quantity",
        "variant inventory qty",
        "inventory quantity",
        "quantite",
        "menge",
        "bestand",
        "lagerbestand",
    ),
    "availability": ("availability", "stock status"),
    "images": (
        "images",
        "image_url",
        "image",
        "image_link",
        "picture",
        "photo",
        "image src",
        "product image url",
        "images/image",
        "pictures/picture",
        "photos/photo",
    ),
    "more_images": ("additional_image_link", "additional images"),
    "category": (
        "category",
        "categorie",
        "type",
        "product_type",
        "google_product_category",
        "product category",
        "kategorie",
    ),
    "barcode": ("barcode", "gtin", "ean", "ean13", "upc", "variant barcode", "code-barres", "strichcode"),
    "brand": ("brand", "vendor", "manufacturer", "marque", "marke", "hersteller"),
    "currency": ("currency", "currency_code", "devise", "waehrung", "währung"),
    "tags": ("tags",),
    "source_url": ("source_url", "link", "product_url"),
    "supplier_product_id": ("supplier_product_id",),
    "handle": ("handle", "url handle"),
}
_ALIASES = {
    "title": "name",
    "price": "sale_price",
    "unit_price": "sale_price",
    "cost_price": "unit_cost",
    "current_stock": "stock",
    "image": "images",
    "image_url": "images",
}
FIELDS = frozenset(
    {
        "name",
        "description",
        "sale_price",
        "unit_cost",
        "sku",
        "stock",
        "availability",
        "images",
        "category",
        "barcode",
        "brand",
        "currency",
        "tags",
        "source_url",
        "supplier_product_id",
        "package_size",
        "seo_title",
        "seo_description",
    }
)
"""What a mapping may name as target."""
_NOT_WORD = re.compile("[^a-z0-9/]+")
_MAPPED = -1
Place = tuple[str, int]


@lru_cache(maxsize=4096)
def header_key(header: str) -> str:
    """Return a header as synonyms are compared: without case, accents, blanks, underscores and other signs."""
    plain = unicodedata.normalize("NFKD", header).casefold()
    return _NOT_WORD.sub("", "".join(each for each in plain if not unicodedata.combining(each)))


_PLACES: dict[str, Place] = {
    header_key(synonym): (field, rank) for field, synonyms in _SYNONYMS.items() for rank, synonym in enumerate(synonyms)
}


def check_mapping(mapping: Mapping[str, str], pointer: str = "/mapping_config") -> None:
    """Raise ValidationFailed when a column is mapped to something that is no field of a product."""
    wrong = [name for name, target in mapping.items() if _ALIASES.get(target, target) not in FIELDS]
    if wrong:
        message = f"A column can be mapped to one of: {', '.join(sorted(FIELDS | set(_ALIASES)))}."
        parts = (name.replace("~", "~0").replace("/", "~1") for name in wrong)
        raise ValidationFailed(
            message, errors=tuple(FieldError(f"{pointer}/{at}", "unknown_field", message) for at in parts)
        )


class Columns:
    """The fields that columns stand for in one file, remembered by the name of the column."""

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        """Take the caller's mapping: it wins over synonyms, for its columns and for its fields."""
        given = mapping or {}
        self._exact = {name: _ALIASES.get(target, target) for name, target in given.items()}
        self._loose = {header_key(name): target for name, target in self._exact.items()}
        self._targets = frozenset(self._exact.values())
        self._known: dict[str, Place | None] = {}

    def place(self, column: str) -> Place | None:
        """Return the field of a column and its rank among the columns of that field (lower wins), None for no field."""
        try:
            return self._known[column]
        except KeyError:
            found = self._found(column)
            if len(self._known) < 10_000:  # noqa: PLR2004 - a hostile file may have a new column in every row
                self._known[column] = found
            return found

    def plan(self, names: Sequence[str]) -> Sequence[tuple[str, int]] | None:
        """Return which column is read for which field, in rows of these columns.

        None when that depends on the cells: two columns of one field, or both a stock and the words of one.
        """
        found = [(place[0], at) for at, name in enumerate(names) if (place := self.place(name)) is not None]
        fields = {field for field, _ in found}
        clear = len(fields) == len(found) and "more_images" not in fields and not {"stock", "availability"} <= fields
        return found if clear else None

    def _found(self, column: str) -> Place | None:
        key = header_key(column) if len(column) <= 200 else ""  # noqa: PLR2004 - no header is that long
        mapped = self._exact.get(column) or self._loose.get(key)
        if mapped is not None:
            return mapped, _MAPPED
        place = _PLACES.get(key)
        return None if place is None or place[0] in self._targets else place
