"""Real baskets: the invoices of the public "Online Retail" data set (see docs/data.md), read as a stream.

Every invoice becomes one basket. The traps of the file are met here, each one counted in the report:

- invoices that begin with C or A, and those whose quantities are all negative (write-offs), become cancelled baskets;
- fees, discounts, postage and vouchers are no goods: their lines are left out (an invoice may be left without lines);
- a line that repeats another of its invoice in every field is kept once;
- a blank description takes the name the code had before, else none;
- codes that differ only in case stay different, as they do in the file; the same code at another price is the same item;
- lines of one invoice may be a minute apart, with lines of others between them; times are London time.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from local.demo.baskets import Basket, Good, Person
from shared.core.values import dataclass, field

__all__ = ["FEES", "RetailReport", "read_retail"]

FEES = frozenset({"POST", "DOT", "D", "M", "m", "S", "B", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK"})
_VOUCHER = "gift_"
_LONDON = ZoneInfo("Europe/London")
_SPREAD = timedelta(minutes=5)


@dataclass(slots=True)
class RetailReport:
    """What the file held."""

    rows: int = 0
    invoices: int = 0
    cancelled: int = 0
    write_offs: int = 0
    without_goods: int = 0
    fee_lines: int = 0
    repeated_lines: int = 0
    blank_descriptions: int = 0
    total: Decimal = Decimal(0)


@dataclass(slots=True)
class _Invoice:
    number: str
    at: datetime
    customer: str
    country: str
    lines: list[tuple[Good, int]] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    negative: bool = True


class _Shop:
    """The goods met so far: one number per code, one Good per code and price."""

    def __init__(self) -> None:
        self.goods: dict[str, Good] = {}
        self._priced: dict[tuple[str, int], Good] = {}
        self._names: dict[str, str] = {}

    def good(self, code: str, description: str, cents: int) -> Good:
        if description:
            self._names.setdefault(code, description)
        known = self._priced.get((code, cents))
        if known is None:
            first = self.goods.get(code)
            number = first.number if first else 1_000 + len(self.goods)
            known = Good(number, code, self._names.get(code), cents)
            self._priced[(code, cents)] = known
            self.goods.setdefault(code, known)
        return known


def read_retail(path: Path) -> tuple[list[Basket], list[Good], RetailReport]:
    """Read the gzipped CSV; return the baskets in the order of their times, the goods, and what was found."""
    report, shop = RetailReport(), _Shop()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        baskets = [
            _basket(number, invoice, report) for number, invoice in enumerate(_invoices(csv.reader(text), shop, report))
        ]
    return baskets, list(shop.goods.values()), report


def _invoices(rows: Iterator[list[str]], shop: _Shop, report: RetailReport) -> Iterator[_Invoice]:
    """Yield each invoice once no more lines of it can come."""
    next(rows)
    open_: dict[str, _Invoice] = {}
    stamp, at = "", datetime.min  # noqa: DTZ901 (London time without zone, as the file has it)
    for row in rows:
        if row[4] != stamp:
            stamp, at = row[4], datetime.fromisoformat(row[4])
            yield from _closed(open_, at - _SPREAD)
        invoice = open_.get(row[0])
        if invoice is None:
            invoice = open_[row[0]] = _Invoice(row[0], at, row[6], row[7])
        _take(row, invoice, shop, report)
    yield from open_.values()


def _closed(open_: dict[str, _Invoice], before: datetime) -> Iterable[_Invoice]:
    """Take out the invoices that began before a time, oldest first."""
    done = []
    for number, invoice in open_.items():
        if invoice.at >= before:
            break
        done.append(number)
    return [open_.pop(number) for number in done]


def _take(row: list[str], invoice: _Invoice, shop: _Shop, report: RetailReport) -> None:
    """Take one line of the file into its invoice."""
    _, code, description, quantity_text, _, price_text, _, _ = row
    price, quantity = Decimal(price_text), int(quantity_text)
    report.rows += 1
    report.total += price * quantity
    report.blank_descriptions += not description.strip()
    invoice.negative &= quantity < 0
    if code in FEES or code.startswith(_VOUCHER):
        report.fee_lines += 1
        return
    fields = tuple(row)
    if fields in invoice.seen:
        report.repeated_lines += 1
        return
    invoice.seen.add(fields)
    good = shop.good(code, description.strip(), int(price * 100))
    invoice.lines.append((good, abs(quantity)))


def _basket(number: int, invoice: _Invoice, report: RetailReport) -> Basket:
    called_off = invoice.number[0] in "CA"
    report.invoices += 1
    report.cancelled += called_off
    report.write_offs += invoice.negative and not called_off
    report.without_goods += not invoice.lines
    customer = invoice.customer
    person = Person(
        f"Customer {customer}" if customer else "Guest",
        f"customer{customer}@example.com" if customer else None,
        "London",
        invoice.country,
    )
    at = invoice.at.replace(tzinfo=_LONDON).astimezone(UTC)
    return Basket(number, invoice.number, at, tuple(invoice.lines), person, called_off or invoice.negative)
