"""The log of security events: who did what to whom, from where. Only added to; kept 400 days; read by admins.

An event that goes with a change is written in the commit of the change; a refused sign-in is written on its own. No event
holds a password, a token, or a name that leads to no account: people type passwords into the wrong field.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from shared.core.caller import Caller
from shared.core.clock import Clock, instant
from shared.core.ids import Ids
from shared.core.page import PageQuery
from shared.core.text import Text
from shared.core.times import From, To
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Query, Stored
from shared.ports.store import Store

__all__ = ["Audit", "AuditEvent", "AuditFilter", "Event", "Origin", "event_view"]

EVENTS = "audit_events"
_KEPT = timedelta(days=400)


class Event(StrEnum):
    """What can happen."""

    REGISTERED = "registered"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a word, not a secret
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the same
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the same
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_DELETED = "user_deleted"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    address: str
    request_id: str


class AuditEvent(BaseModel, defer_build=True):
    """One event: `actor_id` is who acted (null: nobody proven), `subject_id` whose account or key it concerns."""

    id: str
    event: Event
    actor_id: str | None
    actor: str | None
    subject_id: str | None
    address: str
    request_id: str
    detail: dict[str, str]
    created_at: datetime


Word = Annotated[Text, Field(max_length=64)]


class AuditFilter(PageQuery):
    """Which events to list, newest first."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    event: Event | None = None
    actor_id: Word | None = None
    subject_id: Word | None = None
    created_from: From | None = None
    created_to: To | None = None

    def wanted(self) -> Query:
        """Return the document query of the list."""
        given = {"event": self.event.value if self.event else None, "actor_id": self.actor_id}
        given["subject_id"] = self.subject_id
        return Query(
            EVENTS,
            tuple((name, value) for name, value in given.items() if value is not None),
            at_least=instant(self.created_from) if self.created_from else None,
            at_most=instant(self.created_to) if self.created_to else None,
        )


def event_view(stored: Stored) -> AuditEvent:
    """Return a stored event as shown."""
    return AuditEvent(id=stored.key.id, **{name: stored.data[name] for name in AuditEvent.model_fields if name != "id"})


class Audit:
    """Writes events."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store, time and ids."""
        self._store, self._clock, self._ids = store, clock, ids

    def note(
        self,
        event: Event,
        origin: Origin,
        *,
        actor: Caller | None = None,
        subject_id: str | None = None,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Write an event: in the present unit of work, or at once when there is none."""
        now = self._clock.now()
        data: dict[str, Any] = {
            "event": event.value,
            "actor_id": (actor.user_id or None) if actor else None,
            "actor": (actor.username or None) if actor else None,
            "subject_id": subject_id,
            "address": origin.address,
            "request_id": origin.request_id,
            "detail": dict(detail or {}),
            "created_at": instant(now),
            "expires_at": instant(now + _KEPT),
        }
        self._store.write([Create(Key(EVENTS, self._ids.new("aud")), data)])
