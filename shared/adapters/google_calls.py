"""What the gRPC clients of Google share: how long to try, and their failures in our words.

A refused right counts as passing trouble: rights take minutes to spread after a deployment, and nothing is lost by waiting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.core.errors import Terminal, Transient

__all__ = ["crc32c", "last_part", "patience", "translated"]

_CALL_S, _TRIES_S = 5.0, 15.0
_WRONG = ("InvalidArgument", "NotFound", "FailedPrecondition", "OutOfRange", "MethodNotImplemented")


def patience(tries_s: float = _TRIES_S) -> dict[str, Any]:
    """Return the options of one call: a limit per try, and tries over a deadline. Only for calls safe to repeat."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    again = if_exception_type(
        exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.InternalServerError, exceptions.Unknown
    )
    return {"retry": Retry(predicate=again, initial=0.1, maximum=2.0, timeout=tries_s), "timeout": _CALL_S}


@contextmanager
def translated(service: str, code: str) -> Iterator[None]:
    """Turn the client's exceptions into ours: `<code>_refused` when the request is wrong, else trouble that may pass."""
    from google.api_core.exceptions import GoogleAPICallError, ResourceExhausted, RetryError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except ResourceExhausted as failure:
        raise Transient(f"{code}_busy", f"{service} asks to slow down.", rate_limited=True) from failure
    except GoogleAPICallError as failure:
        name = type(failure).__name__
        if name in _WRONG:
            raise Terminal(f"{code}_refused", f"{service} refuses the request ({name}): {failure.message}") from failure
        raise Transient(f"{code}_unavailable", f"{service} is in trouble ({name}).") from failure
    except (RetryError, GoogleAuthError) as failure:
        raise Transient(f"{code}_unavailable", f"{service} does not answer ({type(failure).__name__}).") from failure


def last_part(name: str) -> str:
    """Return the last part of a resource's name."""
    return name.rpartition("/")[2]


def _table() -> tuple[int, ...]:
    rows = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the Castagnoli checksum that Google sends along; texts here are short, so plain Python does."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
