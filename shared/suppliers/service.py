"""Asking for syncs and looking at them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.core.caller import SYSTEM, Caller
from shared.core.clock import instant
from shared.core.errors import InvalidState, NotFound
from shared.core.values import dataclass
from shared.jobs.record import Record
from shared.jobs.service import JobService, Started
from shared.ports.documents import Key, Query, Stored
from shared.ports.store import Store
from shared.suppliers.connections import Connections
from shared.suppliers.models import HistoryFilter, SyncOptions, SyncRun, TriggerSync
from shared.suppliers.sync import KIND, RUNS

__all__ = ["Syncs"]

_ORDERLESS = "feed"


@dataclass(frozen=True)
class Syncs:
    """The syncs of this deployment."""

    store: Store
    jobs: JobService
    connections: Connections

    def one(
        self, caller: Caller, supplier_id: str, sync_type: str, options: SyncOptions, *, trigger: str = "manual"
    ) -> Started:
        """Start a sync of a connection, or join the live one of the same type; raise NotFound or InvalidState."""
        stored = self.connections.get(supplier_id)
        if stored.data["status"] == "disabled":
            raise InvalidState("This supplier is disabled.", current="disabled", allowed=["connected"])
        if sync_type == "orders" and stored.data["supplier_type"] == _ORDERLESS:
            raise InvalidState("A feed supplier takes no orders.", current="feed", allowed=["products", "stock"])
        kind = "products" if sync_type == "full" and stored.data["supplier_type"] == _ORDERLESS else sync_type
        given = {
            "supplier_id": supplier_id,
            "sync_type": kind,
            "trigger": trigger,
            **options.model_dump(include=_OPTIONS),
        }
        return self.jobs.start(KIND, f"{supplier_id}:{kind}", given, caller)

    def trigger(self, caller: Caller, wanted: TriggerSync) -> list[Started]:
        """Start syncs of one connection, or of all that are connected; raise InvalidState when there is none."""
        kind = wanted.sync_type.value
        if wanted.supplier_id is not None:
            return [self.one(caller, wanted.supplier_id, kind, wanted.options)]
        fitting = [
            one for one in self.connections.connected() if kind != "orders" or one.data["supplier_type"] != _ORDERLESS
        ]
        if not fitting:
            raise InvalidState("No supplier is connected.", current="not_connected", allowed=["connected"])
        return [self.one(caller, one.key.id, kind, wanted.options) for one in fitting]

    def scheduled(self, schedule: Mapping[str, Any]) -> str:
        """Start the sync of a schedule; return the job's id."""
        options = SyncOptions(**schedule["options"])
        started = self.one(SYSTEM, schedule["supplier_id"], schedule["sync_type"], options, trigger="schedule")
        return started.job.id

    def stock_of_all(self) -> list[str]:
        """Start the hourly stock sync of the connections that want it."""
        started: list[str] = []
        for one in self.connections.connected():
            if one.data["auto_sync_stock"]:
                with suppress(InvalidState, NotFound):  # disabled or disconnected since it was listed
                    options = SyncOptions()
                    started.append(self.one(SYSTEM, one.key.id, "stock", options, trigger="schedule").job.id)
        return started

    def running(self, supplier_id: str) -> str | None:
        """Return the id of a live sync of a connection."""
        kinds = ("products", "stock", "orders", "full")
        keys = [Key("job_locks", f"{KIND}:{supplier_id}:{kind}") for kind in kinds]
        for lock in self.store.get_many(keys).values():
            job = self.store.get(Key("jobs", lock.data["job_id"]))
            if job is not None and Record.of(job).live:
                return job.key.id
        return None

    @staticmethod
    def sought(wanted: HistoryFilter) -> Query:
        """Return the document query of the history."""
        given = {"sync_type": wanted.sync_type, "supplier_id": wanted.supplier_id, "status": wanted.status}
        named = {name: tuple(dict.fromkeys(str(value) for value in values)) for name, values in given.items() if values}
        return Query(
            RUNS,
            tuple((name, values[0] if len(values) == 1 else values) for name, values in named.items()),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    @staticmethod
    def run(stored: Stored) -> SyncRun:
        """Return a sync as shown."""
        names: Sequence[str] = [name for name in SyncRun.model_fields if name != "id"]
        return SyncRun(id=stored.key.id, **{name: stored.data[name] for name in names})


_OPTIONS = {"limit", "category_filter", "in_stock_only"}
