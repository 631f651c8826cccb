"""The refresh of one 3PL as a job: read everything, ask for what is missing, publish at once or not at all.

    fetch    every page of a frozen window, staged page by page          (goes on at its page after a crash)
    look_up  every open order the read did not find, asked for directly  (a failed look-up resolves nothing)
    publish  reconcile, write the pieces, flip the pointer               (one commit, fenced by the job document)
    project  one document per resolved order, for look-ups and history   (derived from the published snapshot)
    record   the same rows into the warehouse                            (derived too; made up for later when it is down)

Every write goes through `step.checkpoint`, which commits it together with the job document: a worker that lost its lease or
whose job was cancelled can write nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.core.clock import instant
from shared.core.errors import Terminal, Transient
from shared.core.ids import Ids
from shared.jobs.kinds import Continue, Done, Step
from shared.oos.history import History
from shared.oos.publish import Base, Built, Read, build, load_base, read_rows
from shared.oos.resolved import resolved_key, resolved_writes
from shared.oos.rules import Row, newest, suspicious
from shared.oos.snapshot import Header, piece_writes, read_part, snapshot_key, source_key, unpack
from shared.oos.source import Fate, HeldOrder, OrderSource, Verdict
from shared.oos.staging import Staging
from shared.oos.views import Shown
from shared.ports.documents import Create, Put
from shared.ports.store import Store

__all__ = ["RefreshHandler"]

_MARGIN_S = 30.0
_PATIENCE = 3
_READ_MANY = 300
_WRITE_MANY = 40


class RefreshHandler:
    """The handler of job kind `refresh-source`."""

    def __init__(  # noqa: PLR0913 - what a refresh touches, each given once by the composition root
        self,
        store: Store,
        ids: Ids,
        sources: Callable[[str], OrderSource],
        history: History,
        published: Callable[[str], None],
        *,
        currency: str,
    ) -> None:
        """Take the store, ids, the connector of a source by name, the history writer, and whom to tell of a new snapshot.

        `currency` is that of amounts for which a vendor names none.
        """
        self._store, self._ids, self._currency = store, ids, currency
        self._source, self._history, self._published = sources, history, published
        self._kept: tuple[tuple[str, int], dict[str, HeldOrder]] | None = None

    def __call__(self, step: Step) -> Done | Continue:
        """Carry the run through its phases, as far as this delivery's time allows."""
        phases: Mapping[str, Callable[[Step, dict[str, Any]], str]] = {
            "fetch": self._fetch,
            "look_up": self._look_up,
            "publish": self._publish,
            "project": self._project,
            "record": self._record,
        }
        if step.cursor is None:
            self._begin(step)
        while (phase := step.cursor["phase"]) in phases:
            if step.time_left() < _MARGIN_S:
                return Continue(delay_s=0)
            following = phases[phase](step, step.cursor)
            step.checkpoint(cursor=step.cursor | {"phase": following})
        self._clean(step)
        return Done(result=step.counts)

    def _begin(self, step: Step) -> None:
        now = instant(step.now)
        walk = self._source(step.input["source"]).begin(step.now)
        step.checkpoint(
            cursor={"phase": "fetch", "now": now, "walk": walk, "pages": 0, "looks": 0, "tired": 0} | {"vanished": 0}
        )

    def _fetch(self, step: Step, cursor: dict[str, Any]) -> str:
        source, staging = self._source(step.input["source"]), self._staging(step)
        while cursor["walk"] is not None and step.time_left() >= _MARGIN_S:
            page = source.page(cursor["walk"])
            writes = staging.page_writes(cursor["pages"], page.orders, step.now)
            cursor = cursor | {"walk": page.next, "pages": cursor["pages"] + 1}
            counts = _added(step.counts, {"pages": 1, "fetched": page.fetched, "rejected": page.rejected})
            counts["unknown"] = _added(counts.get("unknown", {}), page.unknown)
            done = counts["fetched"]
            message = f"page {cursor['pages']} read, {done} orders so far"
            step.checkpoint(cursor=cursor, counts=counts, writes=writes, progress=(done, None, message))
        return "fetch" if cursor["walk"] is not None else "look_up"

    def _look_up(self, step: Step, cursor: dict[str, Any]) -> str:
        base, held = self._base(step), self._held(step, cursor)
        missing = sorted(order_id for order_id in base.open if order_id not in held)
        source, staging = self._source(step.input["source"]), self._staging(step)
        size = source.look_up_batch
        while cursor["looks"] * size < len(missing) and cursor["tired"] < _PATIENCE:
            if step.time_left() < _MARGIN_S:
                return "look_up"
            batch = missing[cursor["looks"] * size :][:size]
            verdicts, failed = _ask(source, [(order_id, base.open[order_id]["order_number"]) for order_id in batch])
            writes = staging.look_writes(cursor["looks"], verdicts, step.now)
            vanished = cursor["vanished"] + sum(verdict.fate is Fate.VANISHED for verdict in verdicts.values())
            tired = cursor["tired"] + 1 if failed else 0
            cursor = cursor | {"looks": cursor["looks"] + 1, "tired": tired, "vanished": vanished}
            message = f"{min(cursor['looks'] * size, len(missing))} of {len(missing)} missing orders looked up"
            step.checkpoint(cursor=cursor, writes=writes, progress=(step.counts["fetched"], None, message))
            _check_drop(step, base, vanished)
        return "publish"

    def _publish(self, step: Step, cursor: dict[str, Any]) -> str:
        source = step.input["source"]
        base, held = self._base(step), self._held(step, cursor)
        verdicts = self._staging(step).verdicts(cursor["looks"])
        for order in (*held.values(), *(verdict.order for verdict in verdicts.values() if verdict.order)):
            order.currency = order.currency or (self._currency if order.value is not None else None)
        read = Read(held, verdicts, self._past(source, [key for key in held if key not in base.open]))
        built = build(Shown(self._ids.new("snp"), cursor["now"]), source, base, read, lambda: self._raw(base))
        self._write_pieces(step, built)
        self._flip(step, cursor, base, built)
        return "project"

    def _write_pieces(self, step: Step, built: Built) -> None:
        """Write the record and the pieces of a snapshot nobody can see yet."""
        record = {"state": "writing", "source": built.header.source, "made_at": instant(step.now)}
        step.checkpoint(writes=[Create(snapshot_key(built.header.id), record | {"header": built.header.data()})])
        for part, packed in built.parts.items():
            for write in piece_writes(built.header.id, part, packed):
                step.checkpoint(writes=[write])

    def _flip(self, step: Step, cursor: dict[str, Any], base: Base, built: Built) -> None:
        """Make the snapshot the one readers see: one commit with the fence."""
        header, outcome = built.header, built.outcome
        present = self._store.get(source_key(header.source))
        finished = instant(step.now)
        pointer = (present.data if present else {}) | {
            "source": header.source,
            "snapshot": header.data(),
            "last_success_at": finished,
            "last_status": "succeeded",
            "error": None,
        }
        record = {"state": "published", "source": header.source, "made_at": finished, "header": header.data()}
        pending = {"source": header.source, "snapshot_id": header.id, "made_at": finished}
        pointed = Put(source_key(header.source), pointer, present.version) if present else None
        counts = step.counts | {
            "held": len(outcome.open),
            "opened": outcome.opened,
            "updated": outcome.updated,
            "reopened": outcome.reopened,
            "resolved": len(outcome.resolved),
            "unverified": outcome.unverified,
            "snapshot_id": header.id,
        }
        step.checkpoint(
            cursor=cursor | {"phase": "project", "done": 0, "header": header.data()},
            counts=counts,
            writes=[
                pointed or Create(source_key(header.source), pointer),
                Put(snapshot_key(header.id), record),
                Create(self._history.pending_key(header.id), pending),
            ],
        )
        self._published(header.source)

    def _project(self, step: Step, cursor: dict[str, Any]) -> str:
        """Write one document per order resolved by this snapshot, and drop those of orders that came back."""
        header = Header.of(step.cursor["header"])
        rows = read_rows(self._store.documents, header)
        gone = [row for row in rows if row["state"] == "resolved"]
        back = [
            row for row in rows if row["state"] == "open" and row["episode"] > 1 and row["opened_at"] == cursor["now"]
        ]
        writes = resolved_writes(gone, back, self._raw_of(header) if gone else {}, header)
        for start in range(step.cursor["done"], len(writes), _WRITE_MANY):
            step.checkpoint(
                cursor=step.cursor | {"done": start + _WRITE_MANY}, writes=writes[start : start + _WRITE_MANY]
            )
        return "record"

    def _record(self, step: Step, cursor: dict[str, Any]) -> str:
        """Merge what is pending into the warehouse; when that is down, leave it pending and say so."""
        step.checkpoint(counts=step.counts | {"history_pending": self._history.flush(cursor["header"]["source"])})
        return "clean"

    def _clean(self, step: Step) -> None:
        self._kept = None
        for writes in self._staging(step).removals(step.cursor["pages"], step.cursor["looks"]):
            if writes:
                step.checkpoint(writes=writes)

    def _staging(self, step: Step) -> Staging:
        return Staging(self._store.documents, step.job_id)

    def _base(self, step: Step) -> Base:
        present = self._store.get(source_key(step.input["source"]))
        return load_base(self._store.documents, present.data if present else None)

    def _held(self, step: Step, cursor: dict[str, Any]) -> dict[str, HeldOrder]:
        """Return what was read, newest version of each order; kept from one phase to the next of the same delivery."""
        asked = (step.job_id, cursor["pages"])
        kept = self._kept
        if kept is None or kept[0] != asked:
            kept = self._kept = (asked, newest(self._staging(step).orders(cursor["pages"])))
        return kept[1]

    def _past(self, source: str, order_ids: list[str]) -> dict[str, Row]:
        """Read the resolved rows of orders that may be coming back."""
        past: dict[str, Row] = {}
        for start in range(0, len(order_ids), _READ_MANY):
            keys = [resolved_key(source, order_id) for order_id in order_ids[start : start + _READ_MANY]]
            found = self._store.get_many(keys).values()
            past |= {document.data["row"]["order_id"]: document.data["row"] for document in found}
        return past

    def _raw(self, base: Base) -> Mapping[str, Any]:
        return self._raw_of(base.header) if base.header else {}

    def _raw_of(self, header: Header) -> Mapping[str, Any]:
        packed = read_part(self._store.documents, header.id, "raw", header.pieces["raw"])
        return unpack(packed) if packed else {}


def _ask(source: OrderSource, orders: list[tuple[str, str | None]]) -> tuple[dict[str, Verdict], bool]:
    """Look orders up; trouble other than a rate limit is an answer of its own: nothing is known of them."""
    try:
        return source.look_up(orders), False
    except Transient as trouble:
        if trouble.rate_limited:
            raise
        return {}, True


def _check_drop(step: Step, base: Base, vanished: int) -> None:
    """Refuse a read that would make most open orders vanish; raise Terminal `suspicious_drop`."""
    if suspicious(len(base.open), vanished) and not step.input.get("accept_drop"):
        code = "suspicious_drop"
        detail = f"The source does not know {vanished} of {len(base.open)} open orders; nothing was published."
        raise Terminal(code, detail)


def _added(present: Mapping[str, Any], more: Mapping[str, int]) -> dict[str, Any]:
    return {**present, **{name: present.get(name, 0) + number for name, number in more.items()}}
