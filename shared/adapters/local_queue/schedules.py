"""The schedules port on an SQLite file: the rules, and the last slot of each that has fired."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from shared.adapters.local_queue.cron import check_rule, latest_slot, next_slot
from shared.adapters.sqlite.connections import Connections
from shared.core.clock import Clock, instant, parse_instant
from shared.ports.schedules import Schedule

__all__ = ["SqliteSchedules"]

_TABLE = """
CREATE TABLE IF NOT EXISTS schedules (
    name TEXT PRIMARY KEY, cron TEXT NOT NULL, time_zone TEXT NOT NULL, deadline_s INTEGER NOT NULL, fired TEXT NOT NULL
) WITHOUT ROWID
"""
_PUT = """
INSERT INTO schedules (name, cron, time_zone, deadline_s, fired) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET deadline_s = excluded.deadline_s,
    fired = CASE WHEN cron = excluded.cron AND time_zone = excluded.time_zone THEN fired ELSE excluded.fired END,
    cron = excluded.cron, time_zone = excluded.time_zone
"""
_ALL = "SELECT name, cron, time_zone, deadline_s, fired FROM schedules ORDER BY name"


class SqliteSchedules:
    """A durable set of cron rules; safe for threads."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Open or create the file; `:memory:` for none."""
        self._connections, self._clock = Connections(path), clock
        with self._connections.writing() as connection:
            connection.execute(_TABLE)

    def put(self, schedule: Schedule) -> None:
        """Create or replace a schedule. An unchanged rule keeps its place, so that a restart loses no slot."""
        check_rule(schedule.cron, schedule.time_zone)
        row = (schedule.name, schedule.cron, schedule.time_zone, schedule.deadline_s, instant(self._clock.now()))
        with self._connections.writing() as connection:
            connection.execute(_PUT, row)

    def delete(self, name: str) -> None:
        """Remove a schedule; an unknown name is fine."""
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM schedules WHERE name = ?", (name,))

    def list(self) -> list[Schedule]:
        """Return all schedules by name."""
        return [schedule for schedule, _ in self._rows()]

    def ping(self) -> None:
        """Do one cheap round trip."""
        self._connections.rows("SELECT 1", ())

    def due(self) -> Sequence[tuple[Schedule, datetime]]:
        """Return the schedules whose time has come, each with its latest slot: what was missed is made up for once."""
        now = self._clock.now()
        slots = [(each, latest_slot(each.cron, each.time_zone, fired, now)) for each, fired in self._rows()]
        return [(schedule, slot) for schedule, slot in slots if slot is not None]

    def fired(self, schedule: Schedule, slot: datetime) -> None:
        """Remember that a slot, and with it every earlier one, is done with."""
        with self._connections.writing() as connection:
            line = "UPDATE schedules SET fired = ? WHERE name = ? AND cron = ? AND time_zone = ? AND fired < ?"
            moment = instant(slot)
            connection.execute(line, (moment, schedule.name, schedule.cron, schedule.time_zone, moment))

    def next_runs(self) -> dict[str, datetime]:
        """Return when each schedule fires next; a time that is past means it is about to."""
        return {each.name: next_slot(each.cron, each.time_zone, fired) for each, fired in self._rows()}

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    def _rows(self) -> Sequence[tuple[Schedule, datetime]]:
        rows = self._connections.rows(_ALL, ())
        return [
            (Schedule(name, cron, zone, deadline), parse_instant(fired)) for name, cron, zone, deadline, fired in rows
        ]
