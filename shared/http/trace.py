"""Correlation: the request's id and its trace, taken from the caller where they are well-formed."""

import hashlib
import re
from typing import NamedTuple

from werkzeug.datastructures import EnvironHeaders, Headers

from shared.core.ids import Ids

__all__ = ["Trace", "request_id", "trace"]

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_CLOUD = re.compile(r"([0-9a-f]{32})/([0-9]{1,20})(?:;o=[01])?")
_NO_TRACE = "0" * 32


class Trace(NamedTuple):
    """One trace: its id, the span that called us, and the `traceparent` to hand on."""

    trace_id: str
    span_id: str
    parent: str


def request_id(headers: Headers | EnvironHeaders, ids: Ids) -> str:
    """Return the caller's id of the request, or a new one."""
    for name in ("X-Request-ID", "X-Correlation-ID"):
        given = headers.get(name)
        if given and _ID.fullmatch(given):
            return given
    return ids.new("req")


def trace(headers: Headers | EnvironHeaders, request: str) -> Trace:
    """Return the caller's trace, or one derived from the request's id."""
    given = headers.get("traceparent")
    if given and (found := _TRACEPARENT.fullmatch(given)) and found[1] != _NO_TRACE:
        return Trace(found[1], found[2], given)
    cloud = headers.get("X-Cloud-Trace-Context")
    if cloud and (found := _CLOUD.fullmatch(cloud)):
        span = f"{int(found[2]) % 2**64:016x}"
        return Trace(found[1], span, f"00-{found[1]}-{span}-01")
    digest = hashlib.blake2b(request.encode(), digest_size=24).hexdigest()
    return Trace(digest[:32], digest[32:], f"00-{digest[:32]}-{digest[32:]}-01")
