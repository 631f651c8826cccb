"""The daily table of the public retail data set, by the protocol of the accuracy benches."""

from datetime import date, timedelta
from functools import cache
from typing import Any

from bench.harness import Missing, Void
from local.dataset import found

__all__ = ["HORIZON", "ORIGINS", "Table", "daily_table", "selected"]

FIRST = date(2010, 12, 1)
HORIZON = 28
ORIGINS = (date(2011, 11, 12), date(2011, 10, 15), date(2011, 9, 17), date(2011, 8, 20))
EXPECTED = (275_291, 3_900, 374, 5_576_996)
SELECTED = (2497, 2471, 2411, 2301)
_LEAST_DAYS, _RECENT, _AGE = 5, 120, 91
Table = Any


@cache
def daily_table() -> Table:
    """Return units by SKU and day, SKUs in order of their codes; raise Missing or, for other data, Void."""
    import csv
    import gzip

    import numpy as np

    path = found()
    if path is None:
        raise Missing("online-retail.csv.gz (make data)")
    units: dict[tuple[str, int], int] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code, quantity = row["StockCode"].strip(), int(row["Quantity"])
            if quantity > 0 and float(row["UnitPrice"]) > 0 and code[:5].isdigit() and len(code) >= 5:
                day = (date.fromisoformat(row["InvoiceDate"][:10]) - FIRST).days
                units[code, day] = units.get((code, day), 0) + quantity
    codes = {code: row for row, code in enumerate(sorted({code for code, _ in units}))}
    days = 1 + max(day for _, day in units)
    table = np.zeros((len(codes), days))
    for (code, day), quantity in units.items():
        table[codes[code], day] = quantity
    seen = (len(units), len(codes), days, int(table.sum()))
    if seen != EXPECTED:
        message = f"the daily table is {seen}, not {EXPECTED}"
        raise Void(message)
    return table


def day_of(origin: date) -> int:
    """Return the column of a first forecast day."""
    return (origin - FIRST) // timedelta(days=1)


def selected(table: Table, origin: int) -> Table:
    """Return the rows judged at an origin: enough selling days lately, first sale long enough ago."""
    import numpy as np

    past = table[:, :origin]
    lively = (past[:, -_RECENT:] > 0).sum(axis=1) >= _LEAST_DAYS
    old = (past[:, : origin - _AGE + 1] > 0).any(axis=1)
    return np.flatnonzero(lively & old)
