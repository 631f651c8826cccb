"""Telling people and programs: one letter, one post per opened alert and per escalation, never two.

The delivery is recorded before the letter leaves (`sending`) and after it (`sent`). A worker that dies in between leaves
`sending` behind; whoever comes next does not know whether the letter left, and sends no second one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.alerts.book import alert_key
from shared.alerts.hook import Hook
from shared.core.clock import Clock, instant
from shared.core.errors import Problem, Terminal, Transient
from shared.jobs.kinds import Continue, Done, Step
from shared.ports.documents import Create, Delete, Key, Put, Stored
from shared.ports.mail import Letter, Mail
from shared.ports.store import Store

__all__ = ["KIND", "QUEUE", "WEBHOOK", "Notifier"]

KIND = "notify"
QUEUE = "alerts"
WEBHOOK = "webhook"
_DELIVERIES = "alert_deliveries"


class Notifier:
    """The handler of job kind `notify`: one event of one alert over one channel."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        mail: Mail,
        settings: Callable[[], Mapping[str, Any]],
        hook: Hook | None = None,
    ) -> None:
        """Take the store, time, how letters leave, the alert settings, and where events are posted to."""
        self._store, self._clock, self._mail, self._settings, self._hook = store, clock, mail, settings, hook

    def __call__(self, step: Step) -> Done | Continue:
        """Tell of the event, unless that has been done."""
        alert_id, event = step.input["alert_id"], step.input["event"]
        alert = self._store.get(alert_key(alert_id))
        if alert is None:
            return Done({"sent": 0})
        if step.input.get("channel") == WEBHOOK:
            return Done({"sent": self._post(alert, event, step.job_id)})
        return Done({"sent": self._write(alert, event, step.job_id)})

    def _write(self, alert: Stored, event: str, job_id: str) -> int:
        settings = self._settings()
        recipients = settings["alert_recipient_emails"] if settings["email_notifications_enabled"] else []
        key = Key(_DELIVERIES, f"{alert.key.id}.{event}.email")
        if not recipients or not self._claimed(key, job_id, len(recipients)):
            return 0
        try:
            left = self._mail.send(_letter(alert, event, recipients))
        except Transient:
            self._settle(key, None)
            raise
        self._settle(key, "sent" if left else "logged")
        return len(recipients) if left else 0

    def _post(self, alert: Stored, event: str, job_id: str) -> int:
        """Post the event; one that was refused may be posted again by retrying the job, one that arrived may not."""
        key = Key(_DELIVERIES, f"{alert.key.id}.{event}.{WEBHOOK}")
        if self._hook is None or not self._claimed(key, job_id, 1):
            return 0
        try:
            self._hook.send(alert, event)
        except (Transient, Terminal, Problem):
            self._settle(key, None)
            raise
        self._settle(key, "sent")
        return 1

    def _claimed(self, key: Key, job_id: str, recipients: int) -> bool:
        """Say whether this delivery is ours: whoever records it first sends it."""

        def decide(found: Mapping[Key, Stored]) -> tuple[bool, list[Create]]:
            if key in found:
                return False, []
            data = {"state": "sending", "job_id": job_id, "recipients": recipients, "at": instant(self._clock.now())}
            return True, [Create(key, data)]

        return self._store.change([key], decide)

    def _settle(self, key: Key, state: str | None) -> None:
        """Record how it went; a letter that did not leave is forgotten, so that the next attempt may send it."""

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Put | Delete]]:
            stored = found.get(key)
            if stored is None:
                return None, []
            write = Put(key, {**stored.data, "state": state}, stored.version) if state else Delete(key, stored.version)
            return None, [write]

        self._store.change([key], decide)


def _letter(alert: Stored, event: str, recipients: list[str]) -> Letter:
    data, word = alert.data, event.partition("-")[0]
    lines = [
        data["message"],
        "",
        f"Severity: {data['severity']}. First seen: {data['created_at']}. This letter: {word}.",
        f"Alert {alert.key.id}, cause {data['dedupe_key']}.",
    ]
    subject = f"[{data['severity']}] {data['message']}".replace("\n", " ")[:150]
    return Letter(tuple(recipients), subject, "\n".join(lines), f"{alert.key.id}.{event}")
