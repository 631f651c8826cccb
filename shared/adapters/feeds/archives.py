"""gzip and zip, told by their content and unpacked while they stream: bounded in size, ratio, members and nesting."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from shared.adapters.feeds.pieces import Peeked, capped
from shared.imports.rows import unreadable

__all__ = ["is_spreadsheet", "unpacked"]

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_PIECE = 65_536
_MOST_MEMBERS = 20
_MOST_RATIO = 200
_RATIO_FROM = 2**20
_HEADER = struct.Struct("<4s5H3I2H")
_LONGEST_NAME = 1024
_DEFLATED = 8
_ENCRYPTED, _LATER = 1, 8
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/")
_BOOKS = (".xlsx", ".xlsm", ".xlsb", ".ods")


def is_spreadsheet(start: bytes, name: str = "") -> bool:
    """Say whether a file that begins so, or an archive of this name, is a workbook of an office program."""
    if start.startswith(_OLE):
        return True
    first = start[30 : 30 + 64]
    within = first.startswith(_OFFICE) or b"opendocument" in start[:200]
    return start.startswith(_ZIP) and (within or name.lower().endswith(_BOOKS))


def unpacked(pieces: Iterator[bytes], most: int) -> Peeked:
    """Return the bytes of the one file within; raise Terminal for bombs, nested archives and workbooks."""
    outer = Peeked(pieces)
    start = outer.peek(200)
    if is_spreadsheet(start):
        raise unreadable("spreadsheet", "Workbooks are not read; save the sheet as CSV.")
    if start.startswith(_GZIP):
        inner = _bounded(outer, _gunzipped, most)
    elif start.startswith(_ZIP):
        inner = _bounded(outer, _unzipped, most)
    else:
        return Peeked(capped(outer, most))
    made = Peeked(inner)
    if made.peek(4).startswith((_GZIP, _ZIP)):
        raise unreadable("nested_archive", "An archive within an archive is not read.")
    return made


class _Counted:
    """Counts what an archive has taken from the wire."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self.total = pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self.total += len(piece)
        return piece


def _bounded(outer: Iterator[bytes], unpack: "type[_Unpack]", most: int) -> Iterator[bytes]:
    wire = _Counted(outer)
    total = 0
    for piece in capped(iter(unpack(wire)), most):
        total += len(piece)
        if total > _RATIO_FROM and total > wire.total * _MOST_RATIO:
            raise unreadable("too_large", f"The archive unpacks to more than {_MOST_RATIO} times its size.")
        yield piece


class _Unpack:
    """Something that turns wire bytes into file bytes."""

    def __init__(self, wire: Iterator[bytes]) -> None:
        self._wire, self._held = wire, b""

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        raise NotImplementedError

    def _more(self) -> bool:
        """Take one more piece from the wire; say whether there was one."""
        piece = next(self._wire, None)
        if piece is None:
            return False
        self._held += piece
        return True

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            if not self._more():
                raise _damaged()
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def _inflated(self, member: "zlib._Decompress") -> Iterator[bytes]:
        """Yield what a compressed member holds, never more than a piece at a time; keep what follows it."""
        while not member.eof:
            if not self._held and not self._more():
                raise _damaged()
            try:
                plain = member.decompress(self._held, _PIECE)
            except zlib.error:
                raise _damaged() from None
            self._held = member.unconsumed_tail or member.unused_data
            if plain:
                yield plain


class _gunzipped(_Unpack):  # noqa: N801 - used as a function
    """Unpacks gzip, member after member."""

    def _pieces(self) -> Iterator[bytes]:
        members = 0
        while self._at_data():
            held = self._held.lstrip(b"\0")  # padding between members
            self._held = held
            if not held:
                continue
            members += 1
            if members > _MOST_MEMBERS:
                raise unreadable("bad_archive", f"The archive has more than {_MOST_MEMBERS} members.")
            yield from self._inflated(zlib.decompressobj(16 + zlib.MAX_WBITS))

    def _at_data(self) -> bool:
        return bool(self._held) or self._more()


class _unzipped(_Unpack):  # noqa: N801 - used as a function
    """Unpacks the one data file of a zip; what only describes it (folders, hidden files) is passed over."""

    def _pieces(self) -> Iterator[bytes]:
        members, files = 0, 0
        while self._at_member():
            members += 1
            if members > _MOST_MEMBERS:
                raise unreadable("bad_archive", f"The archive has more than {_MOST_MEMBERS} members.")
            name, content = self._member()
            if _is_aside(name):
                for _ in content:
                    pass
                continue
            files += 1
            if files > 1:
                raise unreadable("bad_archive", "The archive has several files; send one.")
            yield from content
        for _ in self._wire:  # the directory at the end; read so that the whole file is hashed
            pass
        if not files:
            raise unreadable("bad_archive", "The archive has no file.")

    def _at_member(self) -> bool:
        while len(self._held) < len(_ZIP) and self._more():
            pass
        return self._held.startswith(_ZIP)

    def _member(self) -> tuple[str, Iterator[bytes]]:
        _, _, flags, method, _, _, _, size, _, name_size, extra_size = _HEADER.unpack(self._take(_HEADER.size))
        if name_size > _LONGEST_NAME or flags & _ENCRYPTED:
            raise _damaged()
        name = self._take(name_size).decode("utf-8", "replace")
        self._take(extra_size)
        _check_name(name)
        if method == _DEFLATED:
            return name, self._deflated(later=bool(flags & _LATER))
        if method == 0 and not flags & _LATER:
            return name, self._stored(size)
        raise unreadable("bad_archive", "The archive is compressed in a way that is not read.")

    def _deflated(self, *, later: bool) -> Iterator[bytes]:
        yield from self._inflated(zlib.decompressobj(-zlib.MAX_WBITS))
        if later:
            signed = self._take(4) == b"PK\x07\x08"
            self._take(12 if signed else 8)

    def _stored(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            if not self._held and not self._more():
                raise _damaged()
            taken, self._held = self._held[:left], self._held[left:]
            left -= len(taken)
            yield taken


def _is_aside(name: str) -> bool:
    return name.endswith("/") or name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _check_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise unreadable("bad_archive", "The archive holds a name that leads outside of it.")


def _damaged() -> Exception:
    return unreadable("bad_archive", "The archive is damaged or ends early.")
