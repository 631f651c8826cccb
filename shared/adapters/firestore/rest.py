"""The REST surface of Firestore: POSTs with a time limit per try and a deadline over all tries."""

import random
from typing import Any, cast

from pydantic_core import from_json, to_json

from shared.core.clock import Clock
from shared.core.errors import Transient
from shared.core.retry import Backoff
from shared.ports.documents import UndeclaredShape

__all__ = ["Rest"]

_SCOPE = "https://www.googleapis.com/auth/datastore"
_CONNECT_S, _READ_S = 3.0, 10.0
_CONNECTIONS = 32
_OK = 200
_BACKOFF = Backoff(base_s=0.05, cap_s=1.0, deadline_s=10.0)
_AGAIN = frozenset({429, 500, 502, 503, 504})


class Rest:
    """Reads of one database; each is safe to repeat, so trouble is tried again until the deadline."""

    def __init__(self, database: str, emulator: str | None, clock: Clock, rng: random.Random) -> None:
        """Take `projects/P/databases/D`, the emulator's host:port if any, and what waits run on."""
        import urllib3

        self._clock, self._rng = clock, rng
        pool = urllib3.PoolManager(maxsize=_CONNECTIONS, block=False, retries=False)
        self._plain_pool, self._pool = pool, cast(Any, pool)
        self._timeout = urllib3.Timeout(connect=_CONNECT_S, read=_READ_S)
        self._headers = {"Content-Type": "application/json"}
        self._errors: tuple[type[Exception], ...] = (urllib3.exceptions.HTTPError,)
        if emulator is None:
            import google.auth
            import google.auth.exceptions
            import google.auth.transport.urllib3

            credentials, _ = google.auth.default(scopes=[_SCOPE])
            authorized: Any = google.auth.transport.urllib3.AuthorizedHttp
            self._pool = authorized(credentials, http=pool)
            self._errors += (google.auth.exceptions.GoogleAuthError,)
        else:
            self._headers["Authorization"] = "Bearer owner"
        host = "https://firestore.googleapis.com" if emulator is None else f"http://{emulator}"
        self._base = f"{host}/v1/{database}/documents"

    def post(self, method: str, body: object, *, once: bool = False) -> Any:
        """Call `documents:method` and return its parsed answer; raise Transient, UndeclaredShape or ValueError."""
        data = to_json(body)
        trouble = _Passing("store_unavailable", "Firestore: no answer")
        for _ in (0,) if once else _BACKOFF.tries(self._clock, self._rng):
            try:
                return self._answer(method, data)
            except _Passing as error:
                trouble = error
        raise trouble

    def close(self) -> None:
        """Close the idle connections."""
        self._plain_pool.clear()

    def _answer(self, method: str, data: bytes) -> Any:
        url, headers = f"{self._base}:{method}", dict(self._headers)
        try:
            answer = self._pool.urlopen("POST", url, body=data, headers=headers, timeout=self._timeout, redirect=False)
        except self._errors as error:
            raise _Passing("store_unavailable", f"Firestore: {error}") from error
        if answer.status != _OK:
            raise _failure(answer.status, answer.data)
        return _whole(answer.data)


class _Passing(Transient):
    """Trouble that a moment may mend: worth another try here."""


def _whole(body: bytes) -> Any:
    """Return an answer that came to its end: a stream may begin with 200, break off, and tell so in its last element."""
    try:
        answer = from_json(body)
    except ValueError as error:
        raise _Passing("store_unavailable", "Firestore: the answer broke off") from error
    last = answer[-1] if isinstance(answer, list) and answer else answer
    if isinstance(last, dict) and "error" in last:
        raise _failure(int(last["error"].get("code", 500)), to_json(last))
    return answer


def _failure(status: int, body: bytes) -> Exception:
    """Turn an answer that is not 200 into what the port raises; streams answer with a list."""
    message, name = body[:300].decode("utf-8", "replace"), ""
    try:
        answer = from_json(body)
        error = (answer[0] if isinstance(answer, list) else answer)["error"]
        message, name = error["message"], error["status"]
    except (ValueError, LookupError, TypeError):
        pass
    if name == "FAILED_PRECONDITION" and "index" in message:
        return UndeclaredShape(message)
    if name in {"INVALID_ARGUMENT", "FAILED_PRECONDITION"}:
        return ValueError(f"Firestore refuses the request: {message}")
    kind = _Passing if status in _AGAIN else Transient
    return kind("store_unavailable", f"Firestore: {status} {message}")
