"""Files in Cloud Storage over its JSON surface: two calls do not need a client library of their own.

An object's address is `gs://bucket/name`. Downloads are checked to their announced length.
"""

import random
import threading
from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.parse import quote

from shared.adapters.files.names import PIECE, bucket_and_name, checked, not_found, refused
from shared.core.clock import Clock, SystemClock
from shared.core.errors import Terminal, Transient
from shared.core.retry import Backoff

__all__ = ["GoogleFiles"]

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_HOST = "https://storage.googleapis.com"
_CONNECT_S, _READ_S = 5.0, 30.0
_BACKOFF = Backoff(base_s=0.2, cap_s=2.0, deadline_s=10.0)
_OK, _GONE = 200, frozenset({404, 410})
_DENIED = frozenset({401, 403})
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class GoogleFiles:
    """Puts files into one bucket and reads objects of any bucket this deployment may read."""

    def __init__(self, place: str | None, clock: Clock | None = None, *, endpoint: str | None = None) -> None:
        """Take `gs://bucket/prefix` for what is put (None: nothing is), what waits run on, and an endpoint for tests."""
        self._place, self._endpoint = place, endpoint
        self._clock, self._rng = clock or SystemClock(), random.Random()  # noqa: S311 - jitter
        self._lock = threading.Lock()
        self._pool: Any = None

    def put(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file: one upload, after which the object is there whole."""
        if self._place is None:
            raise Terminal("unsupported", "This deployment has no bucket for uploads.")
        bucket, _, prefix = self._place.removeprefix("gs://").partition("/")
        key = f"{prefix.strip('/')}/{checked(name)}".lstrip("/")
        path = f"/upload/storage/v1/b/{quote(bucket, safe='')}/o?uploadType=media&name={quote(key, safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._call("POST", path, body=b"".join(pieces), headers=headers, preload=True)
        _check(answer.status)
        return f"gs://{bucket}/{key}"

    def open(self, address: str) -> Iterator[bytes]:
        """Yield an object."""
        bucket, name = bucket_and_name(address)
        answer = self._call("GET", _object(bucket, name) + "?alt=media", headers={"Accept-Encoding": "gzip"})
        try:
            _check(answer.status)
            yield from self._pieces(answer)
        finally:
            answer.release_conn()
            answer.close()

    def delete(self, address: str) -> None:
        """Remove an object."""
        answer = self._call("DELETE", _object(*bucket_and_name(address)), preload=True)
        if answer.status not in {*_GONE, 204}:
            _check(answer.status)

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        try:
            yield from answer.stream(PIECE, decode_content=False)
        except self._failures() as failure:
            raise _trouble() from failure

    def _call(self, method: str, path: str, *, preload: bool = False, **more: Any) -> Any:
        """Ask until the answer is not passing trouble, or for ten seconds: every call here may be carried out twice."""
        trouble = _trouble()
        for _ in _BACKOFF.tries(self._clock, self._rng):
            try:
                answer = self._asked(method, path, preload_content=preload, **more)
            except self._failures() as failure:
                trouble.__cause__ = failure
                continue
            if answer.status not in _PASSING:
                return answer
            answer.drain_conn()
            trouble = _busy(answer.status)
        raise trouble

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        import urllib3

        timeout = urllib3.Timeout(connect=_CONNECT_S, read=_READ_S)
        url = (self._endpoint or _HOST) + path
        return self._connected().urlopen(method, url, timeout=timeout, redirect=False, retries=False, **more)

    def _connected(self) -> Any:
        with self._lock:
            if self._pool is None:
                self._pool = self._made()
            return self._pool

    def _made(self) -> Any:
        import urllib3

        pool = urllib3.PoolManager(maxsize=4)
        if self._endpoint is not None:
            return pool
        import google.auth
        import google.auth.transport.urllib3

        credentials, _ = google.auth.default(scopes=[_SCOPE])
        authorized: Any = google.auth.transport.urllib3.AuthorizedHttp
        return authorized(credentials, http=pool)

    @staticmethod
    def _failures() -> tuple[type[Exception], ...]:
        import urllib3
        from google.auth.exceptions import GoogleAuthError

        return (urllib3.exceptions.HTTPError, OSError, cast("type[Exception]", GoogleAuthError))


def _object(bucket: str, name: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _check(status: int) -> None:
    if status == _OK:
        return
    if status in _GONE:
        raise not_found()
    if status in _DENIED:
        raise refused()
    raise Terminal("files_refused", f"Cloud Storage refused the request ({status}).")


def _busy(status: int) -> Transient:
    return Transient("files_unavailable", f"Cloud Storage answered {status}.", rate_limited=status == 429)  # noqa: PLR2004 (Too Many Requests)


def _trouble() -> Transient:
    return Transient("files_unavailable", "Cloud Storage does not answer.")
