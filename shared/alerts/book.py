"""The alerts as documents: one record per cause, which names its open alert, so that there is never a second one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.alerts.rules import DEFAULTS, Judgement, decided
from shared.alerts.words import AlertStatus, AlertType, Severity
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import InvalidState, NotFound
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.ports.store import Store

__all__ = ["ALERTS", "AlertBook", "Tally", "alert_key"]

ALERTS = "alerts"
_SETTINGS = Key("alert_settings", "current")
_CAUSES = "alert_causes"
_TOLD = frozenset({"opened", "escalated"})
Data = dict[str, Any]


def alert_key(alert_id: str) -> Key:
    """Return where an alert lies."""
    return Key(ALERTS, alert_id)


def _cause_key(dedupe_key: str) -> Key:
    return Key(_CAUSES, hashlib.sha256(dedupe_key.encode()).hexdigest())


@dataclass(slots=True)
class Tally:
    """What evaluations did."""

    created: int = 0
    updated: int = 0
    resolved: int = 0

    def count(self, event: str) -> None:
        """Count one event."""
        self.created += event == "opened"
        self.updated += event in {"updated", "escalated"}
        self.resolved += event == "resolved"


class AlertBook:
    """Keeps alerts; every change is decided again when another one came between."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, tell: Callable[[str, Data, str], None]) -> None:
        """Take the store, time, ids, and what is told (id, alert, event) in the commit that opens or escalates an alert."""
        self._store, self._clock, self._ids, self._tell = store, clock, ids, tell

    def settings(self) -> Data:
        """Return the settings, the defaults where none were stored."""
        stored = self._store.get(_SETTINGS)
        return {**DEFAULTS, **(stored.data if stored else {})}

    def change_settings(self, changes: Callable[[Data], Data]) -> Data:
        """Apply the changes that are returned for the present settings; the version rises when anything differs."""

        def decide(found: Mapping[Key, Stored]) -> tuple[Data, list[Write]]:
            stored = found.get(_SETTINGS)
            present = {**DEFAULTS, **(stored.data if stored else {})}
            wanted = {name: value for name, value in changes(present).items() if present[name] != value}
            if not wanted:
                return present, []
            after = {**present, **wanted, "version": present["version"] + 1}
            return after, [Create(_SETTINGS, after) if stored is None else Put(_SETTINGS, after, stored.version)]

        return self._store.change([_SETTINGS], decide)

    def judge(self, judgement: Judgement) -> str:
        """Let a judgement have its effect; return what happened to the alert of its cause."""
        return self._store.atomically(lambda: self._judged(judgement))

    def closed_by_hand(self, kind: AlertType) -> list[str]:
        """Return what causes of a kind are about whose alert was resolved by hand and has not been false since."""
        closed = Query(_CAUSES, (("by_hand", tuple(each.value for each in Severity)),))
        keys = [stored.data["dedupe_key"].partition(":") for stored in self._store.walk(closed)]
        return [about for named, _, about in keys if named == kind.value]

    def open_id(self, dedupe_key: str) -> str | None:
        """Return the id of the open alert of a cause."""
        cause = self._store.get(_cause_key(dedupe_key))
        return cause.data["alert_id"] if cause is not None else None

    def get(self, alert_id: str) -> Stored:
        """Return an alert; raise NotFound."""
        stored = self._store.get(alert_key(alert_id))
        if stored is None:
            raise NotFound("No alert has this id.", resource="alert")
        return stored

    def acknowledge(
        self, caller: Caller, alert_id: str, note: str | None, condition: Precondition = NO_CONDITION
    ) -> Stored:
        """Say that somebody knows; again changes nothing. Raise NotFound, or InvalidState once it is resolved."""

        def change(stored: Stored, now: str) -> Data | None:
            if stored.data["status"] == AlertStatus.RESOLVED.value:
                raise InvalidState("This alert is resolved.", current="resolved", allowed=["active", "acknowledged"])
            if stored.data["status"] == AlertStatus.ACKNOWLEDGED.value:
                return None
            known = {
                "status": AlertStatus.ACKNOWLEDGED.value,
                "acknowledged_at": now,
                "acknowledged_by": caller.user_id,
            }
            return known | ({"note": note} if note is not None else {})

        return self.change(alert_id, condition, change)

    def resolve(
        self, caller: Caller, alert_id: str, note: str | None, condition: Precondition = NO_CONDITION
    ) -> Stored:
        """Close an alert by hand; again changes nothing. Its cause must be false, or worse, before it opens another."""

        def change(stored: Stored, now: str) -> Data | None:
            if stored.data["status"] == AlertStatus.RESOLVED.value:
                return None
            known = {"acknowledged_at": now, "acknowledged_by": caller.user_id}
            over = {
                "status": AlertStatus.RESOLVED.value,
                "resolved_at": now,
                "resolved_by": caller.user_id,
                "resolved_reason": "by_hand",
                "snoozed_until": None,
            }
            return (
                over
                | (known if stored.data["acknowledged_at"] is None else {})
                | ({"note": note} if note is not None else {})
            )

        return self.change(alert_id, condition, change)

    def _judged(self, judgement: Judgement) -> str:
        key = _cause_key(judgement.dedupe_key)
        cause = self._store.get(key)
        open_id = cause.data["alert_id"] if cause is not None else None
        alert = self._store.get(alert_key(open_id)) if open_id is not None else None
        outcome = decided(
            judgement, alert.data if alert else None, cause.data if cause else None, instant(self._clock.now())
        )
        alert_id = alert.key.id if alert is not None else self._ids.new("alr") if outcome.event == "opened" else None
        kept = outcome.cause if outcome.event != "opened" else {"alert_id": alert_id, "by_hand": None}
        after, event = outcome.alert or {}, f"{outcome.event}-{(outcome.alert or {}).get('version')}"
        told = outcome.event in _TOLD and alert_id is not None
        writes: list[Write] = []
        if outcome.alert is not None and alert_id is not None:
            writes.append(_write(alert_key(alert_id), alert, {**after, "last_event": event} if told else after))
        if kept is not None:
            writes.append(_write(key, cause, {**kept, "dedupe_key": judgement.dedupe_key}))
        if writes:
            self._store.write(writes)
        if told and alert_id is not None:
            self._tell(alert_id, after, event)
        return outcome.event

    def change(self, alert_id: str, condition: Precondition, change: Callable[[Stored, str], Data | None]) -> Stored:
        """Apply the changes that are returned for an alert and the time, None for none.

        A resolution made so counts as one by hand. Raise NotFound, or what `change` and the condition raise.
        """
        cause_key = _cause_key(self.get(alert_id).data["dedupe_key"])
        keys = [alert_key(alert_id), cause_key]

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(keys[0])
            if stored is None:
                raise NotFound("No alert has this id.", resource="alert")
            condition.check(alert_id, stored.data["version"])
            now = instant(self._clock.now())
            changes = change(stored, now)
            if changes is None:
                return stored, []
            after = {**stored.data, **changes, "updated_at": now, "version": stored.data["version"] + 1}
            writes: list[Write] = [Put(stored.key, after, stored.version)]
            cause = found.get(cause_key)
            if "resolved_at" in changes and cause is not None:
                kept = {**cause.data, "alert_id": None, "by_hand": after["severity"]}
                writes.append(Put(cause_key, kept, cause.version))
            return replace(stored, data=after), writes

        return self._store.change(keys, decide)


def _write(key: Key, stored: Stored | None, data: Data) -> Write:
    return Create(key, data) if stored is None else Put(key, data, stored.version)
