"""What carries imports out: steps of jobs that read, compare, apply and take back, each safe to repeat.

import-run, scrape-*      read ---> diff --------------> ready            (dry run)
                          read ---> diff and apply ----> applied
import-apply              check --> apply -------------> applied
import-undo               check --> undo --------------> undone
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from pydantic_core import from_json

from shared.core.caller import Caller
from shared.core.clock import Clock, instant
from shared.core.errors import Terminal
from shared.core.values import dataclass
from shared.imports.apply import Applied, Applier, as_many_as_fit, is_moved, moved
from shared.imports.clean import Cleaner, Row
from shared.imports.columns import Columns
from shared.imports.compare import Compared, Comparer, Options, caller_of
from shared.imports.counting import counted, progress_of, recounted
from shared.imports.models import ImportStatus, Totals
from shared.imports.packing import pieces, unpacked
from shared.imports.record import (
    MOST_ERRORS,
    Data,
    changed,
    import_key,
    part_key,
    part_write,
    payload_of,
    payload_write,
    rows_of,
)
from shared.imports.rows import Batch, Raw, unreadable
from shared.imports.staging import Stager, error_of
from shared.jobs.kinds import Cancelled, Continue, Done, Step
from shared.jobs.step import Told
from shared.ports.documents import Stored, Write
from shared.ports.store import Store

__all__ = ["ImportWork", "Opened", "Reading"]

_PART = 500
"""Rows of a staged part that is only compared."""
_UNIT = 30
"""Rows of a part that is compared and written at once, in one commit unless its products lie in many stores."""
_WRITES = 16
"""Writes that one row of a diff is counted as, when it is decided how many are one commit."""
_READINGS = 3
_READINGS_OF_SHOPS = 12
"""Deliveries that may end in the middle of reading; a shop goes on where it was, anything else starts over."""
_NOTED = 20
_READING = "Reading the source"


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened source: its format, its rows, and its hash once they are all read."""

    format: str
    rows: Iterable[Raw | Row | Batch]
    content_hash: Callable[[], str | None]


class Reading(Protocol):
    """Opens the source of an import; raises Terminal, Transient or a Problem."""

    def open(self, run: Stored, step: Step) -> Opened:
        """Begin to read."""
        ...


@dataclass(frozen=True)
class ImportWork:
    """The handlers of all import jobs."""

    store: Store
    clock: Clock
    reading: Reading
    comparer: Comparer
    applier: Applier
    image_allowed: Callable[[str], bool]
    currency: str = "EUR"
    enrich: Callable[[list[str], str | None], None] = lambda _, __: None
    """Asked for content of products with short descriptions, in the commit that writes them."""

    def run(self, step: Step) -> Done | Continue:
        """Read the source; compare; without a dry run also apply."""
        run = self._current(step)
        if step.cursor is None or step.cursor["phase"] == "read":
            self._read(step, run)
            run = self._current(step)
        superseded = self._superseded(run.key.id, step.counts["dups"])
        handle = self._compare_part if run.data["dry_run"] else self._apply_staged
        if not run.data["dry_run"]:
            self._refuse_all_bad(step, run)
        for number in range(step.cursor["next"], step.counts["parts"]):
            handle(step, self._current(step), number, superseded)
        return self._analysed(step)

    def apply(self, step: Step) -> Done | Continue:
        """Check that no touched product has moved; then write what the diff says."""
        run = self._current(step)
        if step.cursor is None:
            gone = self.moved(run)
            if gone:
                raise _base_moved(gone)
            counts = {"totals": run.data["totals"], "parts": run.data["parts"], "errors": run.data["errors"]}
            step.checkpoint(cursor={"phase": "apply", "next": 0, "at": 0}, counts=counts)
        while step.cursor["next"] < step.counts["parts"]:
            self._apply_some(step, run)
        return self._applied(step, step.counts["parts"])

    def undo(self, step: Step) -> Done | Continue:
        """Check that no written product has moved; then take back, the last first."""
        run = self._current(step)
        if step.cursor is None:
            gone = self.moved_since(run)
            if gone:
                raise _base_moved(gone)
            step.checkpoint(cursor={"phase": "undo", "next": run.data["batches"]}, counts={"failed": []})
        while step.cursor["next"] > 0:
            self._undo_some(step, run, step.cursor["next"] - 1)
        run = self._current(step)
        errors = [*step.counts["failed"], *run.data["errors"]][:MOST_ERRORS]
        writes = [changed(run, status=ImportStatus.UNDONE.value, errors=errors)]
        return Done({**run.data["totals"], "not_undone": len(step.counts["failed"])}, writes)

    def moved(self, run: Stored, most_parts: int | None = None) -> list[str]:
        """Return the products that have moved since the diff was made; [] when there are more parts than asked for."""
        parts = run.data["parts"]
        if most_parts is not None and parts > most_parts:
            return []
        found: list[str] = []
        for number in range(parts):
            rows = [Compared.of(kept) for kept in self._part(run.key.id, "d", number)]
            found += moved(self.store, self.applier.products, rows)
        return list(dict.fromkeys(found))

    def moved_since(self, run: Stored, most_batches: int | None = None) -> list[str]:
        """Return the products that have moved since they were written."""
        batches = run.data["batches"]
        if most_batches is not None and batches > most_batches:
            return []
        found: list[str] = []
        for number in range(batches):
            found += is_moved(self.store, self._applied_rows(run.key.id, number))
        return list(dict.fromkeys(found))

    def _read(self, step: Step, run: Stored) -> None:
        """Stage every row; a delivery that starts over stages the same again."""
        most = _READINGS_OF_SHOPS if run.data["kind"] == "store" else _READINGS
        if step.record.step >= most:
            raise Terminal("too_slow", "The source could not be read in the time there is.")
        reading = {"phase": "read", "next": 0, "step": step.record.step}
        step.checkpoint(cursor=reading, counts={}, progress=(0, None, _READING))
        opened = self.reading.open(run, step)
        mapping = self._mapping(run)
        cleaner = Cleaner(Columns(mapping), image_allowed=self.image_allowed)
        size = _PART if run.data["dry_run"] else _UNIT
        stager = Stager(run.key.id, cleaner, self.clock, supplier_id=run.data["supplier_id"], size=size)
        self._stage(step, stager.parts(opened.rows), stager)
        staged = stager.staged
        if staged.rows > staged.errors and not cleaner.recognised and opened.format != "html":
            raise unreadable("no_known_column", "No column of the file stands for a field of a product.")
        repeats, writes = stager.superseded()
        counts: Data = {"parts": staged.parts, "diffs": 0, "dups": 0, "rows": staged.rows}
        counts |= {"bad": staged.errors, "errors": staged.first_errors, "batches": 0}
        for write in writes:
            counts["dups"] += 1
            step.checkpoint(writes=[write])
        counts["totals"] = Totals(rows=staged.rows).model_dump()
        counts["repeats"] = repeats
        status = ImportStatus.ANALYZING if run.data["dry_run"] else ImportStatus.APPLYING
        if staged.rows and staged.rows == staged.errors:
            status = ImportStatus.ANALYZING
        now_run = self._current(step)
        told = {"format": opened.format, "content_hash": opened.content_hash(), "errors": staged.first_errors}
        write = changed(now_run, **told, status=status.value)
        progress = (0, staged.rows, "Comparing with the catalogue")
        step.checkpoint(cursor={"phase": "diff", "next": 0}, counts=counts, progress=progress, writes=[write])

    def _stage(self, step: Step, parts: Iterator[Write], stager: Stager) -> None:
        waiting: list[Write] = []
        for write in parts:
            waiting.append(write)
            if len(waiting) >= _NOTED:
                self._note(step, waiting, stager)
                waiting = []
        self._note(step, waiting, stager)

    @staticmethod
    def _note(step: Step, writes: list[Write], stager: Stager) -> None:
        progress = (0, None, f"{_READING}: {stager.staged.rows} rows")
        step.checkpoint(progress=progress, writes=writes)

    def _refuse_all_bad(self, step: Step, run: Stored) -> None:
        """Fail when no row can be used, be it by itself or for what the catalogue holds; nothing was written then."""
        counts = step.counts
        rows, bad = counts["rows"], max(counts["bad"], counts["totals"]["error"])
        if rows and rows == bad:
            totals = Totals(rows=rows, error=rows).model_dump()
            step.checkpoint(writes=[changed(run, totals=totals, errors=counts["errors"])])
            raise Terminal("all_rows_bad", "No row of the file can be used.")

    def _compare_part(self, step: Step, run: Stored, number: int, superseded: set[int]) -> None:
        staged = self._staged(run.key.id, number)
        rows = self.comparer.batch(staged, superseded, self._options(run))
        first = step.counts.get("diffs", number)
        parts = list(pieces((row.packed() for row in rows), self._unit))
        counts = counted(step.counts, rows) | {"diffs": first + len(parts)}
        now = self.clock.now()
        writes = [
            payload_write(part_key(run.key.id, "d", at), payload, count, now)
            for at, (count, payload) in enumerate(parts, start=first)
        ]
        cursor = {"phase": "diff", "next": number + 1}
        step.checkpoint(cursor=cursor, counts=counts, progress=progress_of(counts), writes=writes)

    def _apply_staged(self, step: Step, run: Stored, number: int, superseded: set[int]) -> None:
        """Compare and write a part in as many commits as it takes: nobody waits for a review, so the base is the present one."""
        staged = self._staged(run.key.id, number)
        while step.cursor["next"] == number:
            self._apply_next(step, self._current(step), staged, superseded)

    def _apply_next(self, step: Step, run: Stored, staged: Sequence[Any], superseded: set[int]) -> None:
        number, at, batch = step.cursor["next"], step.cursor.get("at", 0), step.counts["batches"]
        caller, options = caller_of(run.data["created_by"]), self._options(run)

        def compared(some: Sequence[Any]) -> tuple[list[Compared], list[Applied]]:
            rows = self.comparer.batch(some, superseded, options)
            return rows, self._written(run, caller, rows)

        def work() -> tuple[list[Compared], list[Applied]]:
            self.store.allow_many()
            return as_many_as_fit(self.store, staged[at:], compared)

        def told(result: tuple[list[Compared], list[Applied]]) -> Told:
            rows, applied = result
            counts = counted(step.counts, rows) | {"batches": batch + 1}
            now, end = self.clock.now(), at + len(rows)
            writes = [
                part_write(run.key.id, "d", batch, [row.packed() for row in rows], now),
                part_write(run.key.id, "a", batch, [row.packed() for row in applied], now),
            ]
            cursor = {"next": number, "at": end} if end < len(staged) else {"next": number + 1}
            return Told({"phase": "diff", **cursor}, counts, progress_of(counts), writes)

        step.within(self.store, work, told)

    def _apply_some(self, step: Step, run: Stored) -> None:
        """Write some rows of a part of the diff in one commit, and what became of them."""
        number, at = step.cursor["next"], step.cursor["at"]
        kept = self._part(run.key.id, "d", number)
        caller = caller_of(run.data["created_by"])
        batch = step.counts.get("batches", 0)

        def reviewed(some: Sequence[Any]) -> tuple[list[Compared], list[Applied]]:
            rows = [Compared.of(each) for each in some]
            return rows, self._written(run, caller, rows)

        def work() -> tuple[list[Compared], list[Applied]]:
            self.store.allow_many()
            return as_many_as_fit(self.store, kept[at : at + self._unit], reviewed)

        def told(result: tuple[list[Compared], list[Applied]]) -> Told:
            rows, applied = result
            end = at + len(rows)
            counts = recounted(step.counts, kept[at:end], rows)
            now = self.clock.now()
            part = [*kept[:at], *(row.packed() for row in rows), *kept[end:]]
            writes = [part_write(run.key.id, "d", number, part, now)]
            if applied:
                writes.append(part_write(run.key.id, "a", batch, [row.packed() for row in applied], now))
                counts["batches"] = batch + 1
            cursor = {"phase": "apply", "next": number, "at": end}
            if end == len(kept):
                cursor = {"phase": "apply", "next": number + 1, "at": 0}
            done = counts.get("done", 0) + end - at
            progress = (done, counts["totals"]["rows"], "Applying", min(done, counts["totals"]["error"]))
            return Told(cursor, counts | {"done": done}, progress, writes)

        step.within(self.store, work, told)

    def _undo_some(self, step: Step, run: Stored, number: int) -> None:
        rows = self._applied_rows(run.key.id, number)
        caller = caller_of(run.data["created_by"])

        def told(failed: list[Compared]) -> Told:
            errors = [error_of(row.row, row.error) for row in failed if row.error]
            counts = {"failed": [*step.counts["failed"], *errors][:MOST_ERRORS]}
            total = run.data["batches"]
            return Told({"phase": "undo", "next": number}, counts, (total - number, total, "Taking back"))

        def work() -> list[Compared]:
            self.store.allow_many()
            return self.applier.undo(caller, run.key.id, list(reversed(rows)))

        step.within(self.store, work, told)

    def _analysed(self, step: Step) -> Done:
        run = self._current(step)
        if not run.data["dry_run"]:
            self._refuse_all_bad(step, run)
            return self._applied(step, step.counts["batches"])
        parts = step.counts.get("diffs", step.counts["parts"])
        told = {"totals": step.counts["totals"], "errors": step.counts["errors"], "parts": parts}
        write = changed(run, **told, status=ImportStatus.READY.value, batches=0)
        return Done(dict(step.counts["totals"]), [write])

    def _applied(self, step: Step, parts: int) -> Done:
        """End an import whose diff lies in so many parts."""
        run, counts = self._current(step), step.counts
        write = changed(
            run,
            totals=counts["totals"],
            errors=counts["errors"],
            parts=parts,
            batches=counts.get("batches", 0),
            status=ImportStatus.APPLIED.value,
            applied_at=instant(self.clock.now()),
        )
        return Done(dict(counts["totals"]), [write])

    def _written(self, run: Stored, caller: Caller, rows: list[Compared]) -> list[Applied]:
        """Write rows and, where that was wanted, ask for content, in the same commit."""
        applied = self.applier.rows(caller, run.key.id, rows)
        if run.data["enrich"] and applied:
            self.enrich([row.product_id for row in applied], run.data["created_by"])
        return applied

    @property
    def _unit(self) -> int:
        """Return how many rows of a diff are one commit: as many as the store writes together, at most a staged part."""
        return min(_PART, self.store.most_writes // _WRITES)

    def _current(self, step: Step) -> Stored:
        """Return the import as it is; a cancelled one ends its job."""
        stored = self.store.get(import_key(step.input["import_id"]))
        if stored is None:
            raise Terminal("gone", "The import does not exist any more.")
        if stored.data["status"] == ImportStatus.CANCELLED.value:
            raise Cancelled
        return stored

    def _options(self, run: Stored) -> Options:
        by_page = run.data["kind"] == "url"
        return Options(update_existing=run.data["update_existing"], by_page=by_page, currency=self.currency)

    def _part(self, import_id: str, letter: str, number: int) -> list[Any]:
        return rows_of(self._kept(import_id, letter, number))

    def _staged(self, import_id: str, number: int) -> list[Any]:
        return unpacked(payload_of(self._kept(import_id, "s", number)))

    def _kept(self, import_id: str, letter: str, number: int) -> Stored:
        stored = self.store.get(part_key(import_id, letter, number))
        if stored is None:
            raise Terminal("gone", "The rows of the import have been forgotten; import the file again.")
        return stored

    def _applied_rows(self, import_id: str, number: int) -> list[Applied]:
        return [Applied.of(kept) for kept in self._part(import_id, "a", number)]

    def _superseded(self, import_id: str, parts: int) -> set[int]:
        return {row for number in range(parts) for row in self._part(import_id, "x", number)}

    @staticmethod
    def _mapping(run: Stored) -> Mapping[str, str] | None:
        mapping: dict[str, str] | None = (
            None if run.data["mapping_config"] is None else from_json(run.data["mapping_config"])
        )
        return mapping


def _base_moved(gone: list[str]) -> Terminal:
    return Terminal("base_moved", f"{len(gone)} products have changed since; nothing was written.")
