"""Reading a source to its end: every row cleaned and staged in packed parts, whatever the size of the file.

Staging writes parts under fixed names, so that a delivery that starts over writes the same again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.values import dataclass, field
from shared.imports.clean import Cleaner, Row, made_sku
from shared.imports.keys import Repeats, names_of
from shared.imports.record import MOST_ERRORS, Data, part_write
from shared.imports.rows import MOST_ROWS, Batch, Raw, unreadable

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.ports.documents import Write

__all__ = ["DUPLICATE", "Hashed", "Staged", "Stager", "error_of"]

DUPLICATE = "duplicate_row"
_MOST_PLAIN = 256 * 1024
_OF_ROW = 400
_NUMBERS = 50_000
_NAMING = frozenset({"barcode", "source_url", "supplier_product_id"})


class Hashed:
    """Pieces of a file, hashed while they pass."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Take the pieces."""
        self._pieces = iter(pieces)
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        piece = next(self._pieces)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        """Return the hash of what has passed."""
        return self._digest.hexdigest()


@dataclass(slots=True)
class Staged:
    """What has been staged so far."""

    rows: int = 0
    errors: int = 0
    parts: int = 0
    first_errors: list[Data] = field(default_factory=list)


class Stager:
    """Stages the rows of one import: `[number, fields, error, code, provenance]` each."""

    def __init__(self, import_id: str, cleaner: Cleaner, clock: Clock, *, supplier_id: str | None, size: int) -> None:
        """Take the import, the cleaner of its rows, and how many rows a part holds."""
        self._import_id, self._cleaner, self._clock = import_id, cleaner, clock
        self._supplier_id, self._size = supplier_id, size
        self._repeats = Repeats()
        self.staged = Staged()

    def parts(self, raws: Iterable[Raw | Row | Batch]) -> Iterator[Write]:
        """Yield the write of each part as it fills; raise Terminal when there are too many rows or no known column."""
        held: list[Any] = []
        plain = 0
        for row in self._cleaned(raws):
            held.append(self._taken(row))
            plain += _weight(row.fields)
            if len(held) >= self._size or plain > _MOST_PLAIN:
                yield self._part("s", self.staged.parts, held)
                held, plain = [], 0
        if held:
            yield self._part("s", self.staged.parts, held)

    def _cleaned(self, raws: Iterable[Raw | Row | Batch]) -> Iterator[Row]:
        for raw in raws:
            if isinstance(raw, Batch):
                yield from self._cleaner.batch(raw)
            else:
                yield raw if isinstance(raw, Row) else self._cleaner.row(raw)

    def superseded(self) -> tuple[int, Iterator[Write]]:
        """Return how many rows a later row replaces, and the writes that keep their numbers."""
        numbers = sorted(set(self._repeats.superseded()))
        places = range(0, len(numbers), _NUMBERS)
        writes = (
            part_write(self._import_id, "x", at // _NUMBERS, numbers[at : at + _NUMBERS], self._clock.now())
            for at in places
        )
        return len(numbers), writes

    def _part(self, letter: str, number: int, rows: Sequence[Any]) -> Write:
        self.staged.parts += 1
        return part_write(self._import_id, letter, number, rows, self._clock.now())

    def _taken(self, row: Row) -> list[Any]:
        staged = self.staged
        staged.rows += 1
        if staged.rows > MOST_ROWS:
            raise unreadable("too_many_rows", f"The file has more than {MOST_ROWS} rows.")
        if row.error is not None:
            staged.errors += 1
            if len(staged.first_errors) < MOST_ERRORS:
                staged.first_errors.append(error_of(staged.rows, row.error))
            return [staged.rows, None, row.error, row.code, None]
        fields = self._named(row.fields)
        self._repeats.add(staged.rows, names_of(fields, self._clock, self._supplier_id))
        return [staged.rows, fields, None, row.code, fields.pop("provenance", None)]

    def _named(self, fields: Data) -> Data:
        """Give a row that names no key the SKU that follows from its name, and a supplier's row the supplier."""
        if self._supplier_id is not None:
            own = fields.get("supplier_product_id", fields.get("sku"))
            if own is not None:
                fields |= {"supplier_id": self._supplier_id, "supplier_product_id": own}
        if "sku" not in fields and "name" in fields and not _NAMING & fields.keys():
            fields["sku"] = made_sku(fields["name"], fields.get("brand"))
        return fields


def error_of(row: int, error: Sequence[Any]) -> Data:
    """Return an error as the import shows it."""
    name, code, message = error
    return {"row": row, "field": name, "code": code, "message": message}


def _weight(fields: Data) -> int:
    """Return about how many bytes a row takes."""
    images = fields.get("images")
    return _OF_ROW + len(fields.get("description", "")) + (sum(map(len, images)) if images else 0)
