"""The daily digest: what opened, what was resolved, what is still open; to each recipient and channel once per local day.

The day's record is made once, with its content and whom it goes to; a job per target tells it, and marks the target before
and after. Whoever finds a target marked does not tell it again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.alerts.book import ALERTS
from shared.alerts.messages import blocks
from shared.alerts.notify import Ways
from shared.alerts.telling import digest_slot
from shared.alerts.words import AlertStatus, Channel
from shared.core.caller import SYSTEM
from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import ALERT_DIGEST
from shared.jobs.service import JobService
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from shared.ports.mail import Letter
from shared.ports.store import Store

__all__ = ["DIGEST", "DIGESTS", "Digests", "digest_text"]

DIGEST = ALERT_DIGEST
DIGESTS = "alert_digests"
_LISTED = 100
_DAY, _LONGEST = timedelta(days=1), timedelta(days=7)
_KEPT = timedelta(days=90)
_OPEN = (AlertStatus.ACTIVE.value, AlertStatus.ACKNOWLEDGED.value)
_PARTS = (("opened", "Opened"), ("resolved", "Resolved"), ("open", "Still open"))
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Target:
    """One way of telling a day's digest, by its place in the record."""

    key: Key
    number: int


class Digests:
    """Makes the digest that is due, and tells it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: Callable[[], Mapping[str, Any]],
        ways: Ways,
        jobs: Callable[[], JobService],
    ) -> None:
        """Take the store, time, the alert settings, how messages leave, and starting jobs."""
        self._store, self._clock, self._settings, self._ways, self._jobs = store, clock, settings, ways, jobs

    def begin(self) -> list[str]:
        """Make the digest that is due and start a job for each target; return the ids of the jobs."""
        settings = self._settings()
        slot = digest_slot(self._clock.now(), settings)
        if slot is None or self._store.get(Key(DIGESTS, slot[0])) is not None:
            return []
        key, record = Key(DIGESTS, slot[0]), self._record(slot[1], settings)

        def work() -> list[str]:
            if self._store.get(key) is not None:
                return []
            self._store.write([Create(key, record)])
            numbers = range(len(record["targets"]))
            return [self._start(key.id, number, record["targets"][number]) for number in numbers]

        return self._store.atomically(work)

    def __call__(self, step: Step) -> Done | Continue:
        """Tell one target, unless that has been done."""
        target = _Target(Key(DIGESTS, step.input["day"]), step.input["target"])
        last = step.attempts >= step.record.max_attempts
        record = self._claimed(target)
        if record is None:
            return Done({"sent": 0})
        try:
            left = self._leave(record, record["targets"][target.number], f"digest.{target.key.id}.{target.number}")
        except (Terminal, Problem):
            self._mark(target, "failed")
            raise
        except Transient:
            self._mark(target, "failed" if last else "queued")
            raise
        self._mark(target, "sent" if left else "logged")
        return Done({"sent": int(left)})

    def _start(self, day: str, number: int, target: Mapping[str, Any]) -> str:
        given = {"day": day, "target": number, "channel": target["channel"]}
        return self._jobs().start(DIGEST, f"{day}.{number}", given, SYSTEM).job.id

    def _record(self, until: datetime, settings: Mapping[str, Any]) -> Data:
        since = self._since(until)
        opened, resolved = (self._between(name, since, until) for name in ("created_at", "resolved_at"))
        still = sorted(self._store.walk(Query(ALERTS, (("status", _OPEN),))), key=lambda one: one.data["created_at"])
        parts = {"opened": opened, "resolved": resolved, "open": still}
        return {
            "from": instant(since),
            "to": instant(until),
            "counts": {name: len(found) for name, found in parts.items()},
            **{name: [_kept(one) for one in found[:_LISTED]] for name, found in parts.items()},
            "targets": self._targets(settings),
            "expires_at": instant(until + _KEPT),
        }

    def _between(self, name: str, since: datetime, until: datetime) -> list[Stored]:
        found = Query(ALERTS, order_by=name, at_least=instant(since), below=instant(until))
        return list(self._store.walk(found))

    def _since(self, until: datetime) -> datetime:
        """Return where the last digest ended, when that is less than a week ago; else a day ago."""
        last = self._store.query(Query(DIGESTS, order_by="to", descending=True, limit=1))
        ended = parse_instant(last[0].data["to"]) if last else until - _DAY
        return ended if until - _LONGEST <= ended < until else until - _DAY

    def _targets(self, settings: Mapping[str, Any]) -> list[Data]:
        wanted, letters = settings["digest_channels"], settings["alert_recipient_emails"]
        mails = [(Channel.EMAIL.value, each) for each in letters] if Channel.EMAIL in wanted else []
        hook = [(Channel.WEBHOOK.value, None)] if Channel.WEBHOOK in wanted and self._ways.hook() else []
        slack = [(Channel.SLACK.value, None)] if Channel.SLACK in wanted and self._ways.slack() else []
        return [{"channel": one, "recipient": whom, "state": "queued"} for one, whom in (*mails, *hook, *slack)]

    def _claimed(self, target: _Target) -> Data | None:
        """Mark a target as being told; None when it has been marked before."""

        def decide(found: Mapping[Key, Stored]) -> tuple[Data | None, list[Write]]:
            stored = found.get(target.key)
            if stored is None or stored.data["targets"][target.number]["state"] not in {"queued", "failed"}:
                return None, []
            return stored.data, [_with_state(stored, target, "sending")]

        return self._store.change([target.key], decide)

    def _mark(self, target: _Target, state: str) -> None:
        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            return None, [_with_state(stored, target, state) for stored in found.values()]

        self._store.change([target.key], decide)

    def _leave(self, record: Mapping[str, Any], target: Mapping[str, Any], name: str) -> bool:
        title, text = _title(record), digest_text(record)
        if target["channel"] == Channel.EMAIL:
            return self._ways.mail().send(Letter((target["recipient"],), title, text, name))
        hook = self._ways.hook() if target["channel"] == Channel.WEBHOOK else self._ways.slack()
        if hook is None:
            raise Terminal("channel_closed", "This way of telling has just been switched off.")
        hook.send(
            _posted(record) if target["channel"] == Channel.WEBHOOK else blocks(title, title, text.splitlines()), name
        )
        return True


def digest_text(record: Mapping[str, Any]) -> str:
    """Write a digest: each part with its count and the first hundred of its alerts."""
    lines = [f"Between {record['from'][:16]}Z and {record['to'][:16]}Z (UTC)."]
    for name, heading in _PARTS:
        count, shown = record["counts"][name], record[name]
        lines += ["", f"{heading}: {count}", *(f"- [{one['severity']}] {one['message']}{_why(one)}" for one in shown)]
        lines += [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "\n".join(lines)


def _why(one: Mapping[str, Any]) -> str:
    return f" ({one['resolved_reason']})" if one["resolved_reason"] else ""


def _title(record: Mapping[str, Any]) -> str:
    counts = record["counts"]
    return f"Alerts: {counts['opened']} opened, {counts['resolved']} resolved, {counts['open']} still open"


def _posted(record: Mapping[str, Any]) -> Data:
    shown = {name: record[name] for name in ("from", "to", "counts", "opened", "resolved", "open")}
    return {"text": _title(record), "event": "digest", **shown}


def _kept(alert: Stored) -> Data:
    names = ("alert_type", "severity", "message", "resolved_reason")
    return {"id": alert.key.id, **{name: alert.data[name] for name in names}}


def _with_state(stored: Stored, target: _Target, state: str) -> Write:
    targets: Sequence[Mapping[str, Any]] = stored.data["targets"]
    changed = [{**one, "state": state} if place == target.number else one for place, one in enumerate(targets)]
    return Put(stored.key, {**stored.data, "targets": changed}, stored.version)
