"""The world behind a simulator: orders and stock that change as a vendor would show it.

Every change has a name, so that the same change can be made from Python, over the control side, or by a script between two
pages. `truth` counts the open held set from this state alone; it shares no code with the connectors it checks.
"""

import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Generic, TypeVar

from local.demo.baskets import Good
from local.demo.chance import chance
from local.simulators.stock import Stock
from shared.core.clock import Clock
from shared.core.values import dataclass, field

__all__ = ["Dataset", "Event", "Setting", "UnknownChange", "World"]

OrderT = TypeVar("OrderT")
TICK_S = 60
_EVENTS_KEPT = 5_000


class UnknownChange(LookupError):
    """A change, order, SKU or place that this world does not have."""


@dataclass(slots=True)
class Dataset(Generic[OrderT]):
    """What a simulator starts with: orders in the order of their making, the goods, the stock, and the time it was made for."""

    orders: list[OrderT]
    goods: list[Good]
    stock: Stock
    seed: int
    anchor: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something a vendor would tell by webhook."""

    topic: str
    order_id: str
    at: datetime


@dataclass(slots=True)
class Setting:
    """What a world runs in: the clock, how to move it, and the lock that makes a change and an answer exclude each other."""

    clock: Clock
    advance: Callable[[float], None]
    lock: RLock = field(default_factory=RLock)


class World(ABC, Generic[OrderT]):
    """Orders and stock with named changes; `version` grows with every change."""

    changes: frozenset[str] = frozenset()

    def __init__(self, data: Dataset[OrderT], setting: Setting) -> None:
        """Take over a data set; it is changed in place."""
        self.version = 0
        self.stock = data.stock
        self.goods = data.goods
        self.orders = data.orders
        self.events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self.injected: list[Any] = []
        self.setting = setting
        self._seed = data.seed
        self._anchor = data.anchor
        self._tick = 0
        self._at: datetime | None = None

    @property
    def lock(self) -> RLock:
        """Return the lock that changes and answers share."""
        return self.setting.lock

    def now(self) -> datetime:
        """Return the virtual time, or the time of the tick being lived."""
        return self._at or self.setting.clock.now()

    def apply(self, change: Mapping[str, Any]) -> Any:
        """Make one change given as `{"op": name, ...arguments}`; raise UnknownChange when there is no such change."""
        arguments = dict(change)
        name = arguments.pop("op", None)
        if name not in self.changes:
            message = f"unknown change {name!r}; there are {', '.join(sorted(self.changes))}"
            raise UnknownChange(message)
        return getattr(self, name)(**arguments)

    def advance(self, days: float) -> None:
        """Let virtual days pass."""
        self.setting.advance(days * 86_400)

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let what is changed inside have happened at that time; nobody reads the world meanwhile."""
        with self.lock:
            self._at = moment
            try:
                yield
            finally:
                self._at = None

    def inject(self, record: Any) -> None:
        """Let a raw record, however broken, stand at the end of the order list."""
        with self.lock:
            self.injected.append(record)
            self.version += 1

    def live(self) -> None:
        """Let everything happen by itself that the seed has planned up to now: restocks, new orders, shipments."""
        due = int((self.now() - self._anchor) / timedelta(seconds=TICK_S))
        for tick in range(self._tick + 1, due + 1):
            self._at = self._anchor + timedelta(seconds=tick * TICK_S)
            self.happen(chance("tick", self._seed, tick), tick)
        self._at = None
        self._tick = max(self._tick, due)

    def good(self, sku: str) -> Good:
        """Return the good with that SKU, or raise UnknownChange."""
        if sku not in self.stock.by_sku:
            message = f"no good has the SKU {sku!r}"
            raise UnknownChange(message)
        return self.stock.by_sku[sku]

    def happened(self, topic: str, order_id: str) -> None:
        """Count a change and remember it as an event."""
        self.version += 1
        self.events.append(Event(topic, order_id, self.now()))

    @abstractmethod
    def happen(self, rng: random.Random, tick: int) -> None:
        """Make what one tick brings."""

    def ready(self, before: datetime) -> list[str]:
        """Return the plain orders made before that time which are on their way and lack nothing, by the name changes take."""
        return []

    @abstractmethod
    def truth(self, statuses: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the open held set, one entry per grain, sorted."""
