"""Files in a local folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from shared.adapters.files.names import PIECE, checked, not_found

__all__ = ["FolderFiles"]

_SCHEME = "local://"


class FolderFiles:
    """Keeps files in one folder, under their names."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first file is put."""
        self._folder = folder

    def put(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file whole: written aside first, then moved to its name."""
        place = self._folder / checked(name)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = place.with_name(f".{place.name}.part")
        with aside.open("wb") as file:
            file.writelines(pieces)
        aside.replace(place)
        return _SCHEME + name

    def open(self, address: str) -> Iterator[bytes]:
        """Yield a file that was put."""
        try:
            place = self._folder / checked(address.removeprefix(_SCHEME))
            file = place.open("rb")
        except (ValueError, FileNotFoundError):
            raise not_found() from None
        with file:
            while piece := file.read(PIECE):
                yield piece

    def delete(self, address: str) -> None:
        """Remove a file that was put."""
        (self._folder / checked(address.removeprefix(_SCHEME))).unlink(missing_ok=True)
