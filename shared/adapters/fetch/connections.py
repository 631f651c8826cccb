"""urllib3's connections with our dialler and our clock. Loaded with the first call, as urllib3 is.

`_new_conn` is no documented interface; `GuardedFetch` therefore proves at its start that it still is where sockets come from.
"""

import http.client
import io
import socket
from collections.abc import Mapping
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from shared.adapters.fetch.deadline import Deadline, current_deadline
from shared.adapters.fetch.guard import Guard

__all__ = ["guarded_pools"]


class _TimedBytes(io.RawIOBase):
    """Bytes of a socket; each wait ends with the call's budget, so that a slow drip cannot outlast it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.read_left())
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._bytes.close()
        super().close()


class _TimedSocket:
    """As much of a socket as an answer reads from."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_TimedBytes(self._sock, current_deadline.get()))


class _TimedAnswer(http.client.HTTPResponse):
    """An answer whose headers and body are read under the call's budget."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(cast(socket.socket, _TimedSocket(sock)), debuglevel, method, url)


def guarded_pools(guard: Guard) -> Mapping[str, type[HTTPConnectionPool]]:
    """Return pools by scheme whose connections are opened by the guard and by nothing else."""

    class Plain(HTTPConnection):
        response_class = _TimedAnswer

        def _new_conn(self) -> socket.socket:
            return guard.connect(self._dns_host, self.port, current_deadline.get())

    class Secure(HTTPSConnection):
        response_class = _TimedAnswer

        def _new_conn(self) -> socket.socket:
            return guard.connect(self._dns_host, self.port, current_deadline.get())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
