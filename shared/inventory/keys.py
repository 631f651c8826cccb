"""Where the documents of stock live. A level's id follows from its store and product, so a pair has one level."""

import base64
import hashlib
from functools import lru_cache

from shared.ports.documents import Key

__all__ = [
    "LEVELS",
    "MOVEMENTS",
    "PRODUCTS",
    "PRODUCT_STOCK",
    "RESERVATIONS",
    "STORES",
    "level_id",
    "level_key",
    "movement_key",
    "product_key",
    "reservation_key",
    "stock_key",
    "store_key",
]

LEVELS = "levels"
MOVEMENTS = "movements"
RESERVATIONS = "reservations"
PRODUCT_STOCK = "product_stock"
PRODUCTS = "products"
STORES = "stores"


@lru_cache(4096)  # one booking asks for the same level several times
def level_id(store_id: str, product_id: str) -> str:
    """Return the id of the one level of a store and a product."""
    digest = hashlib.blake2b(f"{store_id}\n{product_id}".encode(), digest_size=16).digest()
    return f"lvl_{base64.b32encode(digest).decode().rstrip('=').lower()}"


def level_key(store_id: str, product_id: str) -> Key:
    """Return where the level of a store and a product lies."""
    return Key(LEVELS, level_id(store_id, product_id))


def movement_key(movement_id: str) -> Key:
    """Return where a movement lies."""
    return Key(MOVEMENTS, movement_id)


def reservation_key(reservation_id: str) -> Key:
    """Return where a reservation lies."""
    return Key(RESERVATIONS, reservation_id)


def stock_key(product_id: str) -> Key:
    """Return where the sums over a product's levels lie."""
    return Key(PRODUCT_STOCK, product_id)


def product_key(product_id: str) -> Key:
    """Return where a product lies."""
    return Key(PRODUCTS, product_id)


def store_key(store_id: str) -> Key:
    """Return where a store lies."""
    return Key(STORES, store_id)
