"""The real shop's invoices as sale lines, for the benches: goods sold, at prices of two decimals, in pounds.

What is left out: cancellations and adjustments (invoices `C...` and `A...`), write-offs, lines at no price, and prices that have
a third decimal (our amounts have two, and rounding them would make the totals other ones).
"""

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bench.harness import ROOT

__all__ = ["RetailLine", "retail_file", "retail_lines", "retail_rows"]

_LONDON, _UTC = ZoneInfo("Europe/London"), ZoneInfo("UTC")


class RetailLine(NamedTuple):
    """One line of the file, as far as it is a sale."""

    invoice: str
    code: str
    name: str
    quantity: int
    at: datetime
    price: Decimal
    country: str


def retail_file() -> Path:
    """Return the data file; raise FileNotFoundError naming where it is looked for."""
    named = os.environ.get("ONLINE_RETAIL")
    places = (
        [Path(named)]
        if named
        else [ROOT.parent / "shared/data/online-retail.csv.gz", ROOT / ".data/online-retail.csv.gz"]
    )
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError("online-retail.csv.gz (ONLINE_RETAIL)")


def retail_lines() -> Iterator[RetailLine]:
    """Yield the sales of the file in its order; times are London's."""
    with gzip.open(retail_file(), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            quantity, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
            if quantity <= 0 or price <= 0 or row["InvoiceNo"][:1] in {"C", "A"} or price != round(price, 2):
                continue
            at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=_LONDON)
            name = row["Description"].strip() or row["StockCode"]
            yield RetailLine(row["InvoiceNo"], row["StockCode"], name, quantity, at, price, row["Country"])


def retail_rows() -> Iterator[dict[str, Any]]:
    """Return the rows of the sales table; countries stand as categories. Raise FileNotFoundError without the file."""
    retail_file()
    return _rows()


def _rows() -> Iterator[dict[str, Any]]:
    numbers: dict[str, int] = {}
    for line in retail_lines():
        number = numbers[line.invoice] = numbers.get(line.invoice, 0) + 1
        yield {
            "id": f"{line.invoice}_{number}",
            "created_at": line.at.astimezone(_UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "kind": "sale",
            "sale_id": line.invoice,
            "number": number,
            "store_id": "sto_main",
            "user_id": "usr_import",
            "product_id": line.code,
            "sku": line.code,
            "product_name": line.code,
            "category_id": line.country,
            "category": line.country,
            "quantity": line.quantity,
            "unit_price": f"{line.price:.2f}",
            "line_total": f"{line.price * line.quantity:.2f}",
            "currency": "GBP",
        }
