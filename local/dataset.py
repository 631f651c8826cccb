"""`make data`: put the public retail data set under `.data/`, from a folder beside the project when it is there, else from the web.

The published file is a spreadsheet; it is turned into the gzipped CSV that `local.demo.retail` reads. Nothing is kept whose
number of lines, invoices and total differ from the published ones. See docs/data.md for licence and traps.
"""

import csv
import gzip
import shutil
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from shared.core.values import dataclass

__all__ = ["ADDRESS", "EXPECTED", "FILE", "Sums", "convert", "found", "main", "provide", "sums"]

ROOT = Path(__file__).resolve().parents[1]
FILE = "online-retail.csv.gz"
BESIDE = ROOT.parent / "shared" / "data" / FILE
ADDRESS = "https://archive.ics.uci.edu/static/public/352/online+retail.zip"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a spreadsheet's time has no zone)
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Sums:
    """What tells that a file is whole."""

    rows: int
    invoices: int
    total: Decimal


EXPECTED = Sums(541_909, 25_900, Decimal("9747747.934"))


def main() -> int:
    """Provide the file and say where it is; return a process status."""
    target = ROOT / ".data" / FILE
    try:
        provide(target)
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        print(f"the retail data set could not be had: {problem}", file=sys.stderr)
        return 1
    print(f"{target}: {EXPECTED.rows} lines, {EXPECTED.invoices} invoices. Source and licence: docs/data.md")
    return 0


def found() -> Path | None:
    """Return where the file lies on this machine: provided by `make data`, or beside the project; None when it does not."""
    return next((path for path in (ROOT / ".data" / FILE, BESIDE) if path.is_file()), None)


def provide(target: Path, beside: Path = BESIDE, address: str = ADDRESS, expected: Sums = EXPECTED) -> None:
    """Leave a whole file at the target: the present one, else the one beside, else the published one; else raise."""
    if target.is_file() and sums(target) == expected:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        if beside.is_file():
            shutil.copyfile(beside, part)
        else:
            _download(address, part)
        counted = sums(part)
        if counted != expected:
            message = f"expected {expected}, found {counted}"
            raise ValueError(message)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def sums(path: Path) -> Sums:
    """Count lines and invoices of a gzipped CSV and add up quantity times price; an unreadable file is a ValueError."""
    rows, invoices, total = 0, set(), Decimal(0)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            for row in csv.DictReader(text):
                rows += 1
                invoices.add(row["InvoiceNo"])
                total += int(row["Quantity"]) * Decimal(row["UnitPrice"])
    except (EOFError, KeyError, ArithmeticError) as damage:
        message = f"{path.name} is damaged"
        raise ValueError(message) from damage
    return Sums(rows, len(invoices), total)


def _download(address: str, part: Path) -> None:
    """Fetch the published archive and convert the one spreadsheet in it."""
    with tempfile.TemporaryFile() as archive:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (our own address)
            shutil.copyfileobj(answer, archive)
        with zipfile.ZipFile(archive) as outer:
            name = next(name for name in outer.namelist() if name.endswith(".xlsx"))
            with outer.open(name) as sheet, zipfile.ZipFile(sheet) as workbook:
                convert(workbook, part)


def convert(workbook: zipfile.ZipFile, part: Path) -> None:
    """Write a workbook's first sheet as gzipped CSV, sorted by time, invoice and code."""
    with workbook.open("xl/sharedStrings.xml") as strings, workbook.open("xl/worksheets/sheet1.xml") as sheet:
        texts = list(_texts(strings))
        rows = sorted((_row(cells) for cells in _cells(sheet, texts)), key=lambda row: (row[4], row[0], row[1]))
    with gzip.open(part, "wt", encoding="utf-8", newline="", compresslevel=6) as text:
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _texts(source: IO[bytes]) -> Iterator[str]:
    for element in _elements(source, "si"):
        yield "".join(part.text or "" for part in element.iter(f"{_SPREADSHEET}t"))


def _cells(source: IO[bytes], texts: list[str]) -> Iterator[dict[str, str]]:
    """Yield each row after the heading as column letter -> text."""
    rows = _elements(source, "row")
    next(rows)
    for row in rows:
        cells = {}
        for cell in row:
            value = cell.findtext(f"{_SPREADSHEET}v") or ""
            cells[cell.get("r", "")[:1]] = texts[int(value)] if cell.get("t") == "s" else value
        yield cells


def _elements(source: IO[bytes], name: str) -> Iterator[ET.Element]:
    """Yield the elements of a name, freeing each after use."""
    for _, element in ET.iterparse(source):  # noqa: S314 (the one published file, checked by its sums)
        if element.tag == _SPREADSHEET + name:
            yield element
            element.clear()


def _row(cells: dict[str, str]) -> list[str]:
    number, code, description, quantity, day, price, customer, country = (
        cells.get(letter, "") for letter in "ABCDEFGH"
    )
    minutes = round(float(day) * 24 * 60)
    at = _EPOCH + timedelta(minutes=minutes)
    return [
        number,
        code,
        description,
        str(round(float(quantity))),
        at.strftime("%Y-%m-%d %H:%M:%S"),
        f"{float(price):.3f}",
        customer.partition(".")[0],
        country,
    ]


if __name__ == "__main__":
    sys.exit(main())
