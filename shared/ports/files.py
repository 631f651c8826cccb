"""Files: bytes too large for a document. Adapters: `shared.adapters.files`: a local folder, Cloud Storage, and s3:// to read.

Uploads are put under names made of their content, so that putting one again changes nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

__all__ = ["Files"]


class Files(Protocol):
    """A place for files, and the reading of addresses elsewhere."""

    def put(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file whole under a name (`[a-z0-9][a-z0-9._-]{0,199}`) and return its address; the last one put wins.

        Raise Transient when the place is in trouble.
        """
        ...

    def open(self, address: str) -> Iterator[bytes]:
        """Yield a file in pieces of at most 1 MiB: one that was put, or `gs://bucket/object`, `s3://bucket/key`.

        Raise Terminal `not_found`, `forbidden`, or `unsupported` for a scheme this deployment does not read; Transient when
        the place is in trouble.
        """
        ...

    def delete(self, address: str) -> None:
        """Remove a file that was put; an absent one is fine."""
        ...
