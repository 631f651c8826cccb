"""The journal: what was asked of a simulator, without any secret, so that a test can forbid a request."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from local.simulators.wire import Request

__all__ = ["Journal"]

_KEPT = 20_000


class Journal:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def record(self, request: Request, status: int | None, fault: str | None, at: str) -> None:
        """Write one request down; header values are never kept."""
        self._entries.append(
            {
                "time": at,
                "method": request.method,
                "path": request.path,
                "route": request.route,
                "query": [list(pair) for pair in request.query],
                "headers": sorted(request.headers),
                "authorised": "authorization" in request.headers,
                "status": status,
                "fault": fault,
                "unknown_parameters": request.unknown,
            }
        )

    def entries(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the entries whose fields have the values given."""
        return [entry for entry in self._entries if _fits(entry, wanted)]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def _fits(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(entry[name] == value for name, value in wanted.items())
