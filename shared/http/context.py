"""What a handler knows about the request it answers."""

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from werkzeug.wrappers import Request

from shared.core.caller import Caller
from shared.core.conditions import NO_CONDITION, Precondition, matches
from shared.core.values import dataclass, field

if TYPE_CHECKING:
    from shared.http.uploads import Upload

__all__ = ["Context", "Numbers"]

A_co = TypeVar("A_co", covariant=True)

_KEPT = 2048


class Numbers:
    """Counts answers; latencies of the last 2,048 of them."""

    def __init__(self) -> None:
        """Start at zero."""
        self.count = 0
        self.errors = 0
        self.started = 0.0
        """When the application was made, on its monotonic clock."""
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, status: int, latency_ms: float) -> None:
        """Count one answer; errors are those of ours (5xx)."""
        with self._lock:
            self.count += 1
            self.errors += status >= 500  # noqa: PLR2004 - the first status of our own failures
            self._latencies.append(latency_ms)

    def percentile(self, share: float) -> float | None:
        """Return the latency that this share of the kept answers stayed within; None when there are none."""
        with self._lock:
            ordered = sorted(self._latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


@dataclass(slots=True)
class Context(Generic[A_co]):
    """One request: the application, the caller, and what was sent besides path, query and body."""

    app: A_co
    caller: Caller
    request: Request
    path: str
    """The path asked for, without a slash at its end."""
    request_id: str
    trace: str
    """The `traceparent` to hand on to tasks and calls."""
    address: str
    """The client's address as far as it can be trusted."""
    numbers: Numbers
    """What this instance has answered so far."""
    body: bytes = b""
    """The bytes of the body, for operations declared `raw`."""
    upload: "Upload | None" = None
    """The parts of a multipart body."""
    precondition: Precondition = NO_CONDITION
    """What `If-Match` said; services check it against what they found."""
    sent: dict[str, str] = field(default_factory=dict)
    """Headers of the answer set by the handler."""

    @property
    def is_legacy(self) -> bool:
        """Say whether a documented path of an older backend was used."""
        return not self.path.startswith("/api/v1")

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        return self.request.headers.get(name)

    def respond_header(self, name: str, value: str) -> None:
        """Set a header of the answer; the last value wins."""
        self.sent[name] = value

    def has_current(self, tag: str) -> bool:
        """Say whether the caller's `If-None-Match` names this tag (unquoted): then no body needs to be made."""
        return matches(self.request.environ.get("HTTP_IF_NONE_MATCH"), f'"{tag}"')
