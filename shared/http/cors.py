"""Cross-origin requests: exactly the allowed origins, never `*`."""

from collections.abc import Collection

__all__ = ["cross_origin", "preflight"]

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-ID, X-Correlation-ID"
_EXPOSED = (
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, X-Total-Count, X-Data-As-Of, "
    "X-Data-Age, Idempotency-Replayed"
)
_MAX_AGE = "600"


def cross_origin(origin: str | None, allowed: Collection[str], path: str) -> dict[str, str]:
    """Return the headers that let an allowed origin read the answer; none for any other."""
    if not origin or origin not in allowed:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": f"{_EXPOSED}, Authorization" if path == "/token" else _EXPOSED,
    }


def preflight(origin: str | None, allowed: Collection[str], asked: str | None) -> dict[str, str]:
    """Return the headers of a preflight's answer besides those of `cross_origin`."""
    if not asked or not origin or origin not in allowed:
        return {}
    return {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _MAX_AGE,
    }
