"""What people do with an open alert besides knowing and closing it: put it off, give it to somebody, hear no more of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from shared.alerts.book import ALERTS, AlertBook, alert_key
from shared.alerts.words import AlertStatus
from shared.core.caller import Caller
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import InvalidState, ValidationFailed
from shared.ports.documents import Put, Query, Stored
from shared.ports.store import Store

__all__ = ["MOST_DAYS", "Handling"]

MOST_DAYS = 90
_OPEN = [AlertStatus.ACTIVE.value, AlertStatus.ACKNOWLEDGED.value]
Data = dict[str, Any]


class Handling:
    """Changes of open alerts by people. Each raises NotFound, and InvalidState once the alert is resolved."""

    def __init__(self, store: Store, clock: Clock, book: AlertBook, tell: Callable[[str, Data, str], None]) -> None:
        """Take the store, time, the book, and what is told in the commit of an alert that comes back."""
        self._store, self._clock, self._book, self._tell = store, clock, book, tell

    def snooze(
        self,
        caller: Caller,
        alert_id: str,
        until: datetime,
        *,
        note: str | None,
        condition: Precondition = NO_CONDITION,
    ) -> Stored:
        """Put an alert off until a time; raise ValidationFailed for one that is over or more than 90 days away."""
        now = self._clock.now()
        if until <= now or until > now + timedelta(days=MOST_DAYS):
            raise ValidationFailed.at("/until", "out_of_range", "Give a time to come, at most 90 days from now.")
        wanted = {"snoozed_until": instant(until), "snoozed_by": caller.user_id}
        return self._changed(alert_id, condition, wanted, note, same=("snoozed_until",))

    def unsnooze(self, alert_id: str, condition: Precondition = NO_CONDITION) -> Stored:
        """Let an alert speak again before its time; it is told that it is back."""
        return self._back(alert_id, condition, ("snoozed_until", "snoozed_by"))

    def assign(
        self,
        caller: Caller,
        alert_id: str,
        user_id: str | None,
        *,
        note: str | None,
        condition: Precondition = NO_CONDITION,
    ) -> Stored:
        """Give an alert to somebody, or to nobody; again to the same changes nothing."""
        given = user_id is not None
        at = instant(self._clock.now()) if given else None
        wanted = {"assigned_to": user_id, "assigned_at": at, "assigned_by": caller.user_id if given else None}
        return self._changed(alert_id, condition, wanted, note, same=("assigned_to",))

    def mute(
        self, caller: Caller, alert_id: str, *, note: str | None, condition: Precondition = NO_CONDITION
    ) -> Stored:
        """Tell nobody of this alert any more until it is resolved; again changes nothing."""

        def change(stored: Stored, now: str) -> Data | None:
            if stored.data.get("muted_at"):
                return None
            return {"muted_at": now, "muted_by": caller.user_id} | _noted(note)

        return self._book.change(alert_id, condition, lambda stored, now: change(_open(stored), now))

    def unmute(self, alert_id: str, condition: Precondition = NO_CONDITION) -> Stored:
        """Let a muted alert speak again; it is told that it is back."""
        return self._back(alert_id, condition, ("muted_at", "muted_by"))

    def ended_snoozes(self) -> list[Stored]:
        """Return the alerts whose snooze is over."""
        over = Query(ALERTS, order_by="snoozed_until", at_most=instant(self._clock.now()))
        return list(self._store.walk(over))

    def wake(self, alert_id: str) -> bool:
        """Take the snooze of an alert away whose time has come, and let it be told that the alert is back."""

        def work() -> bool:
            stored = self._store.get(alert_key(alert_id))
            now = instant(self._clock.now())
            if stored is None or not stored.data.get("snoozed_until") or stored.data["snoozed_until"] > now:
                return False
            version = stored.data["version"] + 1
            back = stored.data["status"] in _OPEN
            awake = {"snoozed_until": None, "snoozed_by": None, "updated_at": now, "version": version}
            after = {**stored.data, **awake} | ({"last_event": f"returned-{version}"} if back else {})
            self._store.write([Put(stored.key, after, stored.version)])
            if back:
                self._tell(alert_id, after, after["last_event"])
            return True

        return self._store.atomically(work)

    def _back(self, alert_id: str, condition: Precondition, held: tuple[str, ...]) -> Stored:
        """Take away what kept an alert quiet, and let that be told in the same commit; again changes nothing."""
        told: list[str] = []

        def change(stored: Stored, _: str) -> Data | None:
            data, event = _open(stored).data, f"returned-{stored.data['version'] + 1}"
            told[:] = [event] if data.get(held[0]) is not None else []
            return {**dict.fromkeys(held), "last_event": event} if told else None

        def work() -> Stored:
            after = self._book.change(alert_id, condition, change)
            for event in told:
                self._tell(alert_id, after.data, event)
            return after

        return self._store.atomically(work)

    def _changed(
        self, alert_id: str, condition: Precondition, wanted: Data, note: str | None, same: tuple[str, ...] = ()
    ) -> Stored:
        """Write what is wanted, unless what decides (`same`, else all of it) is so already."""

        def change(stored: Stored, _: str) -> Data | None:
            data = _open(stored).data
            if all(data.get(name) == wanted[name] for name in same or wanted):
                return None
            return wanted | _noted(note)

        return self._book.change(alert_id, condition, change)


def _open(stored: Stored) -> Stored:
    if stored.data["status"] == AlertStatus.RESOLVED.value:
        raise InvalidState("This alert is resolved.", current="resolved", allowed=_OPEN)
    return stored


def _noted(note: str | None) -> Data:
    return {"note": note} if note is not None else {}
