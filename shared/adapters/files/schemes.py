"""One place for uploads, and a reader for each scheme of addresses."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from shared.core.errors import Terminal
from shared.ports.files import Files

__all__ = ["FilesByScheme"]


class FilesByScheme:
    """Puts into one place and opens by scheme."""

    def __init__(self, own: Files, others: Mapping[str, Files]) -> None:
        """Take the place for uploads, and what reads addresses by scheme."""
        self._own, self._others = own, others

    def put(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file in the place for uploads."""
        return self._own.put(name, pieces)

    def open(self, address: str) -> Iterator[bytes]:
        """Yield a file, wherever its address leads."""
        return self._of(address).open(address)

    def delete(self, address: str) -> None:
        """Remove a file that was put."""
        self._of(address).delete(address)

    def _of(self, address: str) -> Files:
        found = self._others.get(urlsplit(address).scheme)
        if found is None:
            raise Terminal("unsupported", "Addresses of this kind are not read.")
        return found
