"""An answer as the port promises it: decoded piece by piece, bounded, and honest about a body that ended early."""

import zlib
from collections.abc import Callable, Iterator, Mapping

from shared.core.errors import Terminal, Transient

__all__ = ["StreamedResponse"]

_GZIP_OR_ZLIB = 47
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})


class StreamedResponse:
    """An answer over an iterator of wire bytes, which raises Transient itself when the connection fails."""

    def __init__(
        self,
        status: int,
        url: str,
        headers: Mapping[str, str],
        body: tuple[Iterator[bytes], Callable[[], None]],
        max_bytes: int,
    ) -> None:
        """Take status, final URL, headers (names in lower case), the wire bytes with their closing, and the bound."""
        self.status, self.url, self.headers = status, url, headers
        self._wire, self._close = body
        self._max_bytes = max_bytes

    def read(self) -> bytes:
        """Return the whole decoded body and give the connection back."""
        return b"".join(self.stream())

    def stream(self, size: int = 65536) -> Iterator[bytes]:
        """Yield the decoded body in pieces of at most `size`; the connection is given back at the end."""
        try:
            total = 0
            for piece in self._decoded(size):
                total += len(piece)
                if total > self._max_bytes:
                    raise Terminal("too_large", f"The answer is longer than {self._max_bytes} bytes.")
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read."""
        self._close()

    def _decoded(self, size: int) -> Iterator[bytes]:
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding in {"", "identity"}:
            return _sliced(self._wire, size)
        if coding in _CODINGS:
            return _inflated(self._wire, size)
        raise Terminal("content_encoding", "The answer is encoded in a way we did not ask for.")


def _sliced(wire: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in wire:
        for start in range(0, len(piece), size):
            yield piece[start : start + size]


def _inflated(wire: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Inflate member after member without ever holding more than `size` bytes of output."""
    member = zlib.decompressobj(_GZIP_OR_ZLIB)
    begun = False
    for piece in wire:
        waiting = piece
        while waiting:
            if member.eof:
                member = zlib.decompressobj(_GZIP_OR_ZLIB)
            begun = True
            plain = _inflate(member, waiting, size)
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if plain:
                yield plain
    if begun and not member.eof:
        raise Transient("truncated", "The compressed answer ended early.")


def _inflate(member: "zlib._Decompress", piece: bytes, size: int) -> bytes:
    try:
        return member.decompress(piece, size)
    except zlib.error:
        raise Transient("truncated", "The compressed answer is damaged.") from None
