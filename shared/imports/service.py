"""Starting imports, looking at them, and deciding about them; carrying them out is `work`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shared.core.clock import instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import BaseMoved, FieldError, InvalidState, NotFound, UrlNotAllowed, ValidationFailed
from shared.core.values import dataclass
from shared.imports.columns import check_mapping
from shared.imports.models import Action, DiffFilter, DiffRow, ImportFilter, ImportKind, ImportRun, ImportStatus
from shared.imports.record import IMPORTS, Data, changed, import_key, new_import, part_key, rows_of, view
from shared.jobs.names import IMPORT_APPLY, IMPORT_RUN, IMPORT_UNDO, SCRAPE_STORE, SCRAPE_URL
from shared.jobs.states import JobStatus
from shared.ports.documents import Create, Query, Stored, Write

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.core.clock import Clock
    from shared.core.ids import Ids
    from shared.imports.start_models import ImportAccepted, ScrapeFeed, ScrapeStore, ScrapeUrl, UploadForm
    from shared.imports.work import ImportWork
    from shared.jobs.record import Record
    from shared.jobs.service import JobService
    from shared.ports.store import Store

__all__ = ["APPLY", "RUN", "SCRAPE_STORE", "SCRAPE_URL", "UNDO", "ImportService", "ended_writes", "started_writes"]

RUN, APPLY, UNDO = IMPORT_RUN, IMPORT_APPLY, IMPORT_UNDO
_CHECKED_PARTS = 40
"""Up to so many parts are checked before the answer; larger imports are checked by their job, before it writes."""
_CHECKED_BATCHES = 600
_AT_ONCE = 20
_SCHEMES = frozenset({"http", "https", "gs", "s3"})
_ENDS = {
    "csv": "csv",
    "tsv": "tsv",
    "txt": "csv",
    "xml": "xml",
    "rss": "xml",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}
Place = tuple[int, int]


@dataclass(frozen=True)
class ImportService:
    """The use cases around imports."""

    store: Store
    jobs: JobService
    clock: Clock
    ids: Ids
    work: Callable[[], ImportWork]
    check_url: Callable[[str], None]
    """Raises UrlNotAllowed for what can be seen of an address."""
    known_supplier: Callable[[str], bool] = lambda _: True

    def scrape_url(self, caller: Caller, wanted: ScrapeUrl, trace: str | None = None) -> ImportAccepted:
        """Start reading a product page."""
        self.check_url(wanted.url)
        asked = {"variants": wanted.extract_variants, "reviews": wanted.extract_reviews}
        told = self._told(ImportKind.URL, wanted.url, "html", dry_run=wanted.dry_run)
        return self._started(SCRAPE_URL, caller, told | {"asked": asked, "enrich": wanted.enrich_with_ai}, trace)

    def scrape_store(self, caller: Caller, wanted: ScrapeStore, trace: str | None = None) -> ImportAccepted:
        """Start reading a shop."""
        self.check_url(wanted.store_url)
        asked = {"most": wanted.max_products, "category": wanted.category_filter}
        told = self._told(ImportKind.STORE, wanted.store_url, "html", dry_run=wanted.dry_run)
        return self._started(SCRAPE_STORE, caller, told | {"asked": asked}, trace)

    def feed(self, caller: Caller, wanted: ScrapeFeed, trace: str | None = None) -> ImportAccepted:
        """Start importing a product file from an address."""
        scheme = wanted.feed_url.partition("://")[0].lower()
        if scheme not in _SCHEMES:
            raise UrlNotAllowed("Only https, http, gs and s3 addresses are allowed.")
        if scheme in {"http", "https"}:
            self.check_url(wanted.feed_url)
        elif not all(wanted.feed_url.partition("://")[2].partition("/")[::2]):
            raise UrlNotAllowed("Name a bucket and a file in it.")
        told = self._told(
            ImportKind.FEED, wanted.feed_url, _format(wanted.feed_url, wanted.feed_type), dry_run=wanted.dry_run
        )
        return self._started(RUN, caller, told | self._options(wanted), trace)

    def upload(
        self, caller: Caller, wanted: UploadForm, file: tuple[str, str], trace: str | None = None
    ) -> ImportAccepted:
        """Start importing an uploaded file, given its name and where it has been put."""
        name, address = file
        told = self._told(ImportKind.UPLOAD, name, _format(name, wanted.feed_type), dry_run=wanted.dry_run)
        return self._started(RUN, caller, told | self._options(wanted) | {"file": address}, trace)

    def get(self, import_id: str) -> ImportRun:
        """Return an import; raise NotFound."""
        return view(self.stored(import_id))

    def stored(self, import_id: str) -> Stored:
        """Return an import's document; raise NotFound."""
        stored = self.store.get(import_key(import_id))
        if stored is None:
            raise NotFound("No import has this id.", resource="import")
        return stored

    @staticmethod
    def wanted(query: ImportFilter) -> Query:
        """Return the document query behind the list of imports."""
        given = {"kind": query.kind, "status": query.status}
        told = [(name, tuple(value.value for value in values)) for name, values in given.items() if values]
        return Query(
            IMPORTS,
            tuple((name, one[0] if len(one) == 1 else one) for name, one in told),
            at_least=instant(query.created_from) if query.created_from else None,
            at_most=instant(query.created_to) if query.created_to else None,
        )

    def diff(
        self, import_id: str, query: DiffFilter, after: Sequence[Any] | None
    ) -> tuple[list[DiffRow], Place | None, int]:
        """Return rows of the diff in order of the file, the place to go on from, and how many there are in all."""
        stored = self.stored(import_id)
        actions = {action.value for action in query.action or Action}
        totals = stored.data["totals"] if "parts" in stored.data else {}
        total = sum(totals.get(action, 0) for action in actions)
        found: list[DiffRow] = []
        skipped = 0
        rows = self._rows_back if query.order.descending else self._rows
        for place, kept in rows(stored, _place(after)):
            if kept[1] not in actions:
                continue
            if skipped < query.offset:
                skipped += 1
                continue
            if len(found) == query.size:
                return found, place, total
            found.append(_shown(kept))
        return found, None, total

    def report(self, import_id: str, query: DiffFilter) -> Iterator[Data]:
        """Yield what became of the file and of each of its rows, in its order; raise NotFound.

        What is wrong in words is known of the errors that the import itself shows; of later ones the code is.
        """
        stored = self.stored(import_id)
        errors = {error["row"]: error for error in stored.data["errors"]}
        return self._reported(stored, errors, query)

    def _reported(self, stored: Stored, errors: dict[int, Data], query: DiffFilter) -> Iterator[Data]:
        actions = {action.value for action in query.action or Action}
        whole = [errors.pop(0)] if 0 in errors else []
        if "parts" not in stored.data:  # it failed before rows were compared: what it says is all there is
            whole += list(errors.values())
        if Action.ERROR.value in actions:
            yield from ({"action": Action.ERROR.value, **error} for error in whole)
        rows = self._rows_back if query.order.descending else self._rows
        for _, kept in rows(stored, None):
            if kept[1] in actions:
                told = errors.get(kept[0], {}) if kept[1] == Action.ERROR.value else {}
                yield {**_shown(kept).model_dump(), "field": told.get("field"), "message": told.get("message")}

    def apply(
        self, caller: Caller, import_id: str, condition: Precondition, trace: str | None = None
    ) -> ImportAccepted:
        """Start writing what the diff says; raise InvalidState, PreconditionFailed or BaseMoved."""
        stored = self._in_state(import_id, condition, ImportStatus.READY)
        gone = self.work().moved(stored, _CHECKED_PARTS)
        if gone:
            raise _base_moved(gone)
        return self._accepted(APPLY, caller, import_id, trace)

    def undo(self, caller: Caller, import_id: str, condition: Precondition, trace: str | None = None) -> ImportAccepted:
        """Start taking back what was written; raise InvalidState, PreconditionFailed or BaseMoved."""
        stored = self._in_state(import_id, condition, ImportStatus.APPLIED)
        gone = self.work().moved_since(stored, _CHECKED_BATCHES)
        if gone:
            raise _base_moved(gone)
        return self._accepted(UNDO, caller, import_id, trace)

    def cancel(self, import_id: str, condition: Precondition = NO_CONDITION) -> ImportRun:
        """Stop an import that has not begun to write."""
        stored = self._in_state(import_id, condition, ImportStatus.ANALYZING, ImportStatus.READY)
        if stored.data["status"] == ImportStatus.ANALYZING.value and stored.data["job_id"] is not None:
            self._cancel_job(stored.data["job_id"])
        present = self.stored(import_id)
        if present.data["status"] != ImportStatus.CANCELLED.value:
            self.store.write([changed(present, status=ImportStatus.CANCELLED.value)])
        return self.get(import_id)

    def _cancel_job(self, job_id: str) -> None:
        try:
            self.jobs.cancel(job_id)
        except (InvalidState, NotFound):
            return  # it has ended meanwhile; the state of the import decides

    def _options(self, wanted: ScrapeFeed | UploadForm) -> Data:
        if wanted.mapping_config is not None:
            check_mapping(wanted.mapping_config)
        if wanted.supplier_id is not None and not self.known_supplier(wanted.supplier_id):
            raise NotFound("No supplier has this id.", resource="supplier")
        mapping = None if wanted.mapping_config is None else to_json(wanted.mapping_config).decode()
        return {
            "mapping_config": mapping,
            "update_existing": wanted.update_existing,
            "supplier_id": wanted.supplier_id,
            "asked": {"feed_type": wanted.feed_type},
        }

    @staticmethod
    def _told(kind: ImportKind, source: str, form: str | None, *, dry_run: bool) -> Data:
        return {
            "kind": kind.value,
            "source": source,
            "format": form,
            "dry_run": dry_run,
            "supplier_id": None,
            "enrich": False,
            "file": None,
        }

    def _started(self, kind: str, caller: Caller, told: Mapping[str, Any], trace: str | None) -> ImportAccepted:
        import_id = self.ids.new("imp")
        run = new_import(told, self.clock.now(), caller.user_id or None)
        self.store.write([Create(import_key(import_id), run)])
        return self._accepted(kind, caller, import_id, trace)

    def _accepted(self, kind: str, caller: Caller, import_id: str, trace: str | None) -> ImportAccepted:
        started = self.jobs.start(kind, import_id, {"import_id": import_id}, caller, request_trace=trace)
        message = {APPLY: "The import is being applied.", UNDO: "The import is being undone."}.get(
            kind, "The import has been taken on."
        )
        from shared.imports.start_models import ImportAccepted

        return ImportAccepted.of([started.job.id], joined=started.joined, message=message, import_id=import_id)

    def _in_state(self, import_id: str, condition: Precondition, *allowed: ImportStatus) -> Stored:
        stored = self.stored(import_id)
        condition.check(import_id, stored.data["version"])
        if stored.data["status"] not in set(allowed):
            current = stored.data["status"]
            raise InvalidState(
                f"An import that is {current} does not allow this.", current=current, allowed=list(allowed)
            )
        return stored

    def _rows_back(self, stored: Stored, start: Place | None) -> Iterator[tuple[Place, list[Any]]]:
        """Yield kept rows of the diff with their places, from a place back to the first."""
        part, at = start or (stored.data.get("parts", 0) - 1, None)
        while part >= 0:
            kept = self.store.get(part_key(stored.key.id, "d", part))
            rows = rows_of(kept) if kept is not None else []
            for offset in range(len(rows) - 1 if at is None else min(at, len(rows) - 1), -1, -1):
                yield (part, offset), rows[offset]
            part, at = part - 1, None

    def _rows(self, stored: Stored, start: Place | None) -> Iterator[tuple[Place, list[Any]]]:
        """Yield kept rows of the diff with their places, from a place on."""
        part, at = start or (0, 0)
        parts = stored.data.get("parts", 0)
        while part < parts:
            numbers = range(part, min(parts, part + _AT_ONCE))
            keys = [part_key(stored.key.id, "d", number) for number in numbers]
            found = self.store.get_many(keys)
            for number, key in zip(numbers, keys, strict=True):
                rows = rows_of(found[key]) if key in found else []
                for offset in range(at if number == part else 0, len(rows)):
                    yield (number, offset), rows[offset]
            part, at = part + len(numbers), 0


def started_writes(store: Store, record: Record) -> Sequence[Write]:
    """Return what a job's start writes beside it: the import names it and says what is being done."""
    stored = store.get(import_key(record.input["import_id"]))
    if stored is None:
        return []
    told: Data = {"job_id": record.id}
    if record.kind == APPLY:
        told["status"] = ImportStatus.APPLYING.value
    elif record.kind != UNDO:
        told["status"] = ImportStatus.ANALYZING.value
    return [_same_version(stored, told) if stored.version == "" else changed(stored, **told)]


def ended_writes(store: Store, record: Record) -> Sequence[Write]:
    """Return what a job's end writes beside it when it did not succeed: the import's state, and why."""
    stored = store.get(import_key(record.input["import_id"]))
    if stored is None or record.status == JobStatus.SUCCEEDED or record.kind == UNDO:
        return []
    status = ImportStatus.FAILED if record.status == JobStatus.FAILED else ImportStatus.CANCELLED
    if stored.data["status"] == status.value:
        return []
    told: Data = {"status": status.value, "errors": stored.data["errors"]}
    if record.error is not None:
        error = {"row": 0, "field": None, "code": record.error["code"], "message": record.error["detail"]}
        told["errors"] = stored.data["errors"] or [error]
    return [changed(stored, **told)]


def _same_version(stored: Stored, told: Data) -> Any:
    """Return the write of an import made in this very commit: it has been seen by nobody yet."""
    write = changed(stored, **told)
    write.data["version"] = stored.data["version"]
    return write


def _format(name: str, told: str) -> str | None:
    """Return the format a name promises; the file itself decides when it is read."""
    if told != "auto":
        return told
    path = name.partition("://")[2] or name
    stem = path.partition("?")[0].lower().removesuffix(".gz").removesuffix(".zip")
    return _ENDS.get(stem.rpartition(".")[2])


def _place(after: Sequence[Any] | None) -> Place | None:
    match after:
        case [int() as part, int() as at] if part >= 0 and at >= 0:
            return part, at
        case None:
            return None
        case _:
            raise ValidationFailed(
                "This cursor is not one of this list.",
                errors=(FieldError("query:cursor", "bad_cursor", "Start again without it."),),
            )


def _shown(kept: Sequence[Any]) -> DiffRow:
    from shared.imports.compare import Compared

    row = Compared.of(kept)
    fields = {
        name: {"before": _value(name, told["before"]), "after": _value(name, told["after"])}
        for name, told in row.fields.items()
    }
    return DiffRow(
        row=row.row,
        action=row.action,
        product_id=row.product_id,
        sku=row.sku,
        fields=fields,
        code=row.code,
        provenance=row.provenance,
    )


def _value(name: str, value: Any) -> Any:
    return float(value) if name in {"sale_price", "unit_cost"} and value is not None else value


def _base_moved(gone: list[str]) -> BaseMoved:
    return BaseMoved(f"{len(gone)} products have changed since this import was prepared.", moved=gone[:1000])
