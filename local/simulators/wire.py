"""HTTP/1.1 on a bare socket, so that resets, cut bodies and dripping answers are real.

A `Request` is read by hand and an `Answer` is sent in a **manner**: plainly, or with one of the faults that only a socket
can show. Nothing here knows a vendor.
"""

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from shared.core.values import dataclass, field

__all__ = ["Answer", "BadRequest", "Connection", "Manner", "Request"]

Manner = str
Wait = Callable[[float], object]
_LIMIT = 64 * 1024
_BODY_LIMIT = 8 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)


class BadRequest(Exception):
    """The bytes that came are no request we read."""


@dataclass(slots=True)
class Request:
    """One request; header names in lower case, `query` decoded and in order, `route` and `quirk` set by the simulator."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    route: str = ""
    quirk: str | None = None
    unknown: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Return the decoded path."""
        return unquote(self.target.partition("?")[0])

    @property
    def raw_query(self) -> str:
        """Return the query as it was sent."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> list[tuple[str, str]]:
        """Return the decoded query parameters in the order sent."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def bearer(self) -> str | None:
        """Return the bearer token, if one was sent."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(slots=True)
class Answer:
    """One answer and the manner of sending it: plain, short, reset, reset_in_body, slow_headers, slow_body or endless.

    An endless answer has no length: `pieces` are sent until the other side has had enough.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = "plain"
    pieces: Callable[[], Iterator[bytes]] | None = None


class Connection:
    """One accepted socket: reads requests one after another and sends answers in the manner they ask for."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over the socket."""
        self._sock = sock
        self._buffer = bytearray()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self) -> Request | None:
        """Return the next request, or None when the client has gone; raise BadRequest for bytes that are none."""
        head = self._head()
        if head is None:
            return None
        start, *rest = head.decode("latin-1").split("\r\n")
        words = start.split(" ")
        if len(words) != 3:  # noqa: PLR2004 (method, target, version)
            raise BadRequest(start[:100])
        headers = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Request(words[0], words[1], headers, self._body(headers))

    def _head(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head = bytes(self._buffer[:end])
                del self._buffer[: end + 4]
                return head
            if len(self._buffer) > _LIMIT:
                message = "head too long"
                raise BadRequest(message)
            if not self._more():
                return None

    def _body(self, headers: Mapping[str, str]) -> bytes:
        text = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not text.isdigit() or int(text) > _BODY_LIMIT:
            message = "unreadable length"
            raise BadRequest(message)
        size = int(text)
        while len(self._buffer) < size:
            if not self._more():
                message = "body ended early"
                raise BadRequest(message)
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def _more(self) -> bool:
        piece = self._sock.recv(65536)
        self._buffer += piece
        return bool(piece)

    def send(self, answer: Answer, wait: Wait, slow_s: float) -> bool:
        """Send an answer in its manner; return whether the connection may serve another request."""
        head, body = _head_bytes(answer), answer.body
        middle = len(body) // 2
        match answer.manner:
            case "reset":
                self.reset()
                return False
            case "slow_headers":
                wait(slow_s)
                self._sock.sendall(head + body)
            case "slow_body":
                self._sock.sendall(head + body[:middle])
                wait(slow_s)
                self._sock.sendall(body[middle:])
            case "reset_in_body":
                self._sock.sendall(head + body[:middle])
                wait(0.05)
                self.reset()
                return False
            case "endless":
                self._sock.sendall(head)
                for piece in answer.pieces() if answer.pieces else ():
                    self._sock.sendall(piece)
                return False
            case "short":
                self._sock.sendall(head + body[:middle])
                return False
            case _:
                self._sock.sendall(head + body)
        return True

    def reset(self) -> None:
        """Break the connection so that the peer sees a reset, not an end."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._sock.close()

    def close(self) -> None:
        """End the connection orderly."""
        self._sock.close()


def _head_bytes(answer: Answer) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    if answer.manner != "endless":
        lines.append(f"Content-Length: {len(answer.body)}")
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.manner in {"short", "endless"}:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
