"""The job of a sync: page by page, record by record, resumable; a supplier's error fails it, a record's is counted."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from shared.core.caller import SYSTEM
from shared.core.clock import Clock, instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import SUPPLIER_SYNC
from shared.jobs.record import Record
from shared.ports.documents import Create, Key, Put, Query, Write
from shared.ports.store import Store
from shared.suppliers.connections import Connections, supplier_key
from shared.suppliers.port import NEEDS_CONSENT, Item, Page, Source, Walk
from shared.suppliers.upsert import Upsert

__all__ = ["KIND", "RUNS", "SyncWork", "run_key"]

KIND = SUPPLIER_SYNC
RUNS = "sync_runs"
_MARGIN_S = 60.0
_AT_ONCE = 50
_MOST_ERRORS = 10
_MOST_KNOWN = 10_000
_COUNTS: Mapping[str, Any] = {"fetched": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0, "errors": []}
_LETTERS = {"c": "created", "u": "updated", "s": "unchanged", "f": "failed"}
_LETTER_OF = {what: letter for letter, what in _LETTERS.items()}
Data = dict[str, Any]


def run_key(job_id: str) -> Key:
    """Return where the record of a sync lies."""
    return Key(RUNS, "syn_" + job_id.partition("_")[2])


@dataclass(frozen=True)
class SyncWork:
    """The handler of job kind `supplier-sync`, and what is written when such a job starts and ends."""

    store: Store
    clock: Clock
    connections: Connections
    upsert: Upsert
    track: Callable[[Source, str], tuple[int, int]]

    def __call__(self, step: Step) -> Done | Continue:
        """Carry the sync on, as far as this delivery's time allows."""
        source = self._source(step.input["supplier_id"])
        try:
            return self._carried(step, source)
        finally:
            self.connections.noted(step.input["supplier_id"], source)

    def _carried(self, step: Step, source: Source) -> Done | Continue:
        if step.cursor is None:
            self._begin(step, source)
        while step.cursor["phases"]:
            if step.time_left() < _MARGIN_S:
                return Continue()
            phase = step.cursor["phases"][0]
            if phase == "orders":
                self._orders(step, source)
            elif not self._page(step, source):
                return Continue()
        counts = step.counts
        if counts["failed"] and counts["failed"] >= counts["fetched"]:
            first = counts["errors"][0]["message"] if counts["errors"] else "no reason was kept"
            raise Terminal("nothing_taken", f"None of {counts['fetched']} records could be taken: {first}"[:300])
        self.connections.works(step.input["supplier_id"])
        return Done(dict(counts))

    def started(self, job: Record) -> Sequence[Write]:
        """Return the record of a new sync."""
        given = job.input
        kept = {name: given[name] for name in ("supplier_id", "sync_type", "trigger")}
        data = {**kept, "job_id": job.id, "status": "queued", "created_at": job.created_at, "started_at": None}
        return [Create(run_key(job.id), {**data, "finished_at": None, **_COUNTS})]

    def ended(self, job: Record) -> Sequence[Write]:
        """Return the record of a finished sync, and what its connection says from now on."""
        writes: list[Write] = []
        run, supplier = self.store.get(run_key(job.id)), self.store.get(supplier_key(job.input["supplier_id"]))
        now = instant(self.clock.now())
        counts = {**_COUNTS, **job.counts}
        if run is not None:
            writes.append(
                Put(run.key, {**run.data, **counts, "status": str(job.status), "finished_at": now}, run.version)
            )
        if supplier is not None:
            succeeded = str(job.status) == "succeeded"
            error = None if succeeded else (job.error or {}).get("detail", str(job.status))
            code = (job.error or {}).get("code")
            refused = code in {"credentials_rejected", NEEDS_CONSENT}
            told = {"last_sync": now, "last_sync_status": str(job.status), "last_error": error}
            status = (
                "error"
                if refused
                else "connected"
                if succeeded and supplier.data["status"] == "error"
                else supplier.data["status"]
            )
            told |= {"needs": "credentials"} if code == "credentials_rejected" else {}
            writes.append(Put(supplier.key, {**supplier.data, **told, "status": status}, supplier.version))
        return writes

    def _source(self, supplier_id: str) -> Source:
        try:
            return self.connections.source(self.connections.get(supplier_id))
        except Problem as refused:
            raise Terminal("no_connection", refused.detail) from None

    def _begin(self, step: Step, source: Source) -> None:
        kind = step.input["sync_type"]
        phases = {"full": ["products", "orders"], "orders": ["orders"]}.get(kind, [kind])
        run = self.store.get(run_key(step.job_id))
        writes: list[Write] = []
        if run is not None:
            started = {**run.data, "status": "running", "started_at": instant(step.now)}
            writes.append(Put(run.key, started, run.version))
        step.checkpoint(
            cursor={"phases": phases, "walk": None, "done": 0, "touched": {}}, counts=dict(_COUNTS), writes=writes
        )

    def _page(self, step: Step, source: Source) -> bool:
        """Read and take one page; say whether there is time for another."""
        cursor = step.cursor
        if cursor["walk"] is None:
            walk = source.begin(self._wanted(step, cursor["phases"][0]))
            step.checkpoint(cursor={**cursor, "walk": dict(walk), "done": 0})
            return True
        page = source.page(cursor["walk"])
        if cursor["done"] == 0 and page.rejected:
            step.checkpoint(counts=_with_errors(step.counts, page.rejected))
        while step.cursor["done"] < len(page.items):
            if step.time_left() < _MARGIN_S:
                return False
            self._some(step, page)
        following = {**step.cursor, "done": 0, "walk": dict(page.next) if page.next is not None else None}
        if page.next is None:
            following["phases"] = following["phases"][1:]
        read, failed = step.counts["fetched"], step.counts["failed"]
        step.checkpoint(cursor=following, progress=(read, None, f"{read} products read", failed))
        return True

    def _some(self, step: Step, page: Page) -> None:
        """Take the next records of a page and say so."""
        done, supplier_id = step.cursor["done"], step.input["supplier_id"]
        items = page.items[done : done + _AT_ONCE]
        known = self.upsert.known(supplier_id, items)
        touched: dict[str, str] = dict(step.cursor["touched"])
        counts = dict(step.counts)
        for item in items:
            product_id = known.get(item.supplier_product_id)
            if page.counts:
                counts["fetched"] += 1
            if product_id is None and not page.creates:
                counts["unchanged"] += page.counts
                continue
            self._one(supplier_id, item, product_id, _Tally(counts, touched, first=page.counts))
        step.checkpoint(cursor={**step.cursor, "done": done + len(items), "touched": touched}, counts=counts)

    def _one(self, supplier_id: str, item: Item, product_id: str | None, tally: "_Tally") -> None:
        try:
            happened, _ = self.upsert.take(SYSTEM, supplier_id, item, product_id)
        except (Problem, ValidationError) as refused:
            if isinstance(refused, Problem) and refused.status >= 500:  # noqa: PLR2004 - trouble of ours, not of the record
                raise Transient("store", refused.detail) from refused
            code = refused.name if isinstance(refused, Problem) else "invalid"
            message = refused.detail if isinstance(refused, Problem) else refused.errors()[0]["msg"]
            tally.failed(item.supplier_product_id, code, message)
        else:
            tally.happened(item.supplier_product_id, happened)

    def _wanted(self, step: Step, phase: str) -> Walk:
        given = step.input
        known: list[str] = []
        if phase == "stock":
            query = Query("supplier_links", (("supplier_id", given["supplier_id"]),))
            for stored in self.store.walk(query):
                if stored.data["supplier_product_id"] and len(known) < _MOST_KNOWN:
                    known.append(stored.data["supplier_product_id"])
        return Walk(phase, given["limit"], given["category_filter"], given["in_stock_only"], tuple(known))

    def _orders(self, step: Step, source: Source) -> None:
        """Read how our supplier orders stand, and pass tracking numbers on."""
        read, shipped = self.track(source, step.input["supplier_id"])
        counts = {**step.counts, "fetched": step.counts["fetched"] + read, "updated": step.counts["updated"] + shipped}
        counts["unchanged"] += read - shipped
        progress = (counts["fetched"], None, f"{read} orders read", counts["failed"])
        step.checkpoint(cursor={**step.cursor, "phases": step.cursor["phases"][1:]}, counts=counts, progress=progress)


@dataclass(frozen=True)
class _Tally:
    """Counts each product once in a sync, whatever number of lists it stands in: created beats updated beats unchanged."""

    counts: Data
    touched: dict[str, str]
    first: bool

    def happened(self, key: str, what: str) -> None:
        """Count what happened to a product."""
        before = self._before(key)
        if before is None and not self.first and what == "unchanged":
            return
        if before in {None, "unchanged"} and before != what:
            self._count(key, before, what)

    def failed(self, key: str, code: str, message: str) -> None:
        """Count a record that the catalogue does not take."""
        before = self._before(key)
        if before == "failed":
            return
        self._count(key, before, "failed")
        self.counts["errors"] = [*self.counts["errors"], {"key": key, "code": code, "message": message[:200]}][
            :_MOST_ERRORS
        ]

    def _before(self, key: str) -> str | None:
        letter = self.touched.get(_short(key))
        return None if letter is None else _LETTERS[letter]

    def _count(self, key: str, before: str | None, what: str) -> None:
        if before is not None:
            self.counts[before] -= 1
        self.counts[what] += 1
        self.touched[_short(key)] = _LETTER_OF[what]


def _short(key: str) -> str:
    """Return ten characters that stand for a key in a cursor, which is written after every few records."""
    return blake2b(key.encode(), digest_size=5).hexdigest()


def _with_errors(counts: Mapping[str, Any], rejected: Sequence[tuple[str, str, str]]) -> Data:
    told = [{"key": key, "code": code, "message": message[:200]} for key, code, message in rejected]
    errors = [*counts["errors"], *told][:_MOST_ERRORS]
    return {
        **counts,
        "fetched": counts["fetched"] + len(told),
        "failed": counts["failed"] + len(told),
        "errors": errors,
    }
