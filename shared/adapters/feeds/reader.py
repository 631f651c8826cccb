"""Which reader a file needs, told by what is in it, and its rows."""

import json
from collections.abc import Iterator

from shared.adapters.feeds.archives import unpacked
from shared.adapters.feeds.markup import read_markup
from shared.adapters.feeds.objects import read_lines, read_objects
from shared.adapters.feeds.tables import read_table, separator_of
from shared.core.values import dataclass
from shared.imports.rows import Batch, Raw, unreadable
from shared.imports.shopify import with_handles

__all__ = ["Feed", "FeedReader"]

_PEEK = 65_536
_BOM = b"\xef\xbb\xbf"
_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class Feed:
    """An opened file: its format, and its rows as they are read."""

    format: str
    parts: Iterator[Raw | Batch]
    """The rows as readers deliver them: one at a time, or some together."""

    @property
    def rows(self) -> Iterator[Raw]:
        """Return the rows one at a time, as they are read."""
        for part in self.parts:
            if isinstance(part, Batch):
                yield from part.raws()
            else:
                yield part


class FeedReader:
    """Opens product files of every format Onhand reads."""

    def open(self, pieces: Iterator[bytes], wanted: str, most: int) -> Feed:
        """Look at the beginning of a file and return its format and rows; `wanted` is `auto` or a format.

        Raise Terminal when it cannot be read: too large, damaged, empty, a workbook or a web page.
        """
        content = unpacked(pieces, most)
        start = content.peek(_PEEK)
        if not start.strip():
            raise unreadable("empty_file", "The file is empty.")
        found = _told(start) if wanted == "auto" else wanted
        if found in {"csv", "tsv"}:
            return Feed(found, with_handles(read_table(content)))
        return Feed(found, _READERS[found](content))


def _told(start: bytes) -> str:
    text = start.removeprefix(_BOM).lstrip()
    if text.startswith(b"<") or start[:4] in {b"\xff\xfe<\0", b"\xfe\xff\0<"}:
        if text[:200].lower().startswith(_HTML):
            raise unreadable("not_a_feed", "This is a web page, not a product file.")
        return "xml"
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "jsonl" if _is_lines(text) else "json"
    return "tsv" if separator_of(start.decode("utf-8", "replace")) == "\t" else "csv"


def _is_lines(text: bytes) -> bool:
    """Say whether the first line is a whole object and no wrapper of a list."""
    line = text.partition(b"\n")[0]
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and not any(
        isinstance(first.get(name), list) for name in ("products", "items", "data")
    )


_READERS = {"xml": read_markup, "json": read_objects, "jsonl": read_lines}
