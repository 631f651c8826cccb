"""What is to be told: one record per alert, event and channel, from the commit that opened the alert to the end.

A record is `waiting` (looked at again at `due_at`), `queued` (a job tells of it), `sending`, and then `sent`, `logged` (there
is no mail server), `failed` or `withheld`. What waits for the same reason to be told is told together: the alerts of one kind
and store are one message from `group_from` of them on. Each record is told once, by whichever message holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.alerts.book import AlertBook, alert_key
from shared.alerts.telling import Around, Hold, Verdict, quiet_until, verdict
from shared.alerts.words import AlertStatus, Channel
from shared.core.caller import SYSTEM
from shared.core.clock import Clock, instant
from shared.core.values import dataclass
from shared.jobs.names import ALERTS, NOTIFY
from shared.ports.documents import Create, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.jobs.service import JobService
    from shared.ports.store import Store

__all__ = ["DELIVERIES", "KIND", "QUEUE", "Deliveries", "delivery_key"]

KIND, QUEUE = NOTIFY, ALERTS
DELIVERIES = "alert_deliveries"
_MOST_TOGETHER = 400
"""So many records change in one commit; a greater group is told in several messages."""
_KEPT = timedelta(days=180)
Data = dict[str, Any]


def delivery_key(alert_id: str, event: str, channel: str) -> Key:
    """Return where the record of a delivery lies."""
    return Key(DELIVERIES, f"{alert_id}.{event}.{channel}")


@dataclass(frozen=True, slots=True)
class _Due:
    """A record whose time has come, its alert, and what becomes of it."""

    delivery: Stored
    verdict: Verdict


class Deliveries:
    """Records what is to be told, and lets it be told when its time has come."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        book: AlertBook,
        silences: Callable[[], Mapping[str, Data]],
        start: Callable[[], JobService],
    ) -> None:
        """Take the store, time, the book of alerts, the silences in force by id, and starting jobs."""
        self._store, self._clock, self._book = store, clock, book
        self._silences, self._jobs = silences, start

    def add(self, alert_id: str, alert: Mapping[str, Any], event: str, channels: Iterable[Channel]) -> None:
        """Record, in the present commit, that channels are to be told of an event."""
        now = self._clock.now()
        facts = {name: alert[name] for name in ("alert_type", "store_id")}
        fresh = {"state": "waiting", "reason": None, "held_by": None, "job_id": None, "recipients": None}
        told = {"alert_id": alert_id, "event": event, "at": instant(now), "due_at": instant(now), "sent_at": None}
        gone = {"expires_at": instant(now + _KEPT)}
        self._store.write(
            [
                Create(
                    delivery_key(alert_id, event, channel), {**facts, **fresh, **told, **gone, "channel": channel.value}
                )
                for channel in channels
            ]
        )

    def of(self, alert_id: str) -> list[Data]:
        """Return the records of an alert, oldest first."""
        found = self._store.walk(Query(DELIVERIES, (("alert_id", alert_id),), order_by="at"))
        return [stored.data for stored in found]

    def tell(self) -> int:
        """Start a job for each message that is due, hold back what must wait; return how many jobs were started."""
        due = Query(DELIVERIES, order_by="due_at", at_most=instant(self._clock.now()))
        judged = self._judged(list(self._store.walk(due)))
        for one in judged:
            if one.verdict.reason is not None:
                self._hold(one)
        ready = [one.delivery for one in judged if one.verdict.reason is None]
        return sum(self._start([one.key for one in group]) for group in self._grouped(ready))

    def _judged(self, found: Sequence[Stored]) -> list[_Due]:
        settings, silences, now = self._book.settings(), self._silences(), self._clock.now()
        alerts = self._store.get_many([alert_key(one.data["alert_id"]) for one in found]) if found else {}
        quiet = quiet_until(now, settings) if found else None
        around = Around(now, silences, quiet, critical_passes=bool(settings["quiet_hours_critical_passes"]))
        judged = []
        for one in found:
            alert = alerts.get(alert_key(one.data["alert_id"]))
            judged.append(_Due(one, verdict(one.data, alert.data, around) if alert else Verdict(Hold.RESOLVED)))
        return judged

    def _grouped(self, ready: Sequence[Stored]) -> Iterable[Sequence[Stored]]:
        """Yield what is told together: few ones each alone."""
        groups: dict[tuple[str, str, str | None, str], list[Stored]] = {}
        for one in ready:
            data = one.data
            name = (data["channel"], data["alert_type"], data["store_id"], data["event"].partition("-")[0])
            groups.setdefault(name, []).append(one)
        least = self._book.settings()["group_from"]
        for group in groups.values():
            step = _MOST_TOGETHER if len(group) >= least else 1
            yield from (group[start : start + step] for start in range(0, len(group), step))

    def _start(self, keys: Sequence[Key]) -> int:
        """Start the job of one message for those records that still wait, in one commit with their change."""

        def work() -> int:
            found = self._store.get_many(keys)
            ours = [found[key] for key in keys if key in found and found[key].data["state"] == "waiting"]
            if not ours:
                return 0
            first = ours[0].data
            given = {"alert_id": first["alert_id"], "event": first["event"], "channel": first["channel"]}
            members = {"members": [one.key.id for one in ours]} if len(ours) > 1 else {}
            self._jobs().start(KIND, ours[0].key.id, {**given, **members}, SYSTEM)
            self._store.write([_put(one, {"state": "queued", "due_at": None, "reason": None}) for one in ours])
            return 1

        return self._store.atomically(work)

    def _hold(self, due: _Due) -> None:
        """Write down why a record waits or is never told, and on its alert which silence holds it."""
        said = due.verdict
        changes = {
            "state": "waiting" if said.until is not None else "withheld",
            "due_at": said.until,
            "reason": said.reason.value if said.reason is not None else None,
            "held_by": said.by,
        }

        def work() -> None:
            stored = self._store.get(due.delivery.key)
            if stored is not None and stored.data["state"] == "waiting":
                self._store.write([_put(stored, changes)])
                if said.reason is Hold.SILENCED:
                    self._silenced(stored.data["alert_id"], said.by)

        self._store.atomically(work)

    def _silenced(self, alert_id: str, silence_id: str | None) -> None:
        stored = self._store.get(alert_key(alert_id))
        if stored is None or stored.data.get("silenced_by") == silence_id:
            return
        if stored.data["status"] != AlertStatus.RESOLVED.value:
            after = {**stored.data, "silenced_by": silence_id, "version": stored.data["version"] + 1}
            self._store.write([Put(stored.key, after, stored.version)])


def _put(stored: Stored, changes: Mapping[str, Any]) -> Write:
    return Put(stored.key, {**stored.data, **changes}, stored.version)
