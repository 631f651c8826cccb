"""HTTP through requests, with every connection opened by the guard.

The transport adapter of requests is used without its Session: a session would bring cookies, .netrc, proxies of the
environment and redirects of its own, all of which we would have to switch off again.
"""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.adapters.fetch.deadline import Deadline, current_deadline
from shared.adapters.fetch.guard import Guard, refused
from shared.adapters.fetch.redirects import check_headers, follow
from shared.adapters.fetch.response import StreamedResponse
from shared.core.clock import Clock
from shared.core.errors import Transient, UrlNotAllowed
from shared.ports.fetch import Request, Response

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

__all__ = ["GuardedFetch"]

_POOLS = 16
_PIECE = 65536
_DEFAULTS = {"Accept-Encoding": "gzip", "User-Agent": "onhand", "Accept": "*/*"}
_PROBE = Request("GET", "http://127.0.0.1:9/", connect_s=0.5, read_s=0.5, total_s=1.0)


class GuardedFetch:
    """The fetch port over real sockets. Safe to share between threads; connections are kept alive and reused."""

    def __init__(self, clock: Clock, guard: Guard | None = None, *, ca_file: str | None = None) -> None:
        """Take the clock of the budgets, the guard (default: no exceptions), and a CA bundle instead of the usual one."""
        self._clock, self._guard = clock, guard or Guard()
        self._verify: bool | str = ca_file or True
        self._lock = threading.Lock()
        self._built: HTTPAdapter | None = None

    def check(self, url: str) -> None:
        """Raise UrlNotAllowed for what can be seen without resolving the name."""
        self._guard.check(url)

    def send(self, request: Request) -> Response:
        """Make the call; see the port."""
        check_headers(request)
        deadline = Deadline(self._clock, request)
        return follow(request, self._guard.check, lambda hop: self._hop(hop, deadline))

    def self_test(self) -> None:
        """Raise RuntimeError unless a connection to this machine is refused by the guard where sockets are opened."""
        self._transport()

    def _transport(self) -> "HTTPAdapter":
        with self._lock:
            if self._built is None:
                built = _adapter(self._guard)
                self._prove(built)
                self._built = built
            return self._built

    def _prove(self, adapter: "HTTPAdapter") -> None:
        """Dial our own machine past the check of the URL: only the guarded connection can refuse it."""
        try:
            _exchange(adapter, _PROBE, Deadline(self._clock, _PROBE), verify=True)
        except UrlNotAllowed:
            return
        except Transient as error:
            raise RuntimeError(f"the outbound guard is not in force: {error.code}") from None
        raise RuntimeError("the outbound guard is not in force: a connection to 127.0.0.1:9 was made")

    def _hop(self, request: Request, deadline: Deadline) -> Response:
        raw = _exchange(self._transport(), request, deadline, verify=self._verify)
        headers: dict[str, str] = {}
        for name, value in raw.headers.items():
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        return StreamedResponse(
            raw.status, request.url, headers, (_wire(raw), lambda: _give_back(raw)), request.max_bytes
        )


def _adapter(guard: Guard) -> "HTTPAdapter":
    from requests.adapters import HTTPAdapter

    from shared.adapters.fetch.connections import guarded_pools

    adapter = HTTPAdapter(pool_connections=_POOLS, pool_maxsize=_POOLS, max_retries=0)
    adapter.poolmanager.pool_classes_by_scheme = dict(guarded_pools(guard))
    return adapter


def _exchange(adapter: "HTTPAdapter", request: Request, deadline: Deadline, *, verify: bool | str) -> Any:
    """Send one request and return urllib3's answer with its headers read; raise UrlNotAllowed or Transient."""
    import requests
    import urllib3

    prepared = requests.PreparedRequest()
    try:
        prepared.prepare(method=request.method, url=request.url, headers=_headers(request), data=request.body)
    except (ValueError, UnicodeError):
        raise refused("host") from None
    token = current_deadline.set(deadline)
    try:
        timeouts = (deadline.connect_left(), deadline.read_left())
        return adapter.send(prepared, stream=True, timeout=timeouts, verify=verify, proxies={}).raw
    except (requests.exceptions.Timeout, TimeoutError):
        raise Transient("timeout", "The other side did not answer in time.") from None
    except requests.exceptions.SSLError:
        raise Transient("tls", "No secure connection could be made: the certificate or the handshake failed.") from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise Transient("connection_lost", "The connection broke before an answer came.") from None
    finally:
        current_deadline.reset(token)


def _headers(request: Request) -> dict[str, str]:
    given = {name.lower() for name in request.headers}
    return {name: value for name, value in _DEFAULTS.items() if name.lower() not in given} | dict(request.headers)


def _wire(raw: Any) -> Iterator[bytes]:
    """Yield the undecoded bytes of a body; raise Transient when they stop too early or too long."""
    import urllib3

    while True:
        try:
            piece = raw.read1(_PIECE, decode_content=False)
        except (urllib3.exceptions.ReadTimeoutError, TimeoutError):
            raise Transient("timeout", "The other side stopped sending in the middle of its answer.") from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            raise Transient("truncated", "The answer ended early.") from None
        if not piece:
            return
        yield piece


def _give_back(raw: Any) -> None:
    raw.close()
    raw.release_conn()
