"""A small file with every trap of the retail data set."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

HEADING = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
_UK = "United Kingdom"
ROWS: Sequence[Sequence[str]] = (
    ("536365", "21730", "GLASS STAR", "6", "2010-12-01 08:26:00", "4.250", "17850", _UK),
    ("536365", "21730", "GLASS STAR", "6", "2010-12-01 08:26:00", "4.250", "17850", _UK),  # a repeated line
    ("536365", "21730", "GLASS STAR", "2", "2010-12-01 08:26:00", "4.250", "17850", _UK),  # the same good once more
    ("536365", "POST", "POSTAGE", "1", "2010-12-01 08:26:00", "18.000", "17850", _UK),
    ("536366", "85123A", "WHITE HEART", "3", "2010-12-01 08:27:00", "2.550", "", "France"),
    (
        "536365",
        "85123a",
        "white heart",
        "1",
        "2010-12-01 08:27:00",
        "2.550",
        "17850",
        _UK,
    ),  # a minute later; other case
    ("C536379", "21730", "GLASS STAR", "-2", "2010-12-01 09:41:00", "4.250", "14527", _UK),
    ("536414", "22139", "", "56", "2010-12-01 11:52:00", "0.000", "", _UK),  # blank, free
    ("536589", "21777", "", "-10", "2010-12-01 16:50:00", "0.000", "", _UK),  # a write-off
    (
        "536600",
        "21730",
        "",
        "1",
        "2010-12-01 17:00:00",
        "3.990",
        "13000",
        _UK,
    ),  # blank; the name is known; another price
    ("536700", "gift_0001_20", "VOUCHER", "1", "2010-12-02 10:00:00", "16.670", "", _UK),  # nothing to send
    ("536800", "22423", "CAKESTAND", "1", "2010-12-03 10:00:00", "12.750", "12345", "Germany"),
    ("536800", "22424", "BREAD BIN", "1", "2010-12-03 10:00:00", "10.950", "12345", "Germany"),
    ("536800", "22425", "MILK PAN", "1", "2010-12-03 10:00:00", "3.750", "12345", "Germany"),
    ("536800", "22426", "BOWL", "1", "2010-12-03 10:00:00", "1.250", "12345", "Germany"),
    ("536800", "M", "Manual", "1", "2010-12-03 10:00:00", "1.000", "12345", "Germany"),
    ("A563185", "B", "Adjust bad debt", "-1", "2011-08-12 14:50:00", "62.610", "", _UK),
)


def written(path: Path, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    """Write rows as the data set writes them."""
    with gzip.open(path, "wt", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADING)
        writer.writerows(rows)
    return path
