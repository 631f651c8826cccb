"""BigQuery's failures in our words: worth another try (Transient) or not (Terminal)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.core.errors import Terminal, Transient

__all__ = ["translated"]

_PASSING = frozenset(
    {"backendError", "internalError", "jobBackendError", "jobInternalError", "badGateway", "tableUnavailable"}
)
_THROTTLED = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded"})
_SERIALIZATION = "concurrent update"


@contextmanager
def translated(refused: str) -> Iterator[None]:
    """Turn the client's exceptions into ours; `refused` is the code when BigQuery says the request itself is wrong."""
    from concurrent.futures import TimeoutError as JobTimeoutError

    import requests
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError, TransportError

    try:
        yield
    except GoogleAPICallError as failure:
        raise _of_call(failure, refused) from failure
    except RetryError as failure:
        cause = failure.cause if isinstance(failure.cause, GoogleAPICallError) else None
        raise (_of_call(cause, refused) if cause else _silent(failure)) from failure
    except (JobTimeoutError, requests.RequestException, TransportError) as failure:
        raise _silent(failure) from failure
    except GoogleAuthError as failure:
        raise Terminal("warehouse_denied", f"BigQuery credentials are refused ({type(failure).__name__}).") from failure


def _silent(failure: Exception) -> Transient:
    return Transient("warehouse_unavailable", f"BigQuery does not answer ({type(failure).__name__}).")


def _of_call(failure: Any, refused: str) -> Transient | Terminal:
    """Judge an answer by its reasons first, because quota troubles come as 403 and job troubles in the body."""
    reasons = {error.get("reason") for error in failure.errors or ()}
    status = int(failure.code or 500)
    if status == 429 or reasons & _THROTTLED:  # noqa: PLR2004 - HTTP's own number
        return Transient("warehouse_busy", "BigQuery asks to slow down.", rate_limited=True)
    if status >= 500 or reasons & _PASSING or _SERIALIZATION in str(failure.message):  # noqa: PLR2004 - HTTP's own
        return Transient("warehouse_unavailable", f"BigQuery is in trouble (status {status}).")
    if status in {401, 403}:
        return Terminal("warehouse_denied", "BigQuery denies access; check the roles of this function's account.")
    if status == 404:  # noqa: PLR2004 - HTTP's own number
        return Terminal("unknown_table", "BigQuery does not have that dataset or table; apply infra/ first.")
    return Terminal(refused, f"BigQuery refuses this ({', '.join(sorted(filter(None, reasons))) or status}).")
