"""A small web site on a real socket whose answers are bytes: what it sends, and when it breaks, is up to the test."""

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Self

__all__ = ["Exchange", "Page", "Site", "gzipped", "page_bytes"]


@dataclass(slots=True)
class Exchange:
    """One request as it came: request line, headers (names in lower case), body, and the connection to answer on."""

    line: str
    headers: Mapping[str, str]
    body: bytes
    sock: socket.socket
    gone: threading.Event

    @property
    def target(self) -> str:
        """Return path and query."""
        return self.line.split(" ")[1]

    def send(self, data: bytes) -> bool:
        """Send bytes; a client that has gone is no trouble. Return True: the connection may be kept."""
        with contextlib.suppress(OSError):
            self.sock.sendall(data)
        return True

    def drip(self, data: bytes, every_s: float) -> None:
        """Send byte by byte until the client or the test has had enough."""
        for position in range(len(data)):
            try:
                self.sock.sendall(data[position : position + 1])
            except OSError:
                return
            if self.gone.wait(every_s):
                return

    def reset(self) -> None:
        """Break the connection so that the client sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@dataclass(frozen=True, slots=True)
class Page:
    """An answer in plain words."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def page_bytes(page: Page) -> bytes:
    """Return an answer as bytes with its length."""
    lines = [f"HTTP/1.1 {page.status} Said", f"Content-Length: {len(page.body)}"]
    lines += [f"{name}: {value}" for name, value in page.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + page.body


class Site:
    """Serves `answer(exchange)` on 127.0.0.1, one thread per connection; `answer` returns whether to keep the connection."""

    def __init__(
        self, answer: Callable[[Exchange], object], wrap: Callable[[socket.socket], socket.socket] | None = None
    ) -> None:
        """Bind a free port; `wrap` makes TLS of an accepted socket."""
        self._answer, self._wrap = answer, wrap
        self._gone = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.requests: list[Exchange] = []
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @classmethod
    def of(cls, *pages: Page) -> "Site":
        """Serve these pages in turn, the last one again and again."""
        waiting = list(pages)

        def answer(exchange: Exchange) -> bool:
            exchange.send(page_bytes(waiting.pop(0) if len(waiting) > 1 else waiting[0]))
            return True

        return cls(answer)

    @property
    def url(self) -> str:
        """Return the address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        """Return host and port as FETCH_ALLOW_HOSTS writes them."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._gone.is_set():
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talking = self._wrap(sock) if self._wrap else sock
            self._open.append(talking)
            with talking.makefile("rb") as lines:
                while (exchange := self._read(talking, lines)) is not None:
                    self.requests.append(exchange)
                    if not self._answer(exchange):
                        break
            talking.close()

    def _read(self, sock: socket.socket, lines: BinaryIO) -> Exchange | None:
        line = lines.readline().decode("latin-1").strip()
        if not line:
            return None
        headers: dict[str, str] = {}
        while text := lines.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = lines.read(int(headers.get("content-length", "0")))
        return Exchange(line, headers, body, sock, self._gone)


def gzipped(body: bytes) -> bytes:
    """Compress, always to the same bytes."""
    return gzip.compress(body, 6, mtime=0)
