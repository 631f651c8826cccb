"""Who may pass: what the kernel needs of an application, and the check of an operation's access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from shared.core.caller import ANONYMOUS, Caller, Role
from shared.core.clock import Clock
from shared.core.errors import Forbidden, Unauthenticated, Unavailable
from shared.http.router import Operation
from shared.ports.store import Store

if TYPE_CHECKING:  # an application brings them with it: named here, loaded there
    from shared.core.ids import Ids
    from shared.core.settings import Settings

__all__ = ["Gate", "Refusal", "Served", "admit", "identify"]

Refusal = Unauthenticated | Forbidden | Unavailable


class Gate(Protocol):
    """Says who sends an Authorization header (`shared.identity.access.Access`)."""

    def authenticate(self, header: str | None, *, reading: bool = False) -> Caller:
        """Return the caller; raise Unauthenticated, or Unavailable when the keys cannot be had.

        `reading` says that the request is a GET or HEAD: with OPEN_READ such a caller needs no credentials.
        """
        ...

    def verify_internal(self, header: str | None) -> Caller:
        """Return the platform's own caller; raise Unauthenticated, Forbidden (another account) or Unavailable."""
        ...

    def challenge(self, *, invalid: bool = False) -> str:
        """Return the WWW-Authenticate header of a 401."""
        ...


class Served(Protocol):
    """An application as the kernel sees it; `shared.app.App` has these and its services besides."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of the product."""
        ...

    @property
    def ids(self) -> Ids:
        """The source of request ids."""
        ...

    @property
    def store(self) -> Store:
        """Where idempotency records and shared counters live, and whose commits join a handler's changes."""
        ...

    @property
    def access(self) -> Gate:
        """The gate: who is calling."""
        ...


def identify(gate: Gate, operation: Operation | None, header: str | None, method: str) -> tuple[Caller, Refusal | None]:
    """Return the caller, or ANONYMOUS and why; a refusal is raised later, after the rate check."""
    public = operation is None or operation.access == "public"
    if public and not header:
        return ANONYMOUS, None
    try:
        if operation is not None and operation.access == "internal":
            return gate.verify_internal(header), None
        return gate.authenticate(header, reading=method in {"GET", "HEAD"}), None
    except (Unauthenticated, Forbidden, Unavailable) as refused:
        return ANONYMOUS, None if public else refused


def admit(operation: Operation, caller: Caller, refusal: Refusal | None) -> None:
    """Raise unless the caller may call the operation."""
    if refusal is not None:
        raise refusal
    if operation.access in {"public", "internal"}:
        return
    needed = Role(operation.access)
    if not caller.may(needed):
        raise Forbidden(f"This needs the role {needed.value} or a higher one.", needed=needed.value)
    group = operation.name.partition(".")[0]
    if not caller.is_scoped_for(group, writing=operation.is_unsafe):
        scope = f"{group}:{'write' if operation.is_unsafe else 'read'}"
        raise Forbidden(f"This needs a key with the scope {scope}.", needed=scope)
