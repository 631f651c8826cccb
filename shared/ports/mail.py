"""Mail: sending one letter. Adapters: SMTP, and the log where a deployment names no mail server."""

from collections.abc import Sequence
from typing import Protocol

from shared.core.values import dataclass

__all__ = ["Letter", "Mail"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A plain letter; `message_id` is the same each time the letter is tried, so that mail servers can tell."""

    recipients: Sequence[str]
    subject: str
    text: str
    message_id: str


class Mail(Protocol):
    """A way to send letters."""

    def send(self, letter: Letter) -> bool:
        """Send it; say whether it left (False: only logged). Raise Transient to be tried again, Terminal never to."""
        ...
