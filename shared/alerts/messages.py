"""What is said of alerts: a letter, the content of the signed hook, the blocks of a chat. Pure."""

from collections.abc import Sequence
from typing import Any

from shared.core.values import dataclass
from shared.ports.documents import Stored
from shared.ports.mail import Letter

__all__ = ["Message", "blocks", "letter_of", "slack_of"]

_SENT = ("id", "alert_type", "severity", "status", "message", "dedupe_key", "product_id", "store_id", "subject")
_SHOWN = 50
_SUBJECT = 150
_HEADER, _SECTION = 150, 2900
"""Bounds of a chat's blocks: 150 characters in a header, 3,000 in a section."""


@dataclass(frozen=True, slots=True)
class Message:
    """One or more alerts of one kind and store, to which the same thing happened."""

    alerts: Sequence[Stored]
    event: str

    @property
    def word(self) -> str:
        """Return what happened: opened, escalated, returned."""
        return self.event.partition("-")[0]

    @property
    def name(self) -> str:
        """Return the name of this message, the same each time it is tried."""
        first = f"{self.alerts[0].key.id}.{self.event}"
        return first if len(self.alerts) == 1 else f"{first}.{len(self.alerts)}"

    @property
    def severity(self) -> str:
        """Return how bad the worst is."""
        found = {alert.data["severity"] for alert in self.alerts}
        return "critical" if "critical" in found else "warning"

    @property
    def title(self) -> str:
        """Return the one line of it."""
        data = self.alerts[0].data
        if len(self.alerts) == 1:
            return str(data["message"])
        at = f" at {data['store_name']}" if data["store_name"] else ""
        return f"{len(self.alerts)} alerts: {data['alert_type'].replace('_', ' ')}{at}"

    def lines(self) -> list[str]:
        """Return each alert in a line, the first fifty of them."""
        shown = [f"[{one.data['severity']}] {one.data['message']}" for one in self.alerts[:_SHOWN]]
        left = len(self.alerts) - len(shown)
        return [*shown, f"and {left} more"] if left else shown

    def shown(self) -> dict[str, Any]:
        """Return the content of the signed hook, the text first, so that chats which take `{"text": ...}` show it."""
        alerts = [_shown(one) for one in self.alerts]
        text = f"[{self.severity}] {self.title} ({self.word})"
        return {"text": text, "event": self.word, "alert": alerts[0], "alerts": alerts}


def letter_of(message: Message) -> Letter:
    """Return the letter about a message, without recipients."""
    first = message.alerts[0]
    if len(message.alerts) == 1:
        data = first.data
        lines = [
            data["message"],
            "",
            f"Severity: {data['severity']}. First seen: {data['created_at']}. This letter: {message.word}.",
            f"Alert {first.key.id}, cause {data['dedupe_key']}.",
        ]
    else:
        lines = [f"{message.title} ({message.word})", "", *message.lines()]
    subject = f"[{message.severity}] {message.title}".replace("\n", " ")[:_SUBJECT]
    return Letter((), subject, "\n".join(lines), message.name)


def slack_of(message: Message) -> dict[str, Any]:
    """Return the content a Slack-compatible hook takes."""
    header = f"{message.severity.capitalize()}: {message.word}"
    if len(message.alerts) > 1:
        return blocks(f"[{message.severity}] {message.title} ({message.word})", header, message.lines(), message.title)
    cause = message.alerts[0].data["dedupe_key"]
    return blocks(f"[{message.severity}] {message.title} ({message.word})", header, [message.title], cause)


def blocks(text: str, header: str, lines: Sequence[str], about: str | None = None) -> dict[str, Any]:
    """Return a text for notices with the blocks a chat shows: a header, as many lines as fit, what it is about."""
    shown: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": header[:_HEADER]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _fitting(lines)}},
    ]
    last = {"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(about)}]} if about else None
    return {"text": _escaped(text), "blocks": [*shown, last] if last else shown}


def _fitting(lines: Sequence[str]) -> str:
    """Return as many lines as a section holds."""
    kept: list[str] = []
    for line in map(_escaped, lines):
        if sum(map(len, kept)) + len(kept) + len(line) > _SECTION:
            return "\n".join([*kept, f"and {len(lines) - len(kept)} more"])
        kept.append(line)
    return "\n".join(kept)


def _escaped(text: str) -> str:
    """Write a text so that a chat shows it as it is and notifies nobody named in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(alert: Stored) -> dict[str, Any]:
    data = {"id": alert.key.id, **alert.data}
    return {name: data.get(name) for name in _SENT}
