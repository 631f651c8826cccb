"""The refresh of one 3PL as a job: read everything, ask for what is missing, publish at once or not at all.

    fetch    every page of a frozen window, staged a few at a time       (goes on from there after a crash)
    look_up  every open order the read did not find, asked for directly  (a failed look-up resolves nothing)
    stock    units by SKU and site, for coverage and plans               (trouble keeps the levels of before, with their time)
    publish  reconcile, write, flip the pointer                          (`publisher`, as are the phases after it)
    project, record, tidy

Every write goes through `step.checkpoint`, which commits it together with the job document: a worker that lost its lease or
whose job was cancelled can write nothing.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.clock import instant
from shared.core.errors import Terminal, Transient
from shared.jobs.kinds import Continue, Done, Step
from shared.oos.marks import Marks, overruled
from shared.oos.publish import Base, Given, fresh_raw
from shared.oos.publisher import Flip, Publisher
from shared.oos.rules import newest, reconcile, suspicious
from shared.oos.source import Fate, HeldOrder, OrderSource, Verdict
from shared.oos.staging import PARTS, Reading, Staging
from shared.ports.documents import Conflict
from shared.ports.store import Store

__all__ = ["RefreshHandler", "with_currency"]

_MARGIN_S = 30.0
_PATIENCE = 3
_RACES = 3
_MOST_WORDS = 50
_MOST_WRITES = 400
_log = logging.getLogger(__name__)


class RefreshHandler:
    """The handler of job kind `refresh-source`."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        sources: Callable[[str], OrderSource],
        marks: Marks,
        *,
        currency: str,
    ) -> None:
        """Take the store, the publisher, the connector of a source by name, and the marked orders.

        `currency` is that of amounts for which a vendor names none.
        """
        self._store, self._publisher, self._source = store, publisher, sources
        self._marks, self._currency = marks, currency
        self._kept: tuple[tuple[str, int], dict[str, HeldOrder]] | None = None

    def __call__(self, step: Step) -> Done | Continue:
        """Carry the run through its phases, as far as this delivery's time allows."""
        phases: Mapping[str, Callable[[Step, dict[str, Any]], str]] = {
            "fetch": self._fetch,
            "look_up": self._look_up,
            "stock": self._stock,
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
        source = self._source(step.input["source"])
        walk, units = source.begin(step.now), source.stock.begin() if source.stock else None
        zero = {**dict.fromkeys(("pages", "looks", "tired", "vanished"), 0), "packs": dict.fromkeys(PARTS, 0)}
        step.checkpoint(cursor={"phase": "fetch", "now": now, "walk": walk, "units": units, **zero})

    def _fetch(self, step: Step, cursor: dict[str, Any]) -> str:
        source = self._source(step.input["source"])
        with Reading(step, self._staging(step), "page", cursor) as reading:
            while reading.cursor["walk"] is not None and step.time_left() >= _MARGIN_S:
                page = source.page(reading.cursor["walk"])
                cursor = reading.cursor | {"walk": page.next, "pages": reading.cursor["pages"] + 1}
                counts = _added(reading.counts, {"pages": 1, "fetched": page.fetched, "rejected": page.rejected})
                counts["unknown"] = _words(counts.get("unknown", {}), page.unknown)
                progress = (counts["fetched"], None, f"page {cursor['pages']} read, {counts['fetched']} orders so far")
                reading.add(Staging.page(page.orders), cursor, counts=counts, progress=progress)
        return "fetch" if reading.cursor["walk"] is not None else "look_up"

    def _look_up(self, step: Step, cursor: dict[str, Any]) -> str:
        base, held = self._publisher.base(step.input["source"]), self._held(step, cursor)
        missing = sorted(order_id for order_id in base.open if order_id not in held)
        source = self._source(step.input["source"])
        size = source.look_up_batch
        with Reading(step, self._staging(step), "look", cursor) as reading:
            while (done := reading.cursor["looks"] * size) < len(missing) and reading.cursor["tired"] < _PATIENCE:
                if step.time_left() < _MARGIN_S:
                    return "look_up"
                batch = [(order_id, base.open[order_id]["order_number"]) for order_id in missing[done:][:size]]
                verdicts, failed = _ask(source, batch)
                cursor = _looked(reading.cursor, verdicts, failed=failed)
                message = f"{min(done + size, len(missing))} of {len(missing)} missing orders looked up"
                reading.add(Staging.look(verdicts), cursor, progress=(step.counts["fetched"], None, message))
                _check_drop(step, base, cursor["vanished"])
        return "stock"

    def _stock(self, step: Step, cursor: dict[str, Any]) -> str:
        """Read the levels of every site; what fails here leaves those of before in place, with their own time."""
        stock = self._source(step.input["source"]).stock
        with Reading(step, self._staging(step), "stock", cursor) as reading:
            while stock is not None and reading.cursor["units"] is not None:
                if step.time_left() < _MARGIN_S:
                    return "stock"
                try:
                    page = stock.page(reading.cursor["units"])
                except (Transient, Terminal) as trouble:
                    _log.warning("stock levels could not be read: %s", trouble, extra={"source": step.input["source"]})
                    reading.note(reading.cursor | {"units": None, "stock_failed": True})
                    break
                reading.add(Staging.levels(page.levels), reading.cursor | {"units": page.next})
        return "publish"

    def _publish(self, step: Step, cursor: dict[str, Any]) -> str:
        """Publish over what is published now; somebody else publishing a single order meanwhile means once more."""
        for _ in range(_RACES):
            try:
                self._published(step, cursor)
            except Conflict:
                continue
            return "project"
        code = "contention"
        raise Transient(code, "Single orders were published all the time; the run goes on in a moment.")

    def _published(self, step: Step, cursor: dict[str, Any]) -> None:
        source, staging, now = step.input["source"], self._staging(step), cursor["now"]
        base = self._publisher.base(source)
        marks = self._marks.since(source, now)
        held, verdicts = overruled(self._held(step, cursor), staging.verdicts(cursor["packs"]), marks)
        orders = [*held.values(), *(verdict.order for verdict in verdicts.values() if verdict.order)]
        with_currency(orders, self._currency)
        past = self._publisher.past(base, [key for key in held if key not in base.open])
        outcome = reconcile(base.open, held, verdicts, past, now)
        whole = bool(cursor["packs"]["stock"]) and not cursor.get("stock_failed")
        stock = (staging.stock(cursor["packs"]), instant(step.now)) if whole else (None, None)
        cut_at = max(now, base.header.cut_at) if base.header else now
        given = Given(now, cut_at, fresh_raw(orders), *stock)
        counts = {"held": len(outcome.open), "resolved": len(outcome.resolved)}
        counts |= {name: getattr(outcome, name) for name in ("opened", "updated", "reopened", "unverified")}
        success = {"last_success_at": instant(step.now), "last_status": "succeeded", "error": None}
        applied = [self._marks.applied(stored, changed=True) for stored in marks if stored.data["state"] == "fetched"]
        flip = Flip({"phase": "project"}, pointer=success, counts=counts, writes=applied)
        self._publisher.publish(step, base, outcome, given, flip)

    def _project(self, step: Step, cursor: dict[str, Any]) -> str:
        self._publisher.project(step)
        return "record"

    def _record(self, step: Step, cursor: dict[str, Any]) -> str:
        """Merge what is pending into the warehouse; when that is down, leave it pending and say so."""
        step.checkpoint(counts=step.counts | {"history_pending": self._publisher.record(step)})
        return "clean"

    def _clean(self, step: Step) -> None:
        self._kept = None
        writes = [*self._staging(step).removals(step.cursor["packs"]), *self._publisher.leftovers(step)]
        for start in range(0, len(writes), _MOST_WRITES):
            step.checkpoint(writes=writes[start : start + _MOST_WRITES])

    def _staging(self, step: Step) -> Staging:
        return Staging(self._store.documents, step.job_id)

    def _held(self, step: Step, cursor: dict[str, Any]) -> dict[str, HeldOrder]:
        """Return what was read, newest version of each order; kept from one phase to the next of the same delivery."""
        asked = (step.job_id, cursor["pages"])
        kept = self._kept
        if kept is None or kept[0] != asked:
            kept = self._kept = (asked, newest(self._staging(step).orders(cursor["packs"])))
        return kept[1]


def with_currency(orders: list[HeldOrder], currency: str) -> None:
    """Name the currency of amounts for which the vendor names none."""
    for order in orders:
        order.currency = order.currency or (currency if order.value is not None else None)


def _ask(source: OrderSource, orders: list[tuple[str, str | None]]) -> tuple[dict[str, Verdict], bool]:
    """Look orders up; trouble other than a rate limit is an answer of its own: nothing is known of them."""
    try:
        return source.look_up(orders), False
    except Transient as trouble:
        if trouble.rate_limited:
            raise
        return {}, True


def _looked(cursor: Mapping[str, Any], verdicts: Mapping[str, Verdict], *, failed: bool) -> dict[str, Any]:
    """Return the cursor after one more batch of look-ups."""
    vanished = sum(verdict.fate is Fate.VANISHED for verdict in verdicts.values())
    after = {"looks": cursor["looks"] + 1, "tired": cursor["tired"] + 1 if failed else 0}
    return {**cursor, **after, "vanished": cursor["vanished"] + vanished}


def _check_drop(step: Step, base: Base, vanished: int) -> None:
    """Refuse a read that would make most open orders vanish; raise Terminal `suspicious_drop`."""
    if suspicious(len(base.open), vanished) and not step.input.get("accept_drop"):
        code = "suspicious_drop"
        detail = f"The source does not know {vanished} of {len(base.open)} open orders; nothing was published."
        raise Terminal(code, detail)


def _added(present: Mapping[str, Any], more: Mapping[str, int]) -> dict[str, Any]:
    return {**present, **{name: present.get(name, 0) + number for name, number in more.items()}}


def _words(present: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Count unknown words over the whole run: the first fifty by name, those beyond by their kind."""
    counted = dict(present)
    for name, number in more.items():
        known = name in counted or len(counted) < _MOST_WORDS
        kept = name if known else f"{name.partition(':')[0]}:..."
        counted[kept] = counted.get(kept, 0) + number
    return counted
