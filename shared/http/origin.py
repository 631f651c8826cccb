"""Where a request comes from: its id and trace, the client's address, and the web page that sent it.

The address is counted from the right of X-Forwarded-For, so that nobody can choose his own. Pages may call from exactly the
allowed origins, never from `*`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.core.once import later

if TYPE_CHECKING:
    from shared.core.ids import Ids

__all__ = ["Trace", "client_address", "cross_origin", "network", "preflight", "request_id", "trace"]

Environ = Mapping[str, Any]

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = later(lambda: re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}"))
_CLOUD = later(lambda: re.compile(r"([0-9a-f]{32})/([0-9]{1,20})(?:;o=[01])?"))
_NO_TRACE = "0" * 32
_UNKNOWN = "unknown"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-ID, X-Correlation-ID"
_EXPOSED = (
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, X-Total-Count, X-Data-As-Of, "
    "X-Data-Age, Idempotency-Replayed"
)
_MAX_AGE = "600"


class Trace(NamedTuple):
    """One trace: its id, the span that called us, and the `traceparent` to hand on."""

    trace_id: str
    span_id: str
    parent: str


def request_id(environ: Environ, ids: Ids) -> str:
    """Return the caller's id of the request, or a new one."""
    for name in ("HTTP_X_REQUEST_ID", "HTTP_X_CORRELATION_ID"):
        given = environ.get(name)
        if given and _ID.fullmatch(given):
            return str(given)
    return ids.new("req")


def trace(environ: Environ, request: str) -> Trace:
    """Return the caller's trace, or one derived from the request's id."""
    given = environ.get("HTTP_TRACEPARENT")
    if given and (found := _TRACEPARENT.fullmatch(given)) and found[1] != _NO_TRACE:
        return Trace(found[1], found[2], given)
    cloud = environ.get("HTTP_X_CLOUD_TRACE_CONTEXT")
    if cloud and (found := _CLOUD.fullmatch(cloud)):
        span = f"{int(found[2]) % 2**64:016x}"
        return Trace(found[1], span, f"00-{found[1]}-{span}-01")
    digest = hashlib.blake2b(request.encode(), digest_size=24).hexdigest()
    return Trace(digest[:32], digest[32:], f"00-{digest[:32]}-{digest[32:]}-01")


def client_address(peer: str | None, forwarded: str | None, hops: int) -> str:
    """Return the address that the outermost trusted proxy saw.

    Each trusted proxy adds one entry at the right. With fewer entries than proxies, or an entry that is no address, the
    header is not what our proxies write, and the peer itself counts.
    """
    if hops and forwarded:
        entries = [entry.strip() for entry in forwarded.split(",")]
        if len(entries) >= hops and (found := _address(entries[-hops])):
            return found
    return _address(peer or "") or _UNKNOWN


def network(address: str) -> str:
    """Return what a limit counts: an IPv4 address, or the /64 network that one IPv6 client has to itself."""
    if ":" not in address:
        return address
    found = ipaddress.IPv6Address(address)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


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


@lru_cache(1024)
def _address(entry: str) -> str | None:
    """Read an entry, with or without port, with or without brackets."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        found = ipaddress.ip_address(entry.partition("%")[0])
    except ValueError:
        return None
    return str(found)
