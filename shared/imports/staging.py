"""Reading a source to its end: every row cleaned and staged in packed parts, whatever the size of the file.

Staging writes parts under fixed names, so that a delivery that starts over writes the same again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from shared.core.values import dataclass, field
from shared.imports.clean import Cleaner, Row, made_sku
from shared.imports.keys import Repeats, names_of, names_of_columns
from shared.imports.packing import Block, packed
from shared.imports.plain import Sheet, text_column
from shared.imports.record import MOST_ERRORS, Data, part_key, part_write, payload_write
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


class _Held:
    """What the next part is going to hold."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Hold nothing."""
        self.blocks: list[Block] = []
        self.count = self.weight = 0

    def take_row(self, staged: list[Any], fields: Data) -> None:
        """Take a single row: beside those before it, or as the first of some."""
        if not self.blocks or not isinstance(self.blocks[-1], list):
            self.blocks.append([])
        self.blocks[-1].append(staged)  # type: ignore[union-attr]
        self.count += 1
        self.weight += _weight(fields)

    def take_sheet(self, first: int, sheet: Sheet) -> None:
        """Take some rows by column."""
        self.blocks.append((first, sheet))
        self.count += sheet.size
        long = (sheet.columns[name].lines for name in ("description", "images") if name in sheet.columns)
        self.weight += _OF_ROW * sheet.size + sum(map(len, long))


class Stager:
    """Stages the rows of one import: `[number, fields, error, code, provenance]` each, or whole columns of them."""

    def __init__(self, import_id: str, cleaner: Cleaner, clock: Clock, *, supplier_id: str | None, size: int) -> None:
        """Take the import, the cleaner of its rows, and how many rows a part holds."""
        self._import_id, self._cleaner, self._clock = import_id, cleaner, clock
        self._supplier_id, self._size = supplier_id, size
        self._repeats = Repeats()
        self.staged = Staged()

    def parts(self, raws: Iterable[Raw | Row | Batch]) -> Iterator[Write]:
        """Yield the write of each part as it fills; raise Terminal when there are too many rows or no known column."""
        held = _Held()
        for found in self._cleaned(raws):
            if held.count + (found.size if isinstance(found, Sheet) else 1) > self._size:
                yield from self._part(held)
            if isinstance(found, Sheet):
                first = self.staged.rows + 1
                held.take_sheet(first, self._columns(found))
            else:
                held.take_row(self._taken(found), found.fields)
            if held.weight > _MOST_PLAIN:
                yield from self._part(held)
        yield from self._part(held)

    def _cleaned(self, raws: Iterable[Raw | Row | Batch]) -> Iterator[Row | Sheet]:
        """Yield rows, and sheets of at most as many rows as a part holds."""
        for raw in raws:
            if not isinstance(raw, Batch):
                yield raw if isinstance(raw, Row) else self._cleaner.row(raw)
                continue
            found = self._cleaner.sheet(raw)
            if isinstance(found, list):
                yield from found
            elif found.size <= self._size:
                yield found
            else:
                yield from (found.cut(at, at + self._size) for at in range(0, found.size, self._size))

    def superseded(self) -> tuple[int, Iterator[Write]]:
        """Return how many rows a later row replaces, and the writes that keep their numbers."""
        numbers = sorted(set(self._repeats.superseded()))
        places = range(0, len(numbers), _NUMBERS)
        writes = (
            part_write(self._import_id, "x", at // _NUMBERS, numbers[at : at + _NUMBERS], self._clock.now())
            for at in places
        )
        return len(numbers), writes

    def _part(self, held: _Held) -> Iterator[Write]:
        """Yield the write of what is held, if anything is, and hold nothing any more."""
        if held.count:
            key = part_key(self._import_id, "s", self.staged.parts)
            self.staged.parts += 1
            yield payload_write(key, packed(held.blocks), held.count, self._clock.now())
            held.clear()

    def _count(self, rows: int) -> None:
        self.staged.rows += rows
        if self.staged.rows > MOST_ROWS:
            raise unreadable("too_many_rows", f"The file has more than {MOST_ROWS} rows.")

    def _columns(self, sheet: Sheet) -> Sheet:
        """Count the rows of a sheet, give them what `_named` gives rows, and note their names."""
        columns, count = sheet.columns, sheet.size
        if self._supplier_id is not None:
            own = columns.get("supplier_product_id", columns.get("sku"))
            if own is not None:
                one = text_column([self._supplier_id] * count)
                columns = {**columns, "supplier_id": one, "supplier_product_id": own}
        if "sku" not in columns and "name" in columns and not _NAMING & columns.keys():
            brands = columns["brand"].cells if "brand" in columns else repeat(None, count)
            columns = {**columns, "sku": text_column(list(map(made_sku, columns["name"].cells, brands)))}
        for names in names_of_columns(columns, self._clock):
            self._repeats.add_all(self.staged.rows + 1, names)
        self._count(count)
        return Sheet(count, columns)

    def _taken(self, row: Row) -> list[Any]:
        staged = self.staged
        self._count(1)
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
