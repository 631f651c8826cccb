"""`make data`: a whole file or none."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from local.dataset import Sums, provide, sums
from tests.unit.simulators.retail import ROWS, written

EXPECTED = Sums(17, 9, Decimal("66.950"))
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def test_the_file_beside_the_project_is_taken(tmp_path: Path) -> None:
    target = tmp_path / "data" / "online-retail.csv.gz"

    provide(target, written(tmp_path / "beside.csv.gz"), "file:///nowhere", EXPECTED)

    assert sums(target) == EXPECTED


def test_a_whole_file_is_left_alone(tmp_path: Path) -> None:
    target = written(tmp_path / "online-retail.csv.gz")
    before = target.stat().st_mtime_ns

    provide(target, tmp_path / "none", "file:///nowhere", EXPECTED)

    assert target.stat().st_mtime_ns == before


def test_a_file_with_other_sums_is_not_kept(tmp_path: Path) -> None:
    target = tmp_path / "online-retail.csv.gz"
    beside = written(tmp_path / "beside.csv.gz", ROWS[:-1])

    with pytest.raises(ValueError, match="expected"):
        provide(target, beside, "file:///nowhere", EXPECTED)

    assert [path.name for path in tmp_path.iterdir()] == ["beside.csv.gz"]


def test_a_truncated_file_is_not_kept(tmp_path: Path) -> None:
    beside = written(tmp_path / "beside.csv.gz")
    beside.write_bytes(beside.read_bytes()[:-20])

    with pytest.raises(ValueError, match="damaged"):
        provide(tmp_path / "out.csv.gz", beside, "file:///nowhere", EXPECTED)


def test_the_published_spreadsheet_becomes_the_same_rows(tmp_path: Path) -> None:
    target = tmp_path / "out.csv.gz"
    archive = _published(tmp_path)

    provide(target, tmp_path / "none", archive.as_uri(), Sums(2, 2, Decimal("13.100")))

    with gzip.open(target, "rt", encoding="utf-8", newline="") as text:
        assert text.read().splitlines() == [
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            "536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.550,17850,United Kingdom",
            "C536366,22752,,-1,2010-12-01 08:27:00,2.200,,France",
        ]


def _published(folder: Path) -> Path:
    """Write a small archive in the form of the published one: strings shared, numbers as numbers, days as days."""
    strings = ["InvoiceNo", "85123A", "WHITE HEART", "United Kingdom", "C536366", "France"]
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2" t="s"><v>4</v></c><c r="B2"><v>22752</v></c><c r="D2"><v>-1</v></c><c r="E2"><v>40513.352083333331</v></c>'
        '<c r="F2"><v>2.2000000000000002</v></c><c r="H2" t="s"><v>5</v></c></row>'
        '<row r="3"><c r="A3"><v>536365</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" t="s"><v>2</v></c><c r="D3"><v>6</v></c>'
        '<c r="E3"><v>40513.351388888892</v></c><c r="F3"><v>2.5499999999999998</v></c><c r="G3"><v>17850</v></c><c r="H3" t="s"><v>3</v></c></row>'
    )
    workbook = folder / "Online Retail.xlsx"
    with zipfile.ZipFile(workbook, "w") as inner:
        inner.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_SHEET}">{shared}</sst>')
        inner.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
        )
    archive = folder / "published.zip"
    with zipfile.ZipFile(archive, "w") as outer:
        outer.write(workbook, workbook.name)
    return archive
