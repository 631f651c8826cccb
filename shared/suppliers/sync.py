"""The job of a sync: page by page, resumable; a supplier's error fails it, a record's is counted.

What records change is committed together with how far the sync is, many records at a time: whatever dies in between, each
record is taken and counted once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.core.caller import SYSTEM
from shared.core.clock import Clock, instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import SUPPLIER_SYNC
from shared.jobs.record import Record
from shared.jobs.step import Told
from shared.ports.documents import Create, Key, Position, Put, Query, Write
from shared.ports.store import Store
from shared.suppliers.connections import Connections, supplier_key
from shared.suppliers.notes import WalkNotes, packed
from shared.suppliers.port import KNOWN, NEEDS_CONSENT, Page, Source, Walk
from shared.suppliers.tracking import Heard
from shared.suppliers.upsert import Fate, Upsert

__all__ = ["KIND", "RUNS", "SyncWork", "run_key"]

KIND = SUPPLIER_SYNC
RUNS = "sync_runs"
_MARGIN_S = 60.0
_AGAIN_S = 30.0
_AT_ONCE = 250
_FORM = 2  # of cursors; a job with one of another form begins anew
_MOST_ERRORS = 10
_COUNTS: Mapping[str, Any] = {"fetched": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0, "errors": []}
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
    track: Callable[[Source, str, Position | None], Heard]

    def __call__(self, step: Step) -> Done | Continue:
        """Carry the sync on, as far as this delivery's time allows."""
        source = self._source(step.input["supplier_id"])
        before = None if step.cursor is None else (step.cursor, step.counts)
        try:
            return self._carried(step, source)
        except Transient as trouble:
            if before is None or before == (step.cursor, step.counts):
                raise
            return self._later(step, trouble)
        finally:
            self.connections.noted(step.input["supplier_id"], source)

    def _later(self, step: Step, trouble: Transient) -> Continue:
        """Go on later: a delivery that got further has not failed, however many hours of a quota the whole sync takes."""
        counts = step.counts
        step.checkpoint(progress=(counts["fetched"], None, trouble.detail, counts["failed"]))
        return Continue(max(trouble.wait_s or 0.0, _AGAIN_S))

    def _carried(self, step: Step, source: Source) -> Done | Continue:
        if step.cursor is None or step.cursor.get("form") != _FORM:
            self._begin(step)
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

    def _begin(self, step: Step) -> None:
        kind = step.input["sync_type"]
        phases = {"full": ["products", "orders"], "orders": ["orders"]}.get(kind, [kind])
        run = self.store.get(run_key(step.job_id))
        writes: list[Write] = []
        if run is not None:
            started = {**run.data, "status": "running", "started_at": instant(step.now)}
            writes.append(Put(run.key, started, run.version))
        cursor = {"form": _FORM, "phases": phases, "walk": None, "done": 0, "notes": step.job_id, "known": 0}
        step.checkpoint(cursor=cursor, counts=dict(_COUNTS), writes=writes)

    def _page(self, step: Step, source: Source) -> bool:
        """Read and take one page; say whether there is time for another."""
        cursor = step.cursor
        notes = WalkNotes(self.store, self.clock, cursor["notes"])
        if cursor["walk"] is None:
            walk = source.begin(self._wanted(step, notes), notes)
            step.checkpoint(cursor={**step.cursor, "walk": dict(walk), "done": 0})
            return True
        page = source.page(cursor["walk"], notes)
        if cursor["done"] == 0 and page.rejected:
            step.checkpoint(counts=_with_errors(step.counts, page.rejected))
        while step.cursor["done"] < len(page.items):
            if step.time_left() < _MARGIN_S:
                return False
            self._some(step, page)
        self._turn(step, page, notes)
        return True

    def _turn(self, step: Step, page: Page, notes: WalkNotes) -> None:
        """Go on to the next page, with what is noted of this one; notes that are over go."""
        following = {**step.cursor, "done": 0, "walk": dict(page.next) if page.next is not None else None}
        drops = list(page.drops)
        if page.next is None:
            drops += [f"{KNOWN}.{number}" for number in range(following["known"])]
            following |= {"phases": following["phases"][1:], "known": 0}
        read, failed = step.counts["fetched"], step.counts["failed"]
        progress = (read, None, f"{read} products read", failed)
        step.checkpoint(cursor=following, progress=progress, writes=notes.writes(page.keeps))
        notes.drop(drops)

    def _some(self, step: Step, page: Page) -> None:
        """Take the next records of a page, as many as one commit holds, together with the fact that they are taken."""
        done, supplier_id = step.cursor["done"], step.input["supplier_id"]
        items = page.items[done : done + _AT_ONCE]

        def told(fates: Sequence[Fate]) -> Told:
            return Told({**step.cursor, "done": done + len(fates)}, _counted(step.counts, fates))

        step.within(self.store, lambda: self.upsert.take(SYSTEM, supplier_id, items, creates=page.creates), told)

    def _wanted(self, step: Step, notes: WalkNotes) -> Walk:
        """Return what a phase is to read; for stock, the linked products are noted first."""
        given, phase = step.input, step.cursor["phases"][0]
        if phase == "stock":
            query = Query("supplier_links", (("supplier_id", given["supplier_id"]),))
            linked = sorted(
                their for link in self.store.walk(query) if (their := link.data["supplier_product_id"]) is not None
            )
            known = 0
            for known, some in enumerate(packed(linked), 1):
                step.checkpoint(
                    cursor={**step.cursor, "known": known}, writes=notes.writes({f"{KNOWN}.{known - 1}": some})
                )
        return Walk(phase, given["limit"], given["category_filter"], given["in_stock_only"], step.cursor["known"])

    def _orders(self, step: Step, source: Source) -> None:
        """Read how the next of our supplier orders stand, and tell the customers' orders."""
        place = step.cursor.get("order")
        heard = self.track(source, step.input["supplier_id"], None if place is None else Position(*place))
        told = {"fetched": heard.read, "updated": heard.updated, "unchanged": heard.read - heard.updated}
        counts = {**step.counts, **{name: step.counts[name] + number for name, number in told.items()}}
        progress = (counts["fetched"], None, f"{counts['fetched']} records read", counts["failed"])
        cursor = {**step.cursor, "order": None if heard.after is None else list(heard.after)}
        if heard.after is None:
            cursor["phases"] = cursor["phases"][1:]
        step.checkpoint(cursor=cursor, counts=counts, progress=progress)


def _counted(counts: Mapping[str, Any], fates: Sequence[Fate]) -> Data:
    """Return the counts after some more records; one that is not ours and is not to be made is as it was."""
    after = {**counts, "fetched": counts["fetched"] + len(fates)}
    for fate in fates:
        after["unchanged" if fate.what == "unknown" else fate.what] += 1
    refused = [fate for fate in fates if fate.what == "failed"]
    errors = [{"key": fate.key, "code": fate.code, "message": fate.message[:200]} for fate in refused]
    after["errors"] = [*counts["errors"], *errors][:_MOST_ERRORS]
    return after


def _with_errors(counts: Mapping[str, Any], rejected: Sequence[tuple[str, str, str]]) -> Data:
    told = [{"key": key, "code": code, "message": message[:200]} for key, code, message in rejected]
    errors = [*counts["errors"], *told][:_MOST_ERRORS]
    return {
        **counts,
        "fetched": counts["fetched"] + len(told),
        "failed": counts["failed"] + len(told),
        "errors": errors,
    }
