"""Levels and sums in hand for one commit: read once, changed in memory, written together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shared.core.errors import AlreadyExists, InvalidState, NotFound, ValidationFailed
from shared.core.values import dataclass, field
from shared.inventory.keys import level_id, level_key, movement_key, product_key, stock_key, store_key
from shared.inventory.rules import (
    Data,
    facts_of_product,
    facts_of_store,
    labelled,
    may_be_low,
    new_level,
    new_stock,
    recounted,
    summed,
)
from shared.ports.documents import Create, Delete, Key, Put, Stored, Write

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.core.ids import Ids
    from shared.ports.store import Store
    from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["MOVEMENT_TABLE", "Desk", "Pair", "WorkingSet"]

Pair = tuple[str, str]
"""A product's id and a store's id."""

MOVEMENT_TABLE = "stock_movements"
_NOTHING: Mapping[str, Sequence[Data]] = {}
_ROWS = 100


@dataclass(frozen=True)
class Desk:
    """What booking needs.

    `on_change` is told, inside the commit, which levels changed that are or were near their threshold (an alert check is
    queued there); `on_rows` is called after the commit, when rows wait for the warehouse.
    """

    store: Store
    clock: Clock
    ids: Ids
    outbox: WarehouseOutbox
    on_change: Callable[[Sequence[Pair]], None] = lambda _: None
    on_rows: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Held:
    """A document as read (None: it does not exist) and as it will be."""

    stored: Stored | None
    data: Data | None

    @property
    def changed(self) -> bool:
        return self.data is not None and (self.stored is None or self.data != self.stored.data)


@dataclass(slots=True)
class _Made:
    """What was decided besides levels and sums."""

    movements: list[Data] = field(default_factory=list)
    other: list[Write] = field(default_factory=list)
    touched: list[Pair] = field(default_factory=list)
    moves: Counter[Pair] = field(default_factory=Counter)


class WorkingSet:
    """Levels and sums as they stand in one commit."""

    def __init__(self, desk: Desk, pairs: Sequence[Pair]) -> None:
        """Read what the pairs need; use `Ledger.open`."""
        self._desk, self._store = desk, desk.store
        self.now: datetime = desk.clock.now()
        self._levels: dict[Pair, _Held] = {}
        self._sums: dict[str, _Held] = {}
        self._facts: dict[Key, Stored] = {}
        self._made = _Made()
        self.include(pairs)

    def include(self, pairs: Iterable[Pair]) -> None:
        """Read further pairs into the same booking."""
        new = [pair for pair in pairs if pair not in self._levels]
        keys = [key for product, store in new for key in (level_key(store, product), stock_key(product))]
        found = self._store.get_many(list(dict.fromkeys(keys))) if keys else {}
        for product, store in new:
            level, sums = found.get(level_key(store, product)), found.get(stock_key(product))
            self._levels[product, store] = _Held(level, level.data if level else None)
            self._sums.setdefault(product, _Held(sums, sums.data if sums else None))
        self._read_facts([pair for pair in new if self._levels[pair].data is None])

    def level(self, product_id: str, store_id: str) -> Data | None:
        """Return the level's data as it stands in this booking, with reservations counted now; None without one."""
        data = self._levels[product_id, store_id].data
        return None if data is None else recounted(data, self.now)

    def level_id(self, product_id: str, store_id: str) -> str:
        """Return the id of a pair's level."""
        return level_id(store_id, product_id)

    def version(self, product_id: str, store_id: str) -> int:
        """Return the level's present version; 0 without one."""
        data = self._levels[product_id, store_id].data
        return data["version"] if data else 0

    def available(self, product_id: str, store_id: str) -> int:
        """Return the units that may be taken from a level now."""
        level = self.level(product_id, store_id)
        return level["available"] if level else 0

    def stock(self, product_id: str) -> Data:
        """Return the sums over a product's levels as they stand in this booking (zeros without any)."""
        data = self._sums[product_id].data
        return data if data is not None else new_stock(product_id)

    def require(self, product_id: str, store_id: str) -> None:
        """Raise NotFound when the pair has no level and its product or store does not exist."""
        if self._levels[product_id, store_id].data is not None:
            return
        for key, word in ((product_key(product_id), "product"), (store_key(store_id), "store")):
            if key not in self._facts:
                raise NotFound(f"No {word} has this id.", resource=word)

    def refuse_kit(self, product_id: str, store_id: str) -> None:
        """Raise ValidationFailed for a kit, which has no stock of its own, and NotFound as `require`.

        Whoever brings units to a shelf by hand, or holds some, asks this first; what comes back from sales made before a product
        was a kit may be taken out.
        """
        self.require(product_id, store_id)
        product, sums = self._facts.get(product_key(product_id)), self.stock(product_id)
        if sums.get("is_kit") or (product is not None and product.data.get("kit")):
            detail = "A kit has no stock of its own; book its components."
            raise ValidationFailed.at("/product_id", "is_kit", detail)

    def ensure_level(self, product_id: str, store_id: str) -> Data:
        """Return the pair's level, made empty when there is none; raise NotFound."""
        held = self._levels[product_id, store_id]
        if held.data is None:
            self._replace((product_id, store_id), self.level_or_empty(product_id, store_id))
        assert held.data is not None
        return held.data

    def level_or_empty(self, product_id: str, store_id: str) -> Data:
        """Return the pair's level, or what it would begin as, without making it; raise NotFound."""
        data = self._levels[product_id, store_id].data
        if data is not None:
            return data
        self.require(product_id, store_id)
        product, store = self._facts[product_key(product_id)], self._facts[store_key(store_id)]
        facts = facts_of_product(product.data, store_id) | facts_of_store(store.data)
        return new_level(store_id, product_id, facts, self.now)

    def create_level(self, product_id: str, store_id: str) -> Data:
        """Make the pair's level; raise AlreadyExists when it has one."""
        if self._levels[product_id, store_id].data is not None:
            raise AlreadyExists("This store has a level of this product.", field="product_id")
        return self.ensure_level(product_id, store_id)

    def relabel(self, product_id: str, store_id: str, facts: Data, *, tell: bool = False) -> None:
        """Let a level repeat new facts of its product or store; nothing a caller could have changed moves.

        With `tell` a level whose threshold in force is another counts as changed, so that alerts look at it.
        """
        level = self._levels[product_id, store_id].data
        if level is None:
            return
        after = recounted(labelled(level, facts), self.now)
        self._replace((product_id, store_id), after)
        if tell and after["effective_reorder_level"] != level["effective_reorder_level"]:
            self._touch((product_id, store_id))

    def drop_level(self, product_id: str, store_id: str) -> None:
        """Remove a level that holds nothing; raise InvalidState otherwise."""
        held = self._levels[product_id, store_id]
        if held.data is None or held.stored is None:
            return
        if held.data["on_hand"] != 0 or held.data["held"]:
            raise InvalidState("There is stock.", current=held.data["on_hand"], allowed=[0])
        self._made.other.append(Delete(held.stored.key, held.stored.version))
        held.data = held.stored.data

    def writes(self, beside: Mapping[str, Sequence[Data]] = _NOTHING) -> list[Write]:
        """Return everything decided so far; warehouse rows `beside` travel with those of the movements."""
        writes: list[Write] = [
            _write(level_key(store, product), held) for (product, store), held in self._levels.items() if held.changed
        ]
        writes += [_write(stock_key(product), held) for product, held in self._sums.items() if held.changed]
        writes += self._made.other
        if self._made.movements:
            writes += [Create(movement_key(one["id"]), _document(one)) for one in self._made.movements]
            writes += self._rows(beside)
        return writes

    def _rows(self, beside: Mapping[str, Sequence[Data]]) -> list[Write]:
        """Return the rows for the warehouse, at most `_ROWS` in one document, so that a flush holds no more than it can."""
        moves, outbox = self._made.movements, self._desk.outbox
        return [
            outbox.rows(
                MOVEMENT_TABLE, moves[at]["id"], [_row(one) for one in moves[at : at + _ROWS]], {} if at else beside
            )
            for at in range(0, len(moves), _ROWS)
        ]

    def write(self, beside: Mapping[str, Sequence[Data]] = _NOTHING) -> None:
        """Let everything decided join the surrounding commit; see `writes`."""
        self._store.write(self.writes(beside))
        told = [pair for pair in dict.fromkeys(self._made.touched) if self._is_near(pair)]
        if told:
            self._desk.on_change(told)
        if self._made.movements:
            self._store.after_commit(self._desk.on_rows)

    def _replace(self, pair: Pair, after: Data) -> None:
        held, sums = self._levels[pair], self._sums[pair[0]]
        sums.data = summed(self.stock(pair[0]), level_id(pair[1], pair[0]), held.data, after)
        held.data = after

    def _next_version(self, pair: Pair) -> int:
        """Return the version a level has after this commit: one more than was read for every movement, 1 for a new one."""
        stored = self._levels[pair].stored
        return stored.data["version"] + max(1, self._made.moves[pair]) if stored else 1

    def _is_near(self, pair: Pair) -> bool:
        """Say whether an alert may hang on a level as it was or as it will be; on a new one of a product not sold none does."""
        held = self._levels[pair]
        was = None if held.stored is None else held.stored.data
        if was is None or held.data is None:
            return held.data is None or bool(held.data["product_active"])
        return may_be_low(was) or may_be_low(held.data)

    def _touch(self, pair: Pair) -> None:
        self._made.touched.append(pair)

    def _read_facts(self, pairs: Sequence[Pair]) -> None:
        keys = [key for product, store in pairs for key in (product_key(product), store_key(store))]
        unread = [key for key in dict.fromkeys(keys) if key not in self._facts]
        if unread:
            self._facts |= self._store.get_many(unread)


def _write(key: Key, held: _Held) -> Write:
    assert held.data is not None
    return Create(key, held.data) if held.stored is None else Put(key, held.data, held.stored.version)


def _document(movement: Data) -> dict[str, Any]:
    return {name: value for name, value in movement.items() if name != "id"}


def _row(movement: Data) -> dict[str, Any]:
    row = {name: movement[name] for name in _ROW}
    return {**row, "lots": to_json(movement["lots"]).decode()} if movement.get("lots") else row


_ROW = (
    "id",
    "created_at",
    "product_id",
    "store_id",
    "transaction_type",
    "quantity",
    "previous_stock",
    "new_stock",
    "reason",
    "reference",
    "user_id",
)
