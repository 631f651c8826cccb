"""Schedules of syncs: made by people, fired by one dispatcher; a period runs once, with one catch-up after downtime."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from shared.core.clock import Clock, instant, parse_instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, InvalidState, NotFound, ValidationFailed
from shared.core.ids import Ids
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.store import Store
from shared.suppliers.models import NewSyncSchedule, ScheduleFilter, SyncSchedule, SyncSchedulePatch
from shared.suppliers.times import latest_slot, next_slot

__all__ = ["SCHEDULES", "SyncSchedules"]

SCHEDULES = "sync_schedules"
_CRON = "cron"
_REQUIRED = ("frequency", "time_of_day", "timezone", "enabled", "options")
_INPUTS = (*_REQUIRED, "weekday", "cron")
_VOLATILE = ("last_run_at", "last_run_status", "next_run_at")
Data = dict[str, Any]


def _key(schedule_id: str) -> Key:
    return Key(SCHEDULES, schedule_id)


def _claim(supplier_id: str, sync_type: str) -> Key:
    return Key("sync_schedule_claims", f"{supplier_id}.{sync_type}")


class Rules(Protocol):
    """What knows when a cron rule fires, in a time zone."""

    def check_rule(self, cron: str, time_zone: str) -> None:
        """Raise ValueError for a rule that is none, or that never fires."""
        ...

    def next_slot(self, cron: str, time_zone: str, after: datetime) -> datetime:
        """Return the first moment after the given one; raise ValueError when there is none any more."""
        ...

    def latest_slot(self, cron: str, time_zone: str, after: datetime, until: datetime) -> datetime | None:
        """Return the last moment in (after, until], or None."""
        ...


@dataclass(frozen=True)
class SyncSchedules:
    """The schedules of this deployment. `start` begins the sync of a schedule and returns the job's id."""

    store: Store
    clock: Clock
    ids: Ids
    require_supplier: Callable[[str], object]
    start: Callable[[Mapping[str, Any]], str]
    rules: Rules

    def create(self, wanted: NewSyncSchedule) -> Stored:
        """Make a schedule; raise NotFound for the supplier, AlreadyExists for a second one of supplier and type."""
        self.require_supplier(wanted.supplier_id)
        self._check_rule(wanted.model_dump(mode="json"))
        schedule_id, now = self.ids.new("sch"), instant(self.clock.now())
        data = {
            **wanted.model_dump(mode="json", exclude={"options"}),
            "options": wanted.options.model_dump(mode="json"),
            "last_run_at": None,
            "last_job_id": None,
            "after": now,
            "created_at": now,
            "version": 1,
        }
        claim = _claim(wanted.supplier_id, wanted.sync_type.value)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            if claim in found:
                raise AlreadyExists("This supplier has a schedule of this type.", field="sync_type")
            key = _key(schedule_id)
            return Stored(key, data, ""), [Create(key, data), Create(claim, {"schedule_id": schedule_id})]

        return self.store.change([claim], decide)

    def get(self, schedule_id: str) -> Stored:
        """Return a schedule; raise NotFound."""
        stored = self.store.get(_key(schedule_id))
        if stored is None:
            raise NotFound("No schedule has this id.", resource="schedule")
        return stored

    def view(self, stored: Stored) -> SyncSchedule:
        """Return a schedule as shown."""
        data = stored.data
        kept = {name: data[name] for name in SyncSchedule.model_fields if name in data}
        kept["cron"] = data.get("cron")
        due = self._next(data) if data["enabled"] else None
        return SyncSchedule(
            id=stored.key.id, schedule_id=stored.key.id, next_run_at=due, last_run_status=self._status(data), **kept
        )

    @staticmethod
    def sought(wanted: ScheduleFilter) -> Query:
        """Return the document query of a list of schedules."""
        given: list[tuple[str, Any]] = []
        if wanted.supplier_id:
            ids = tuple(dict.fromkeys(wanted.supplier_id))
            given.append(("supplier_id", ids[0] if len(ids) == 1 else ids))
        if wanted.enabled is not None:
            given.append(("enabled", wanted.enabled))
        return Query(
            SCHEDULES,
            tuple(given),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    def update(self, schedule_id: str, patch: SyncSchedulePatch, condition: Precondition = NO_CONDITION) -> Stored:
        """Change a schedule; what is due under the new times counts from now on."""
        key = _key(schedule_id)
        given = patch.model_dump(mode="json", exclude_unset=True)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise NotFound("No schedule has this id.", resource="schedule")
            condition.check(schedule_id, stored.data["version"], patch.version)
            changes = self._changes(stored, given)
            if not changes:
                return stored, []
            stamps = {"version": stored.data["version"] + 1, "after": instant(self.clock.now())}
            after = {**stored.data, **changes, **stamps}
            return replace(stored, data=after), [Put(key, after, stored.version)]

        return self.store.change([key], decide)

    def _changes(self, stored: Stored, given: Data) -> Data:
        """Return what a body changes; options it does not name stay."""
        options = given.get("options")
        asked = given if options is None else {**given, "options": {**stored.data["options"], **options}}
        shown = self.view(stored).model_dump(mode="json")
        changes = changes_of(asked, shown, inputs=_INPUTS, required=_REQUIRED, volatile=_VOLATILE)
        if changes.keys() & {"frequency", "cron", "timezone"}:
            self._check_rule({"cron": None, **stored.data, **changes})
        return changes

    def _check_rule(self, wanted: Mapping[str, Any]) -> None:
        """Raise ValidationFailed for a rule that is none, one that is missing, and one without its frequency."""
        if (wanted["frequency"] == _CRON) != (wanted["cron"] is not None):
            raise ValidationFailed.at("/cron", "missing", "Frequency cron goes with a rule in `cron`, no other does.")
        if wanted["cron"] is not None:
            try:
                self.rules.check_rule(wanted["cron"], wanted["timezone"])
            except ValueError as wrong:
                raise ValidationFailed.at("/cron", "bad_rule", f"This is {wrong}."[:200]) from None

    def _next(self, data: Data) -> datetime | None:
        now = self.clock.now()
        if data["frequency"] != _CRON:
            return next_slot(data, now)
        try:
            return self.rules.next_slot(data["cron"], data["timezone"], now)
        except ValueError:  # a rule of dates that are all over
            return None

    def _latest(self, data: Data) -> datetime | None:
        """Return the newest moment at which a schedule was due and did not run."""
        now, after = self.clock.now(), parse_instant(data["after"])
        if data["frequency"] == _CRON:
            return self.rules.latest_slot(data["cron"], data["timezone"], after, now)
        slot = latest_slot(data, now)
        return slot if slot > after else None

    def delete(self, schedule_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Remove a schedule."""
        stored = self.get(schedule_id)
        condition.check(schedule_id, stored.data["version"])
        claim = _claim(stored.data["supplier_id"], stored.data["sync_type"])
        self.store.write([Delete(stored.key, stored.version), Delete(claim)])

    def forget(self, supplier_id: str) -> None:
        """Remove the schedules of a supplier that is disconnected."""
        for stored in self.store.query(Query(SCHEDULES, (("supplier_id", supplier_id),))):
            self.delete(stored.key.id)

    def fire(self) -> list[str]:
        """Start every sync that is due; a slot is taken in the commit that starts its job, so that it is taken once."""
        started = []
        for stored in self.store.walk(Query(SCHEDULES, (("enabled", True),))):
            job_id = self.store.atomically(partial(self._fired, stored.key.id))
            if job_id is not None:
                started.append(job_id)
        return started

    def _fired(self, schedule_id: str) -> str | None:
        stored = self.store.get(_key(schedule_id))
        if stored is None or not stored.data["enabled"]:
            return None
        slot = self._latest(stored.data)
        if slot is None:
            return None
        try:
            job_id = self.start(stored.data)
        except (InvalidState, NotFound):  # disabled or gone: the slot passes
            job_id = None
        ran = {"last_run_at": instant(self.clock.now()), "last_job_id": job_id} if job_id else {}
        self.store.write([Put(stored.key, {**stored.data, **ran, "after": instant(slot)}, stored.version)])
        return job_id

    def _status(self, data: Mapping[str, Any]) -> str | None:
        job = self.store.get(Key("jobs", data["last_job_id"])) if data["last_job_id"] else None
        return job.data["status"] if job is not None else None
