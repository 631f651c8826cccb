"""From the cells of a row to the fields of a product: every value checked, or the row refused with its reason. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import PydanticCustomError

from shared.core.money import is_currency
from shared.core.text import clean as cleaned
from shared.imports.markup import harmless
from shared.imports.numbers import IN_STOCK, BadNumber, Stock, read_price, read_stock
from shared.imports.plain import LENGTHS, LONGEST_URL, Column, Sheet, plain_column
from shared.imports.rows import Batch, Raw

if TYPE_CHECKING:
    from shared.imports.columns import Columns

__all__ = ["AMBIGUOUS", "Cleaner", "Row", "made_sku"]

AMBIGUOUS = "ambiguous_number"
DAMAGED = "damaged_barcode"
_MOST_MANY = 50
_MOST_PLACES, _LONGEST_NUMBER = 30, 200
_MOST_TAG = 50
_MOST_URL = LONGEST_URL
_FEW = 8
_DAMAGED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
_WHOLE = re.compile(r"([0-9]+)\.0+")
_NEXT_URL = re.compile(r"[,;|\s]+(?=https?://)", re.IGNORECASE)
_ALONE = re.compile(r"[^,;|\s]*")
_URL = re.compile(r"https?://[^\s/]+(?:/\S*)?", re.IGNORECASE)
Data = dict[str, Any]


class Row(NamedTuple):
    """A clean row: its fields as JSON, or field, code and sentence of the refusal; `code` is a remark."""

    fields: Data
    error: tuple[str | None, str, str] | None = None
    code: str | None = None


class _Refused(Exception):
    """A cell that cannot be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def made_sku(name: str, brand: str | None) -> str:
    """Return the SKU of a row that names no key at all: the same for the same name and brand, so that it is found again."""
    digest = hashlib.sha256(f"{name.casefold()}\n{(brand or '').casefold()}".encode()).hexdigest()
    return f"SKU-{digest[:16].upper()}"


class Cleaner:
    """Reads the rows of one file."""

    def __init__(self, columns: Columns, *, image_allowed: Callable[[str], bool] = lambda _: True) -> None:
        """Take the columns, and which addresses images may have: others are dropped."""
        self._columns, self._image_allowed = columns, image_allowed
        self.recognised = False
        """Whether any column of any row so far stood for a field."""

    def row(self, raw: Raw) -> Row:
        """Return the row's fields, or why it is refused."""
        if raw.code is not None:
            return Row({}, (None, raw.code, raw.message or "The row cannot be read."))
        return self._read({}, self.cells(raw).items())

    def _read(self, fields: Data, cells: Iterable[tuple[str, Any]]) -> Row:
        remarks: list[str] = []
        for field, value in cells:
            try:
                _READERS[field](self, value, fields, remarks)
            except _Refused as refused:
                return Row({}, (field, refused.code, refused.message))
            except PydanticCustomError as refused:
                return Row({}, (field, refused.type, refused.message()))
        return Row(fields, None, remarks[0] if remarks else None)

    def batch(self, batch: Batch) -> list[Row]:
        """Return what `row` returns for each row, in order; whole columns of plain cells are read at once."""
        found = self.sheet(batch)
        return [Row(fields) for fields in found.rows()] if isinstance(found, Sheet) else found

    def sheet(self, batch: Batch) -> Sheet | list[Row]:
        """Return the rows of a batch as columns where they are alike and all cells are plain; else what `batch` returns."""
        names, cells, printable = batch
        if names.count(names[0]) == len(names):
            return self._alike(names[0], cells, printable=printable)
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, own in enumerate(names):
            groups.setdefault(own, []).append(number)
        made: dict[int, Row] = {}
        for own, numbers in groups.items():
            found = self._alike(own, [cells[number] for number in numbers], printable=printable)
            rows = [Row(fields) for fields in found.rows()] if isinstance(found, Sheet) else found
            made |= zip(numbers, rows, strict=True)
        return [made[number] for number in range(len(names))]

    def _alike(self, names: tuple[str, ...], rows: Sequence[Sequence[object]], *, printable: bool) -> Sheet | list[Row]:
        """Read rows of the same columns."""
        plan = self._columns.plan(names) if len(rows) >= _FEW else None
        if plan is None:
            return [self.row(Raw(tuple(zip(names, row, strict=True)))) for row in rows]
        self.recognised = self.recognised or bool(plan)
        columns = list(zip(*rows, strict=True)) if plan else []
        plain: dict[str, Column] = {}
        odd: list[tuple[str, Sequence[object]]] = []
        for field, at in plan:
            values = plain_column(field, columns[at], self._image_allowed, printable=printable)
            if values and not ("currency" in values and odd):  # the first price with a currency decides
                plain = values | plain
            elif field != "handle":
                odd.append((field, columns[at]))
        sheet = Sheet(len(rows), plain)
        if not odd:
            return sheet
        remaining = zip(*(column for _, column in odd), strict=True)
        return [
            self._finished(fields, zip((field for field, _ in odd), told, strict=True))
            for fields, told in zip(sheet.rows(), remaining, strict=True)
        ]

    def _finished(self, fields: Data, cells: Iterable[tuple[str, Any]]) -> Row:
        """Read the cells of a row that need a closer look, one by one."""
        held = ((field, value.strip() if type(value) is str else value) for field, value in cells)
        return self._read(fields, ((field, told) for field, told in held if told or told == 0))

    def cells(self, raw: Raw) -> Data:
        """Return the cell of each field: of several columns the one with the lowest rank that is not empty."""
        place = self._columns.place
        cells: Data = {}
        ranks: dict[str, int] = {}
        more: list[Any] = []
        for column, value in raw.pairs:
            found = place(column)
            if found is None:
                continue
            self.recognised = True
            told = value.strip() if type(value) is str else value
            if not told and told != 0:  # nothing, or an empty text, list or object; a zero is something
                continue
            field, rank = found
            if field == "more_images" or (field == "images" and ranks.get(field) == rank):
                more.append(told)
            elif rank < ranks.get(field, 1_000):
                cells[field], ranks[field] = told, rank
        if more:
            cells["images"] = [*_listed(cells.get("images")), *more]
        if "stock" in cells:
            cells.pop("availability", None)
        return cells

    def _images(self, value: object, fields: Data, _: list[str]) -> None:
        found: dict[str, None] = {}
        for part in _listed(value):
            told = _text(part)
            for address in _addresses(told):
                if len(address) <= _MOST_URL and _URL.fullmatch(address) and self._image_allowed(address):
                    found[clean(address)] = None
        if found:
            fields["images"] = list(found)[:_MOST_MANY]


def clean(text: str) -> str:
    """Return the text as it is kept; most are plain already."""
    return text.strip() if text.isascii() and text.isprintable() else cleaned(text)


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, str) and value.startswith("["):  # as an export writes a list
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        value = found if isinstance(found, list) else value
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _addresses(text: str) -> Sequence[str]:
    return (text,) if _ALONE.fullmatch(text) else _NEXT_URL.split(text)


def _text(value: object) -> str:
    """Return the text of a cell: of an object its usual naming member, of a list its first element."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | Decimal):
        plain = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _MOST_PLACES
        return format(value, "f") if plain else str(value)[:_LONGEST_NUMBER]
    if isinstance(value, Mapping):
        named = (value.get(name) for name in ("name", "title", "value", "src", "url"))
        return next((each for each in named if isinstance(each, str)), "")
    return _text(value[0]) if isinstance(value, list) and value and not isinstance(value[0], list) else ""


def _string(field: str) -> Callable[[Cleaner, Any, Data, list[str]], None]:
    most = LENGTHS[field]

    def read(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
        text = clean(_text(value))
        if len(text) > most:
            raise _Refused("too_long", f"At most {most} characters are kept here.")
        if text:
            fields[field] = text

    return read


def _description(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
    text = clean(harmless(_text(value)))
    if len(text) > LENGTHS["description"]:
        raise _Refused("too_long", f"At most {LENGTHS['description']} characters are kept here.")
    if text:
        fields["description"] = text


def _price(field: str) -> Callable[[Cleaner, Any, Data, list[str]], None]:
    def read(_: Cleaner, value: Any, fields: Data, remarks: list[str]) -> None:
        text = _text(value)
        try:
            price = read_price(text)
        except BadNumber:
            raise _Refused("bad_price", "This is no price that can be read, or it is negative.") from None
        fields[field] = str(price.amount)
        if price.currency is not None:
            fields.setdefault("currency", price.currency)
        if price.ambiguous and isinstance(value, str):
            remarks.append(AMBIGUOUS)

    return read


def _stock(_: Cleaner, value: Any, fields: Data, remarks: list[str]) -> None:
    try:
        stock = read_stock(_text(value))
    except BadNumber:
        raise _Refused("bad_stock", "This is no whole number of units.") from None
    fields["stock"] = stock.units
    if stock.ambiguous and isinstance(value, str):
        remarks.append(AMBIGUOUS)


def _availability(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
    """Take the words of availability; a word that is none says nothing."""
    try:
        stock = read_stock(_text(value))
    except BadNumber:
        return
    if stock.units in (IN_STOCK, 0) and stock == Stock(stock.units):
        fields["stock"] = stock.units


def _barcode(_: Cleaner, value: Any, fields: Data, remarks: list[str]) -> None:
    text = clean(_text(value)).lstrip("'")
    if _DAMAGED.fullmatch(text):
        remarks.append(DAMAGED)
        return
    whole = _WHOLE.fullmatch(text)
    if len(text) > LENGTHS["barcode"]:
        raise _Refused("too_long", f"At most {LENGTHS['barcode']} characters are kept here.")
    if text:
        fields["barcode"] = whole[1] if whole else text


def _currency(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
    code = _text(value).strip().upper()
    if not is_currency(code):
        raise _Refused("bad_currency", "A currency is a code of ISO 4217, such as EUR.")
    fields["currency"] = code


def _tags(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
    listed = _listed(value)
    parts = [_text(each) for each in listed] if isinstance(listed, list) else _text(value).split(",")
    tags = [tag for tag in dict.fromkeys(clean(part) for part in parts) if 0 < len(tag) <= _MOST_TAG]
    if tags:
        fields["tags"] = tags[:_MOST_MANY]


def _source(_: Cleaner, value: Any, fields: Data, __: list[str]) -> None:
    text = _text(value).strip()
    if len(text) <= _MOST_URL and _URL.fullmatch(text):
        fields["source_url"] = clean(text)


def _nothing(_: Cleaner, __: Any, ___: Data, ____: list[str]) -> None:
    """Leave a column alone that only groups rows."""


_READERS: dict[str, Callable[[Cleaner, Any, Data, list[str]], None]] = {
    **{field: _string(field) for field in LENGTHS},
    "description": _description,
    "barcode": _barcode,
    "sale_price": _price("sale_price"),
    "unit_cost": _price("unit_cost"),
    "stock": _stock,
    "availability": _availability,
    "images": Cleaner._images,  # noqa: SLF001 - the one reader that needs the file's own rule
    "currency": _currency,
    "tags": _tags,
    "source_url": _source,
    "handle": _nothing,
}
