"""Sending again, on somebody's word, what was told of an alert: for receivers that lost it or were not there yet."""

from collections.abc import Callable
from typing import Any

from shared.alerts.book import AlertBook
from shared.alerts.deliveries import DELIVERIES, KIND
from shared.alerts.words import Channel
from shared.core.caller import Caller
from shared.core.errors import InvalidState
from shared.core.values import dataclass
from shared.jobs.service import JobService
from shared.ports.documents import Put, Query, Stored
from shared.ports.store import Store

__all__ = ["Replay"]

_OVER = frozenset({"sent", "logged", "failed", "withheld"})
_NOTHING = "Nothing of this alert was told over that channel yet, or it is on its way."


@dataclass(frozen=True, slots=True)
class Replay:
    """Repeats messages: the same record, message name and content as before, whatever holds messages back otherwise."""

    store: Store
    book: AlertBook
    jobs: Callable[[], JobService]

    def again(self, caller: Caller, alert_id: str, channel: Channel | None = None) -> list[str]:
        """Send the newest message over each channel (or one) again; return the ids of the jobs that do.

        Raise NotFound for the alert, InvalidState when nothing was told yet or all of it is still on its way.
        """
        self.book.get(alert_id)
        return self.store.atomically(lambda: self._again(caller, alert_id, channel))

    def _again(self, caller: Caller, alert_id: str, channel: Channel | None) -> list[str]:
        found = self.store.walk(Query(DELIVERIES, (("alert_id", alert_id),), order_by="at"))
        newest = {one.data["channel"]: one for one in found}
        wanted = [one for name, one in newest.items() if channel in {None, name} and self._is_over(one)]
        if not wanted:
            raise InvalidState(_NOTHING, current="not_told", allowed=sorted(_OVER))
        return [self._start(caller, one) for one in wanted]

    def _is_over(self, told: Stored) -> bool:
        """Say whether a message went its way, or whoever sent it is gone."""
        if told.data["state"] != "sending":
            return told.data["state"] in _OVER
        return self.jobs().get(told.data["job_id"]).finished_at is not None

    def _start(self, caller: Caller, told: Stored) -> str:
        data: dict[str, Any] = told.data
        given = {name: data[name] for name in ("alert_id", "event", "channel")}
        started = self.jobs().start(KIND, told.key.id, given, caller)
        state = {"state": "queued", "reason": None, "held_by": None, "due_at": None, "job_id": started.job.id}
        self.store.write([Put(told.key, {**data, **state}, told.version)])
        return started.job.id
