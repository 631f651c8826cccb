"""Telling people and programs: each alert once per event and channel, alone or together with others.

The records of a message are `sending` before it leaves and `sent` after it. A worker that dies in between leaves `sending`
behind; whoever comes next does not know whether the message left, and sends no second one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.alerts.book import alert_key
from shared.alerts.deliveries import DELIVERIES, KIND, QUEUE, delivery_key
from shared.alerts.hook import Hook
from shared.alerts.messages import Message, letter_of, slack_of
from shared.alerts.telling import Hold
from shared.alerts.words import Channel
from shared.core.clock import Clock, instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.ports.documents import Create, Key, Put, Stored, Write
from shared.ports.mail import Letter, Mail
from shared.ports.store import Store

__all__ = ["KIND", "QUEUE", "Notifier", "Ways"]

_CLAIMABLE = frozenset({"waiting", "queued", "failed"})


@dataclass(frozen=True)
class Ways:
    """How messages leave: letters, the signed hook and the chat hook, where there are such."""

    mail: Callable[[], Mail]
    hook: Callable[[], Hook | None]
    slack: Callable[[], Hook | None]


class Notifier:
    """The handler of job kind `notify`: one message over one channel."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Mapping[str, Any]], ways: Ways) -> None:
        """Take the store, time, the alert settings, and how messages leave."""
        self._store, self._clock, self._settings, self._ways = store, clock, settings, ways

    def __call__(self, step: Step) -> Done | Continue:
        """Tell of the events, those that have been told excepted."""
        given = step.input
        channel = Channel(given.get("channel") or Channel.EMAIL)
        own = delivery_key(given["alert_id"], given["event"], channel)
        keys = [Key(DELIVERIES, name) for name in given.get("members") or [own.id]]
        told = _Told(keys, channel, given["event"], step.job_id, last=step.attempts >= step.record.max_attempts)
        alerts = self._store.get_many([alert_key(_alert_id(key)) for key in keys])
        if not alerts or not self._open(channel):
            self._give_up(keys)
            return Done({"sent": 0})
        return Done({"sent": self._send(told, alerts)})

    def _send(self, told: "_Told", alerts: Mapping[Key, Stored]) -> int:
        claimed = self._claimed(told)
        found = [alerts[alert_key(_alert_id(key))] for key in claimed if alert_key(_alert_id(key)) in alerts]
        if not found:
            return 0
        try:
            left = self._leave(told.channel, Message(found, told.event))
        except (Terminal, Problem):
            self._settle(claimed, "failed")
            raise
        except Transient:
            self._settle(claimed, "failed" if told.last else "queued")
            raise
        self._settle(claimed, "sent" if left else "logged")
        return left

    def _open(self, channel: Channel) -> bool:
        """Say whether the channel leads anywhere now."""
        settings = self._settings()
        match channel:
            case Channel.EMAIL:
                return bool(settings["email_notifications_enabled"] and settings["alert_recipient_emails"])
            case Channel.WEBHOOK:
                return self._ways.hook() is not None
            case Channel.SLACK:
                return self._ways.slack() is not None

    def _leave(self, channel: Channel, message: Message) -> int:
        """Send the message; return how many were told (0: only logged)."""
        hook = self._ways.hook() if channel is Channel.WEBHOOK else self._ways.slack()
        if channel is Channel.EMAIL:
            recipients = tuple(self._settings()["alert_recipient_emails"])
            letter = letter_of(message)
            sent = self._ways.mail().send(Letter(recipients, letter.subject, letter.text, letter.message_id))
            return len(recipients) if sent else 0
        if hook is None:
            raise Terminal("channel_closed", "This way of telling has just been switched off.")
        hook.send(message.shown() if channel is Channel.WEBHOOK else slack_of(message), message.name)
        return 1

    def _give_up(self, keys: Sequence[Key]) -> None:
        """Record that a channel was switched off before its message left."""

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            off = {"state": "withheld", "reason": Hold.CHANNEL_OFF.value, "due_at": None}
            late = {key: one for key, one in found.items() if one.data["state"] in _CLAIMABLE}
            return None, [Put(key, {**one.data, **off}, one.version) for key, one in late.items()]

        self._store.change(keys, decide)

    def _claimed(self, told: "_Told") -> Sequence[Key]:
        """Return the records that are ours to tell: whoever marks one first sends it."""

        def decide(found: Mapping[Key, Stored]) -> tuple[list[Key], list[Write]]:
            ours = [key for key in told.keys if key not in found or found[key].data["state"] in _CLAIMABLE]
            mark = {"state": "sending", "job_id": told.job_id, "due_at": None, "at": instant(self._clock.now())}
            return ours, [_marked(key, found.get(key), mark) for key in ours]

        return self._store.change(told.keys, decide)

    def _settle(self, keys: Sequence[Key], state: str) -> None:
        """Record how it went."""
        at = instant(self._clock.now()) if state == "sent" else None

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            changes = {"state": state, "sent_at": at}
            return None, [Put(key, {**one.data, **changes}, one.version) for key, one in found.items()]

        self._store.change(keys, decide)


@dataclass(frozen=True, slots=True)
class _Told:
    """One message to send: its records, over which channel, and whether this attempt is the last."""

    keys: Sequence[Key]
    channel: Channel
    event: str
    job_id: str
    last: bool


def _alert_id(key: Key) -> str:
    return key.id.partition(".")[0]


def _marked(key: Key, stored: Stored | None, mark: Mapping[str, Any]) -> Write:
    if stored is None:
        event, _, channel = key.id.partition(".")[2].partition(".")
        told = {"alert_id": _alert_id(key), "event": event, "channel": channel, "recipients": None}
        return Create(key, {**told, "reason": None, "held_by": None, "sent_at": None, **mark})
    return Put(key, {**stored.data, **{name: value for name, value in mark.items() if name != "at"}}, stored.version)
