"""The refresh of one order as a job: ask the vendor for its present word, and show it with the next publication.

look   ask for the order, keep the verdict at its mark              (a newer mark asks again)
wait   until the last publication is 20 seconds old                 (many orders share one publication)
show   publish every verdict that waits, also those of other jobs
project, record                                                      (`publisher`)
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.core.errors import Transient
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import REFRESH_ORDER
from shared.oos.marks import Marks, verdict_of
from shared.oos.publish import Base, Given, fresh_raw
from shared.oos.publisher import Flip, Publisher
from shared.oos.reader import SnapshotReader
from shared.oos.refresh import with_currency
from shared.oos.rules import Row, reconcile_some
from shared.oos.source import Fate, OrderSource
from shared.ports.documents import Conflict, Put, Stored

__all__ = ["KIND", "RefreshOrderHandler"]

KIND = REFRESH_ORDER
_RACES = 3


class RefreshOrderHandler:
    """The handler of job kind `refresh-order`."""

    def __init__(
        self,
        publisher: Publisher,
        sources: Callable[[str], OrderSource],
        marks: Marks,
        reader: SnapshotReader,
        *,
        currency: str,
    ) -> None:
        """Take the publisher, the connector of a source by name, the marked orders, and what is published.

        `currency` is that of amounts for which a vendor names none.
        """
        self._publisher, self._source, self._marks = publisher, sources, marks
        self._reader, self._currency = reader, currency

    def __call__(self, step: Step) -> Done | Continue:
        """Carry the order through its phases."""
        if step.cursor is None:
            step.checkpoint(cursor={"phase": "look"})
        while step.cursor["phase"] in {"look", "show"}:
            wait_s = self._look_or_show(step)
            if wait_s is not None:
                return Continue(delay_s=wait_s)
        if step.cursor["phase"] == "project":
            self._publisher.project(step)
            step.checkpoint(cursor=step.cursor | {"phase": "record"})
        if step.cursor["phase"] == "record":
            self._publisher.record(step)
            if leftovers := self._publisher.leftovers(step):
                step.checkpoint(writes=leftovers)
        return self._done(step)

    def _look_or_show(self, step: Step) -> float | None:
        """Do what the mark's state calls for; return how long to wait where nothing can be done yet."""
        mark = self._marks.get(step.input["source"], step.input["order_id"])
        if mark is None or mark.data["state"] == "applied":
            step.checkpoint(cursor=step.cursor | {"phase": "end"})
            return None
        if mark.data["state"] == "marked":
            self._look(step, mark)
            return None
        wait_s = self._publisher.wait_s(step.input["source"], step)
        if wait_s > 0:
            return wait_s
        self._show(step)
        return None

    def _look(self, step: Step, mark: Stored) -> None:
        source, order_id = step.input["source"], step.input["order_id"]
        asked_at = step.now
        verdict = self._source(source).look_up([(order_id, self._number(source, mark))]).get(order_id)
        if verdict is None:
            code = "look_up_failed"
            raise Transient(code, "The source did not say what became of the order.")
        try:
            step.checkpoint(
                cursor=step.cursor | {"phase": "show"}, writes=[self._marks.fetched(mark, verdict, asked_at)]
            )
        except Conflict:  # marked again while we asked: the loop asks again
            return

    def _number(self, source: str, mark: Stored) -> str | None:
        """Return the order's number as the vendor told it to us; only of an order we do not hold is a delivery believed."""
        current = self._reader.current(source).loaded
        row = current.by_id.get(mark.data["order_id"]) if current else None
        number: str | None = row["order_number"] if row else mark.data["order_number"]
        return number

    def _show(self, step: Step) -> None:
        source = step.input["source"]
        for _ in range(_RACES):
            marks, base = self._marks.waiting(source), self._publisher.base(source)
            if not marks:
                return
            try:
                self._published(step, base, marks)
            except Conflict:
                continue
            return
        code = "contention"
        raise Transient(code, "The source is being published; the order is shown in a moment.")

    def _published(self, step: Step, base: Base, marks: list[Stored]) -> None:
        """Publish what the waiting marks say, or only say that they are seen when nothing differs.

        An order its look did not find stays as it is: a vendor in trouble finds nothing, and only a complete read, with its
        guard against suspicious drops, lets orders vanish.
        """
        told = {stored.data["order_id"]: verdict_of(stored) for stored in marks}
        verdicts = {key: verdict for key, verdict in told.items() if verdict.fate is not Fate.VANISHED}
        orders = [verdict.order for verdict in verdicts.values() if verdict.order]
        with_currency(orders, self._currency)
        now = max(stored.data["fetched_at"] for stored in marks)
        past = self._publisher.past(base, [order.order_id for order in orders if order.order_id not in base.open])
        outcome = reconcile_some(base.open, verdicts, past, now)
        different = {key for key in verdicts if _differs(base.open.get(key), outcome.open.get(key))}
        applied: list[Any] = [
            self._marks.applied(stored, changed=stored.data["order_id"] in different) for stored in marks
        ]
        if not different or base.header is None:
            step.checkpoint(cursor=step.cursor | {"phase": "end"}, writes=applied)
            return
        flip = Flip({"phase": "project", "now": now}, writes=applied, only_changed=True)
        given = Given(base.header.fetched_at, max(now, base.header.cut_at), fresh_raw(orders))
        self._publisher.publish(step, base, outcome, given, flip)

    def _done(self, step: Step) -> Done | Continue:
        """End together with the mark as it is; one that was raised again meanwhile refuses the end, and we go on."""
        mark = self._marks.get(step.input["source"], step.input["order_id"])
        if mark is None:
            return Done({"changed": False})
        if mark.data["state"] != "applied":
            step.checkpoint(cursor={"phase": "look"})
            return Continue(delay_s=0)
        return Done({"changed": bool(mark.data.get("changed"))}, [Put(mark.key, mark.data, mark.version)])


def _differs(before: Row | None, after: Row | None) -> bool:
    """Say whether readers would notice: the order is held now and was not, or the other way round, or reads otherwise."""
    if before is None or after is None:
        return before is not after
    return _plain(before) != _plain(after)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    lines = [{name: line[name] for name in line if name != "product_id"} for line in row["lines"]]
    return {name: value for name, value in row.items() if name not in {"last_seen_at", "raw_digest"}} | {"lines": lines}
