"""Pure rules of stock: what a level counts, what a change may do to it. Levels and sums are the stored documents' data."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shared.core.clock import instant, parse_instant
from shared.core.errors import InsufficientStock, InvalidState, QuantityMismatch
from shared.core.money import rounded
from shared.core.quantities import MOST
from shared.core.words import words
from shared.inventory.lots import first_end, over_units, turning
from shared.inventory.words import MovementType, StockStatus

__all__ = [
    "TICK",
    "Data",
    "active_word",
    "can_take",
    "check_change",
    "expired",
    "facts_of_product",
    "facts_of_store",
    "follows_category",
    "labelled",
    "live",
    "may_be_low",
    "moved",
    "new_level",
    "new_stock",
    "place_word",
    "recounted",
    "rule_of",
    "search_tokens",
    "sellable",
    "shelf_word",
    "status_of",
    "summed",
    "threshold_of",
]

Data = dict[str, Any]

OUTGOING = frozenset({MovementType.REMOVAL, MovementType.SALE, MovementType.TRANSFER_OUT})
_DEFAULT_THRESHOLD = 10
_LONGEST_TOKEN = 12
TICK = timedelta(microseconds=1)


def follows_category(product: Mapping[str, Any]) -> bool:
    """Say whether nobody gave a product a threshold of its own; of one stored before that was kept, whether it has the default."""
    default: bool = product.get("reorder_threshold", _DEFAULT_THRESHOLD) == _DEFAULT_THRESHOLD
    return bool(product.get("follows_category_threshold", default))


def threshold_of(product: Mapping[str, Any], store_id: str | None = None) -> tuple[int, str | None]:
    """Return the threshold of a product in a store (None: over all stores) where the level has none, and the rule it is from.

    Given for the product, else for its category in that store, else for its category, else the default. Without thresholds of
    its category a product has its own number, the default where nobody gave one, and no rule needs to be told.
    """
    own: int = product.get("reorder_threshold", _DEFAULT_THRESHOLD)
    given = product.get("category_thresholds")
    if not given:
        return own, None
    if not follows_category(product):
        return own, "product"
    if store_id in given["stores"]:
        return given["stores"][store_id], "category_location"
    if given["threshold"] is not None:
        return given["threshold"], "category"
    return _DEFAULT_THRESHOLD, "default"


def facts_of_product(product: Mapping[str, Any], store_id: str | None = None) -> Data:
    """Return what a level (of a store) repeats of its product, from the product's document."""
    price = product.get("sale_price") or product.get("unit_cost")
    threshold, rule = threshold_of(product, store_id)
    return {
        "sku": product["sku"],
        "product_name": product["name"],
        "brand": product.get("brand"),
        "category": product.get("category"),
        "package_size": product.get("package_size"),
        "product_active": product.get("status", "active") == "active",
        "reorder_threshold": threshold,
        "threshold_rule": rule,
        "price": price,
        "sale_price": product.get("sale_price"),
        "currency": product.get("currency"),
    }


def facts_of_store(store: Mapping[str, Any]) -> Data:
    """Return what a level repeats of its store, from the store's document."""
    return {
        "store_name": store["name"],
        "region": store["region"],
        "in_warehouse": store["store_type"] == "Warehouse",
    }


def new_level(store_id: str, product_id: str, facts: Mapping[str, Any], now: datetime) -> Data:
    """Return a level without stock; `facts` are those of its product and store."""
    moment = instant(now)
    level: Data = {
        "store_id": store_id,
        "product_id": product_id,
        "on_hand": 0,
        "held": {},
        "reorder_level": None,
        "max_stock": None,
        "allow_negative": False,
        "movements": 0,
        "created_at": moment,
        "last_updated": moment,
        "version": 1,
    }
    return recounted(labelled(level, facts), now)


def new_stock(product_id: str) -> Data:
    """Return the sums of a product without levels."""
    return {
        "product_id": product_id,
        "current_stock": 0,
        "available_stock": 0,
        "reserved_stock": 0,
        "stock_version": 0,
        "expiries": {},
    }


def labelled(level: Mapping[str, Any], facts: Mapping[str, Any]) -> Data:
    """Return the level with (some) facts of its product or store, the words it is found by, and its place among names."""
    after = {**level, **facts}
    after |= {
        "active": active_word(active=after["product_active"]),
        "place": place_word(warehouse=after["in_warehouse"]),
    }
    after["shelf_key"] = f"{after['product_name']}\n{after['product_id']}"
    after["tokens"] = search_tokens(after.get(name) for name in ("product_name", "sku", "brand", "store_name"))
    return after


def search_tokens(texts: Iterable[str | None]) -> list[str]:
    """Return every beginning of every word, up to 12 characters, so that one equality finds a word's prefix."""
    found = {word for text in texts if text for word in words(text)}
    return sorted(set().union(*map(_beginnings, found)))


@lru_cache(4096)
def _beginnings(word: str) -> tuple[str, ...]:
    """Return every beginning of a word; texts of one shop share most of their words."""
    return tuple(word[:size] for size in range(1, min(len(word), _LONGEST_TOKEN) + 1))


def shelf_word(*, low: bool) -> str:
    """Return the word that lists of low (or not low) levels are found by.

    Words, because no embedded index tells JSON's true from 1: a filter by a boolean reads every document it passes.
    """
    return "low" if low else "fine"


def active_word(*, active: bool) -> str:
    """Return the word that levels of active products are found by."""
    return "active" if active else "inactive"


def place_word(*, warehouse: bool) -> str:
    """Return the word that levels in warehouses are found by."""
    return "warehouse" if warehouse else "shop"


def live(level: Mapping[str, Any], now: datetime) -> int:
    """Return the units reserved at a moment: those of reservations that have no end or one still to come."""
    moment = instant(now)
    return sum(quantity for quantity, until in level["held"].values() if until is None or until > moment)


def expired(level: Mapping[str, Any], now: datetime) -> list[str]:
    """Return the ids of reservations that have ended and still lie in the level."""
    moment = instant(now)
    return [name for name, (_, until) in level["held"].items() if until is not None and until <= moment]


def recounted(level: Mapping[str, Any], now: datetime) -> Data:
    """Return the level with everything that follows from its quantities, threshold and price."""
    after = dict(level)
    reserved = live(level, now)
    gone = over_units(level, now)
    available = max(0, level["on_hand"] - gone - reserved)
    threshold = level["reorder_level"] if level["reorder_level"] is not None else level["reorder_threshold"]
    status = status_of(available, threshold)
    ends = [until for _, until in level["held"].values() if until is not None] + turning(level, now)
    price = level["price"]
    after |= {
        "reserved": reserved,
        "available": available,
        "effective_reorder_level": threshold,
        "stock_status": status.value,
        "low_stock": status is not StockStatus.SUFFICIENT,
        "shelf": shelf_word(low=status is not StockStatus.SUFFICIENT),
        "next_expiry": min(ends, default=None),
        "value": None if price is None else str(rounded(Decimal(price) * level["on_hand"])),
    }
    if "lots" in level:
        after |= {"expired": gone, "lots_until": first_end(level)}
    return after


def may_be_low(level: Mapping[str, Any]) -> bool:
    """Say whether an alert about low stock may hang on a level.

    It begins at the threshold and ends at most as far above it again (a hysteresis of 100 %), one unit at least. Of a level
    whose units end by themselves nobody can say.
    """
    return level["next_expiry"] is not None or level["available"] <= 2 * max(1, level["effective_reorder_level"])


def rule_of(level: Mapping[str, Any]) -> str:
    """Return where the threshold of a level is from: level, product, category_location, category or default."""
    return "level" if level["reorder_level"] is not None else level.get("threshold_rule") or "product"


def sellable(level: Mapping[str, Any], now: datetime) -> Data:
    """Return the level as if its expired units were gone."""
    return {**level, "on_hand": level["on_hand"] - over_units(level, now)}


def status_of(available: int, threshold: int) -> StockStatus:
    """Return how so many available units stand against a threshold; at the threshold is low."""
    if available <= 0:
        return StockStatus.CRITICAL
    return StockStatus.LOW if available <= threshold else StockStatus.SUFFICIENT


def check_change(
    level: Mapping[str, Any], quantity: int, kind: MovementType, now: datetime, *, expected: int | None = None
) -> None:
    """Raise QuantityMismatch, InsufficientStock or InvalidState when the change may not be made."""
    on_hand = level["on_hand"]
    if expected is not None and expected != on_hand:
        detail = "The quantity on hand is not the one you expected; read it again."
        raise QuantityMismatch(detail, current_quantity=on_hand)
    if not level["allow_negative"] and quantity < 0:
        available = max(0, on_hand - over_units(level, now) - live(level, now))
        floor = available if kind in OUTGOING else max(0, on_hand)
        if -quantity > floor:
            raise _short(floor, -quantity)
    if not -MOST <= on_hand + quantity <= MOST:
        detail = f"A level holds between {-MOST} and {MOST} units."
        raise InvalidState(detail, current=on_hand, allowed=[])


def can_take(level: Mapping[str, Any], quantity: int, now: datetime) -> bool:
    """Say whether so many units may leave a level."""
    return bool(level["allow_negative"]) or quantity <= max(
        0, level["on_hand"] - over_units(level, now) - live(level, now)
    )


def moved(level: Mapping[str, Any], quantity: int, now: datetime) -> Data:
    """Return the level after a change; its time is later than that of every earlier movement of the level."""
    moment = max(now, parse_instant(level["last_updated"]) + TICK) if level["movements"] else now
    after = {
        **level,
        "on_hand": level["on_hand"] + quantity,
        "movements": level["movements"] + 1,
        "last_updated": instant(moment),
    }
    return recounted(after, now)


def summed(stock: Mapping[str, Any], level_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Data:
    """Return the product's sums after one of its levels changed; keys that others keep in them stay."""
    expiries = {name: until for name, until in stock["expiries"].items() if name != level_id}
    if after["next_expiry"] is not None:
        expiries[level_id] = after["next_expiry"]
    sums: Data = {**stock, "expiries": expiries}
    for name, of_level in (("current", "on_hand"), ("available", "available"), ("reserved", "reserved")):
        sums[f"{name}_stock"] += after[of_level] - (before[of_level] if before else 0)
    if "reorder_threshold" in sums:
        sums["stock_status"] = status_of(sums["current_stock"], sums["reorder_threshold"]).value
    return sums


def _short(available: int, requested: int) -> InsufficientStock:
    units = "unit is" if available == 1 else "units are"
    detail = f"Only {available} {units} available at this store; {requested} were requested."
    return InsufficientStock(detail, available=available, requested=requested)
