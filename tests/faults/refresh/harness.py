"""A whole refresh in one process, without sockets: real handler, jobs, store and warehouse; a scripted 3PL and queue."""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shared.adapters.duckdb.warehouse import DuckWarehouse
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock
from shared.core.ids import Ids, SequentialIds
from shared.jobs.kinds import JobKind
from shared.jobs.runner import Answer, JobRunner
from shared.jobs.service import JobService
from shared.oos.history import History
from shared.oos.marks import Marks
from shared.oos.publisher import Publisher
from shared.oos.reader import SnapshotReader
from shared.oos.refresh import RefreshHandler
from shared.oos.refresh_order import KIND as ORDER_KIND
from shared.oos.refresh_order import RefreshOrderHandler
from shared.oos.refreshes import KIND, RefreshService, ended_writes
from shared.oos.service import OosService
from shared.oos.source import Cursor, Fate, HeldOrder, SourcePage, StockSource, Verdict
from shared.oos.warehouse import oos_tables
from shared.ports.documents import Documents
from shared.ports.store import Store
from shared.ports.tasks import Task
from shared.ports.warehouse import Warehouse

__all__ = ["ScriptedSource", "ScriptedTasks", "World", "shapes"]

INDEXES = Path(__file__).parents[3] / "infra" / "firestore.indexes.json"


def shapes() -> Shapes:
    """Return the declared query shapes."""
    return Shapes.read(INDEXES)


class ScriptedSource:
    """A 3PL whose orders a test sets; pages of a fixed size; anything may be made to fail."""

    name = "shipbob"
    look_up_batch = 50
    stock: StockSource | None = None

    def __init__(self, page_size: int = 20) -> None:
        """Start without orders."""
        self.orders: dict[str, HeldOrder] = {}
        self.fates: dict[str, Fate] = {}
        self.page_size = page_size
        self.before_page: Callable[[int], None] = lambda _: None
        self.before_look_up: Callable[[], None] = lambda: None
        self.pages_read = 0
        self.asked: list[tuple[str, str | None]] = []

    def begin(self, now: datetime) -> Cursor:
        """Freeze the walk."""
        return {"page": 0}

    def page(self, cursor: Cursor) -> SourcePage:
        """Read one page."""
        number = cursor["page"]
        self.before_page(number)
        self.pages_read += 1
        ordered = [self.orders[key] for key in sorted(self.orders)]
        taken = ordered[number * self.page_size : (number + 1) * self.page_size]
        more = len(ordered) > (number + 1) * self.page_size
        return SourcePage(taken, len(taken), 0, {}, {"page": number + 1} if more else None)

    def look_up(self, orders: Sequence[tuple[str, str | None]]) -> dict[str, Verdict]:
        """Answer from `fates`; an order without one is still held when it is listed, else its look-up fails."""
        self.before_look_up()
        self.asked = list(orders)
        held = {key: Verdict(Fate.HELD, self.orders[key]) for key, _ in orders if key in self.orders}
        return held | {key: Verdict(self.fates[key]) for key, _ in orders if key in self.fates and key not in held}


class ScriptedTasks:
    """A queue held in memory, delivered when a test says so."""

    def __init__(self) -> None:
        """Start empty."""
        self.waiting: deque[Task] = deque()
        self.names: set[str] = set()

    def enqueue(self, task: Task) -> None:
        """Accept a task once per name."""
        if task.name not in self.names:
            self.names.add(task.name)
            self.waiting.append(task)

    def cancel(self, task: Task) -> None:
        """Forget a task."""
        if task in self.waiting:
            self.waiting.remove(task)

    def ping(self) -> None:
        """Answer."""


class ScriptedCatalogue:
    """Products by SKU, and which of them are new; counts what it is asked for."""

    def __init__(self) -> None:
        """Know nothing."""
        self.products: dict[str, str] = {}
        self.new: dict[str, str] | None = {}
        self.asked: list[set[str]] = []

    def product_ids(self, skus: Collection[str]) -> dict[str, str]:
        """Return the ids of known SKUs."""
        self.asked.append(set(skus))
        return {sku: self.products[sku] for sku in skus if sku in self.products}

    def made_since(self, moment: str) -> dict[str, str] | None:
        """Return the new products, or None for many, whatever the moment."""
        return self.new


class World:
    """Everything a refresh touches, over any documents adapter."""

    def __init__(
        self,
        documents: Documents,
        *,
        source: ScriptedSource | None = None,
        tasks: ScriptedTasks | None = None,
        warehouse: Warehouse | None = None,
        clock: ManualClock | None = None,
        ids: Ids | None = None,
    ) -> None:
        """Wire the services; several worlds over one database are several processes."""
        self.clock = clock or ManualClock()
        self.documents = documents
        self.source = source or ScriptedSource()
        self.tasks = tasks or ScriptedTasks()
        self.store = Store(documents, self.clock)
        self.ids = ids = ids or SequentialIds()
        tables = oos_tables()
        self.warehouse = warehouse or DuckWarehouse(":memory:", self.clock)
        self.warehouse.ensure(tables.all())
        self.reader = SnapshotReader(self.store, self.clock, timedelta(minutes=60))
        history = History(self.store, lambda: self.warehouse, tables.lines)
        self.marks = Marks(self.store, self.clock)
        self.catalogue = ScriptedCatalogue()
        publisher = Publisher(self.store, ids, history, self.reader.forget, self.catalogue)
        self.handler = RefreshHandler(self.store, publisher, lambda _: self.source, self.marks, currency="EUR")
        kinds = self._kinds(
            RefreshOrderHandler(publisher, lambda _: self.source, self.marks, self.reader, currency="EUR")
        )
        self.jobs = JobService(self.store, self.tasks, self.clock, ids, kinds)
        self.runner = JobRunner(self.jobs, self.clock, ids)
        self.refreshes = RefreshService(self.store, self.jobs, self.reader, ["shipbob"])
        self.oos = OosService(self.store, self.reader)

    def _kinds(self, one: RefreshOrderHandler) -> Mapping[str, JobKind]:
        ended = lambda record: ended_writes(self.store, self.reader.forget, record)  # noqa: E731 - a hook
        refresh = JobKind(KIND, "refresh", self.handler, "Refresh", on_end=ended)
        return {KIND: refresh, ORDER_KIND: JobKind(ORDER_KIND, "refresh", one, "Refresh of an order")}

    def twin(self, documents: Documents, source: ScriptedSource | None = None) -> "World":
        """Make another process over the same database, queue, warehouse and time."""
        shared: dict[str, Any] = {
            "tasks": self.tasks,
            "warehouse": self.warehouse,
            "clock": self.clock,
            "ids": self.ids,
        }
        return World(documents, source=source or self.source, **shared)

    @classmethod
    def in_memory(cls, **options: Any) -> "World":
        """Make a world of its own."""
        return cls(SqliteDocuments.in_memory(shapes()), **options)

    def trigger(self, *, accept_drop: bool = False) -> str:
        """Start or join a refresh; return its job id."""
        return self.refreshes.start("shipbob", SYSTEM, accept_drop=accept_drop)[0].job.id

    def deliver(self) -> Answer | None:
        """Deliver the next task, moving time to when it is due and to its retries; None when there is none."""
        if not self.tasks.waiting:
            return None
        task = self.tasks.waiting.popleft()
        if task.not_before is not None and task.not_before > self.clock.now():
            self.clock.advance((task.not_before - self.clock.now()).total_seconds())
        answer = self.runner.deliver(task.kind, dict(task.payload))
        if answer.status >= 429:
            self.clock.advance(float(answer.headers["Retry-After"]))
            self.tasks.waiting.append(task)
        return answer

    def drain(self, most: int = 100) -> None:
        """Deliver until the queue is empty."""
        for _ in range(most):
            if self.deliver() is None:
                return
        message = "the queue does not become empty"
        raise AssertionError(message)

    def refresh(self, *, accept_drop: bool = False) -> dict[str, Any]:
        """Run a whole refresh; return its run as JSON."""
        job_id = self.trigger(accept_drop=accept_drop)
        self.drain()
        return self.refreshes.run("run_" + job_id.partition("_")[2]).model_dump(mode="json")

    def seen(self) -> dict[str, str] | None:
        """Return what a new reader sees: open order ids with their last_seen_at; None before the first snapshot."""
        current = SnapshotReader(self.store, self.clock, timedelta(minutes=60)).current("shipbob")
        if current.loaded is None:
            return None
        rows = [row for row in current.loaded.rows if row["state"] == "open"]
        assert len(rows) == current.loaded.header.open_orders
        assert current.loaded.raw.keys() == {row["order_id"] for row in current.loaded.rows}
        return {row["order_id"]: row["last_seen_at"] for row in rows}
