"""Publishing: the one way a source's snapshot is replaced, for complete reads and for single orders alike.

    publish  write what nobody can see yet, then flip the pointer        (one commit, fenced by the job document)
    project  one document per resolved order, for look-ups and history   (derived from the published snapshot)
    record   the same rows into the warehouse                            (derived too; made up for later when it is down)

What is left over then is the rendered feed of the snapshot before (readers that still want it render it themselves).

The flip carries the version of the pointer its base was read with: of two publications at once one is refused with Conflict
and begins again from what the other published.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.core.clock import instant, parse_instant
from shared.core.ids import Ids
from shared.jobs.kinds import Step
from shared.oos.history import History
from shared.oos.naming import Naming, Products
from shared.oos.publish import Base, Built, Given, build, load_base, read_rows
from shared.oos.resolved import resolved_key, resolved_writes
from shared.oos.rules import Outcome, Row
from shared.oos.samples import sample_write
from shared.oos.snapshot import Header, filled, legacy_keys, read_values, snapshot_key, source_key
from shared.ports.documents import Create, Delete, Put, Write
from shared.ports.store import Store

__all__ = ["Flip", "Publisher"]

_READ_MANY = 300
_WRITE_MANY = 40
# Firestore takes 10 MiB in one commit; gRPC by default 4 MiB in one message.
_COMMIT_BYTES = 3_000_000
_GAP = timedelta(seconds=20)


class Publisher:
    """Writes snapshots and what follows from them."""

    def __init__(
        self, store: Store, ids: Ids, history: History, published: Callable[[str], None], products: Products
    ) -> None:
        """Take the store, ids, the history writer, whom to tell of a new snapshot, and the catalogue."""
        self.store, self._ids, self._history = store, ids, history
        self._published, self._naming = published, Naming(products)

    def base(self, source: str) -> Base:
        """Return what is published now."""
        return load_base(self.store.documents, source, self.store.get(source_key(source)))

    def wait_s(self, source: str, step: Step) -> float:
        """Return how long the next publication of single orders has to wait, so that many of them share one."""
        pointer = self.store.get(source_key(source))
        last = pointer.data.get("published_at") if pointer else None
        return max(0.0, (parse_instant(last) + _GAP - step.now).total_seconds()) if last else 0.0

    def publish(self, step: Step, base: Base, outcome: Outcome, given: Given, more: "Flip") -> Built:
        """Make the snapshot `outcome` makes of `base` the one readers see; raise Conflict when the base has moved."""
        named = self._name_products(step, base, outcome)
        built = build(self.store.documents, self._ids, base, outcome, given)
        self._prepare(step, built)
        self._flip(step, base, built, more.told(named))
        self._published(base.source)
        return built

    def project(self, step: Step) -> None:
        """Write one document per order resolved by this snapshot, and drop those of orders that came back."""
        header = Header.of(step.cursor["header"])
        rows = read_rows(self.store.documents, header)
        gone = [row for row in rows if row["state"] == "resolved"]
        back = [
            row
            for row in rows
            if row["state"] == "open" and row["episode"] > 1 and row["opened_at"] == step.cursor["now"]
        ]
        raw = read_values(self.store.documents, header, "raw") if gone else {}
        writes: list[Write] = resolved_writes(gone, back, raw, header)
        if gone:
            writes.append(sample_write(self.store, header.source, gone))
        for start in range(step.cursor["done"], len(writes), _WRITE_MANY):
            step.checkpoint(
                cursor=step.cursor | {"done": start + _WRITE_MANY}, writes=writes[start : start + _WRITE_MANY]
            )

    def record(self, step: Step) -> int:
        """Merge what is pending into the warehouse; return how many snapshots are left because of trouble."""
        return self._history.flush(step.cursor["header"]["source"])

    def leftovers(self, step: Step) -> list[Write]:
        """Return the writes that remove the rendered feed of the snapshot that was replaced."""
        before = step.cursor.get("before")
        return [Delete(key) for key in legacy_keys(Header.of(before))] if before else []

    def past(self, base: Base, order_ids: Sequence[str]) -> dict[str, Row]:
        """Return the resolved rows of orders that may be coming back, those the base itself has just resolved included."""
        past: dict[str, Row] = {}
        for start in range(0, len(order_ids), _READ_MANY):
            keys = [resolved_key(base.source, order_id) for order_id in order_ids[start : start + _READ_MANY]]
            found = self.store.get_many(keys).values()
            past |= {document.data["row"]["order_id"]: document.data["row"] for document in found}
        just = {key: base.kept[key] for key in order_ids if key in base.kept and base.kept[key]["state"] == "resolved"}
        return past | {key: filled(row, base.header.fetched_at) for key, row in just.items() if base.header}

    def _name_products(self, step: Step, base: Base, outcome: Outcome) -> Mapping[str, Any]:
        """Put our product's id on every open line whose SKU we know; rows of the base are replaced, never changed."""
        skus = {line["sku"] for row in outcome.open.values() for line in row["lines"] if line["sku"]}
        named, told = self._naming.named(skus, base.open, base.data, step.now)
        for order_id, row in outcome.open.items():
            lines = [_named(line, named) for line in row["lines"]]
            if any(new is not old for new, old in zip(lines, row["lines"], strict=True)):
                outcome.open[order_id] = row | {"lines": lines}
        return told

    def _prepare(self, step: Step, built: Built) -> None:
        """Write the record and whatever else nobody can see yet: in one commit, unless it is large."""
        header = built.header
        record = {"state": "writing", "source": header.source, "made_at": instant(step.now), "header": header.data()}
        for writes in _grouped([Create(snapshot_key(header.id), record), *built.early]):
            step.checkpoint(writes=writes)

    def _flip(self, step: Step, base: Base, built: Built, more: "Flip") -> None:
        header, finished = built.header, instant(step.now)
        pointer = base.data | {"source": header.source, "snapshot": header.data(), "published_at": finished}
        pointer |= more.pointer
        record = {"state": "published", "source": header.source, "made_at": finished, "header": header.data()}
        only = sorted(built.changed) if more.only_changed else None
        pending = {"source": header.source, "snapshot_id": header.id, "made_at": finished, "only": only}
        key = source_key(header.source)
        before = base.header.data() if base.header else None
        step.checkpoint(
            cursor=step.cursor | {**more.cursor} | {"done": 0, "header": header.data(), "before": before},
            counts=step.counts | {**more.counts} | {"snapshot_id": header.id},
            writes=[
                Put(key, pointer, base.pointer.version) if base.pointer else Create(key, pointer),
                Put(snapshot_key(header.id), record),
                Create(self._history.pending_key(header.id), pending),
                *built.late,
                *more.writes,
            ],
        )


class Flip:
    """What goes with a flip besides the snapshot: pointer fields, the job's cursor and counts, further writes."""

    def __init__(
        self,
        cursor: Mapping[str, Any],
        *,
        pointer: Mapping[str, Any] | None = None,
        counts: Mapping[str, Any] | None = None,
        writes: Sequence[Write] = (),
        only_changed: bool = False,
    ) -> None:
        """Take them; `only_changed` says that rows not changed by this snapshot need not go to the warehouse again."""
        self.cursor, self.pointer, self.counts = cursor, pointer or {}, counts or {}
        self.writes, self.only_changed = writes, only_changed

    def told(self, pointer: Mapping[str, Any]) -> "Flip":
        """Return the same with more fields of the pointer."""
        self.pointer = {**pointer, **self.pointer}
        return self


def _grouped(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Yield writes in their order, as many together as one commit may carry."""
    group: list[Write] = []
    size = 0
    for write in writes:
        more = 0 if isinstance(write, Delete) else len(write.data.get("data", b""))
        if group and size + more > _COMMIT_BYTES:
            yield group
            group, size = [], 0
        group.append(write)
        size += more
    yield group


def _named(line: Row, named: Mapping[str, str]) -> Row:
    found = named.get(line["sku"]) if line["sku"] else None
    return line if line["product_id"] == found else line | {"product_id": found}
