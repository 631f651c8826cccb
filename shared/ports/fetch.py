"""Fetch: the one way out. Adapters: `shared.adapters.fetch` (requests behind the connect guard) and its scripted twin.

Two kinds of address are told apart. A **vendor** address comes from the settings (`Fetch.vendor`): redirects are an error
and its origin is fixed. A **user** address comes from outside: every connection, redirects included, passes the guard.
Both go through the same guarded dialler; `FETCH_ALLOW_HOSTS` opens single host:port pairs.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from shared.core.values import dataclass, field

__all__ = ["Fetch", "Request", "Response"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call: absolute URL, headers, optional body, and its budgets.

    `redirects` is 0 for vendor APIs and at most 3 for user URLs. `max_bytes` bounds the decoded body. Seconds are per
    call: connect 10, between reads 10, in total 60.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    redirects: int = 0
    max_bytes: int = 50 * 1024 * 1024
    connect_s: float = 10.0
    read_s: float = 10.0
    total_s: float = 60.0


class Response(Protocol):
    """An answer whose body streams; header names are case-insensitive (keys in lower case)."""

    status: int
    url: str
    headers: Mapping[str, str]

    def read(self) -> bytes:
        """Return the whole decoded body; raise Transient `truncated` when it ends early, Terminal `too_large` over budget."""
        ...

    def stream(self, size: int = 65536) -> Iterator[bytes]:
        """Yield the decoded body in pieces, under the same budgets."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Fetch(Protocol):
    """The outbound HTTP client."""

    def send(self, request: Request) -> Response:
        """Make the call; any HTTP status is an answer.

        Raise UrlNotAllowed (a Problem) when the guard refuses the address before any connection, Transient for
        connection trouble and timeouts, Terminal `redirect` for a redirect beyond the budget.
        """
        ...
