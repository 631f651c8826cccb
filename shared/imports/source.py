"""Opening what an import names: an uploaded file, an address, a page, a shop."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from shared.core.errors import Terminal, Transient
from shared.core.values import dataclass
from shared.imports.rows import MOST_FETCHED, MOST_UPLOADED, Batch, Raw
from shared.imports.scrape import Scraper
from shared.imports.staging import Hashed
from shared.imports.work import Opened
from shared.jobs.step import Step
from shared.ports.documents import Stored
from shared.ports.fetch import Fetch, Request
from shared.ports.files import Files

__all__ = ["FeedFiles", "SourceReading"]

_OK = 200
_TOO_MANY, _OURS = 429, 500


class _Feed(Protocol):
    """An opened file."""

    @property
    def format(self) -> str:
        """Return the format found."""
        ...

    @property
    def parts(self) -> Iterator[Raw | Batch]:
        """Return the rows as they are read, one at a time or some together."""
        ...


class FeedFiles(Protocol):
    """Reads product files of every format (`shared.adapters.feeds.FeedReader`)."""

    def open(self, pieces: Iterator[bytes], wanted: str, most: int) -> _Feed:
        """Look at the beginning and return format and rows."""
        ...


@dataclass(frozen=True)
class SourceReading:
    """Opens sources of every kind."""

    fetch: Fetch
    files: Files
    feeds: FeedFiles
    scraper: Callable[[], Scraper]

    def open(self, run: Stored, step: Step) -> Opened:
        """Begin to read; raise Terminal, Transient or a Problem."""
        kind, asked = run.data["kind"], run.data["asked"]
        if kind == "url":
            rows = self.scraper().page(run)
            return Opened("html", rows, lambda: _hash_of(rows))
        if kind == "store":
            return Opened("html", self.scraper().shop(run, step), lambda: None)
        if kind == "upload":
            return self._file(self.files.open(run.data["file"]), asked, MOST_UPLOADED)
        address = run.data["source"]
        if address.lower().startswith(("gs://", "s3://")):
            return self._file(self.files.open(address), asked, MOST_FETCHED)
        return self._file(self._fetched(address), asked, MOST_FETCHED)

    def _file(self, pieces: Iterable[bytes], asked: Any, most: int) -> Opened:
        hashed = Hashed(pieces)
        feed = self.feeds.open(hashed, asked["feed_type"], most)
        return Opened(feed.format, feed.parts, hashed.hexdigest)

    def _fetched(self, address: str) -> Iterator[bytes]:
        response = self.fetch.send(Request("GET", address, redirects=3, max_bytes=MOST_FETCHED))
        try:
            status = response.status
            if status == _TOO_MANY or status >= _OURS:
                limited = status == _TOO_MANY
                raise Transient("source_unavailable", f"The other side answered {status}.", rate_limited=limited)
            if status != _OK:
                raise Terminal("source_status", f"The other side answered {status}.")
            yield from response.stream()
        finally:
            response.close()


def _hash_of(rows: Iterable[Any]) -> str:
    hashed = Hashed([repr([row.fields for row in rows]).encode()])
    for _ in hashed:
        pass
    return hashed.hexdigest()
