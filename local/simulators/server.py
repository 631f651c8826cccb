"""A threaded HTTP server on 127.0.0.1 whose port can truly be shut and opened again.

One thread accepts, one thread serves each connection. A shut port stays bound but does not listen: the system refuses
every connection, and nobody else can take the port meanwhile.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Callable

from local.simulators.wire import Answer, BadRequest, Connection, Request

__all__ = ["HOST", "SocketServer"]

HOST = "127.0.0.1"
_BACKLOG = 128


class SocketServer:
    """Serves `handle(request) -> answer` until stopped; start, stop, shut and open may be called from any thread."""

    def __init__(self, handle: Callable[[Request], Answer], *, port: int = 0, slow_s: float = 12.0) -> None:
        """Bind the port at once (0: a free one), listen when started; `slow_s` is how long the slow manners wait."""
        self.slow_s = slow_s
        self._handle = handle
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self._wake_r, self._wake_w = socket.socketpair()
        self._stopping = threading.Event()
        self._open = True
        self._listening = False
        self._settled = threading.Condition()
        self._live: dict[socket.socket, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name=f"simulator-{self.port}", daemon=True)

    def start(self) -> None:
        """Listen and serve."""
        self._acceptor.start()
        self._settle()

    def stop(self) -> None:
        """Stop serving, break what is still open, and wait for the threads."""
        self._stopping.set()
        self._wake()
        if self._acceptor.ident is not None:
            self._acceptor.join(5)
        self._drop_connections()
        for thread in list(self._live.values()):
            thread.join(5)
        for sock in (self._socket, self._wake_r, self._wake_w):
            sock.close()

    def shut(self) -> None:
        """Refuse connections from now on and break the present ones."""
        self._open = False
        self._settle()
        self._drop_connections()

    def open(self) -> None:
        """Accept connections again."""
        self._open = True
        self._settle()

    def _settle(self) -> None:
        if self._acceptor.ident is None or self._stopping.is_set():
            return
        with self._settled:
            self._wake()
            self._settled.wait_for(lambda: self._listening == self._open or self._stopping.is_set(), timeout=5)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_w.send(b".")

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self._match()
            watched = [self._wake_r, self._socket] if self._listening else [self._wake_r]
            ready, _, _ = select.select(watched, [], [])
            if self._wake_r in ready:
                self._wake_r.recv(4096)
            elif ready:
                self._welcome()

    def _match(self) -> None:
        with self._settled:
            if self._open and not self._listening:
                self._socket.listen(_BACKLOG)
                self._socket.setblocking(False)
            elif self._listening and not self._open:
                self._socket.close()
                self._socket = _bound(self.port)
            self._listening = self._open
            self._settled.notify_all()

    def _welcome(self) -> None:
        try:
            sock, _ = self._socket.accept()
        except OSError:
            return
        sock.setblocking(True)
        thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
        self._live[sock] = thread
        thread.start()

    def _serve(self, sock: socket.socket) -> None:
        connection = Connection(sock)
        try:
            while not self._stopping.is_set() and self._exchange(connection):
                pass
        except OSError:
            pass
        finally:
            connection.close()
            self._live.pop(sock, None)

    def _exchange(self, connection: Connection) -> bool:
        try:
            request = connection.read()
        except BadRequest:
            connection.send(Answer(400), self._stopping.wait, self.slow_s)
            return False
        if request is None:
            return False
        kept = connection.send(self._handle(request), self._stopping.wait, self.slow_s)
        return kept and request.headers.get("connection", "").lower() != "close"

    def _drop_connections(self) -> None:
        for sock in list(self._live):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock
