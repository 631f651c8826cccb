"""What was sold in a range, cut into calendar periods, by product and by category."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.catalog.record import product_key
from shared.core.errors import ValidationFailed
from shared.core.values import dataclass
from shared.ports.documents import Key
from shared.ports.store import Store
from shared.ports.warehouse import Warehouse
from shared.sales.buckets import Bucket, buckets, day_end, day_start
from shared.sales.made import Figures, Made, Wanted
from shared.sales.report_models import ReportQuery
from shared.sales.shapes import as_list, as_map
from shared.sales.warehouse import COUNTS, LATEST, SOLD_ITEMS, SUMS

__all__ = ["Reports", "key_of"]

Data = dict[str, Any]
Row = Mapping[str, Any]

MOST_BUCKETS = 3_700
MOST_ITEMS = 20_000
_YEARS = range(1900, 3000)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Reports:
    """Reports of sales, read from the warehouse."""

    store: Store
    warehouse: Warehouse
    currency: str

    def report(self, query: ReportQuery, *, legacy: bool = False) -> tuple[Data, datetime | None]:
        """Return a report in the shape asked for, and the time of the last line counted; raise ValidationFailed."""
        made = self.make(self.wanted(query, legacy=legacy))
        shape = as_map(made) if query.shape == "map" else as_list(made, query.currency or self.currency)
        return shape, made.as_of

    def wanted(self, query: ReportQuery, *, legacy: bool = False) -> Wanted:
        """Resolve bounds and periods; raise ValidationFailed for bad bounds or too many periods."""
        zone = ZoneInfo(query.timezone)
        start = _bound("start", query.start, zone, legacy=legacy)
        end = _bound("end", query.end, zone, legacy=legacy)
        if end < start:
            raise ValidationFailed.at("query:end", "end_before_start", "The end lies before the start.")
        spans = buckets(start, end, query.bucket, zone, most=MOST_BUCKETS)
        if spans is None:
            detail = f"A report has at most {MOST_BUCKETS} buckets; take longer ones or a shorter range."
            raise ValidationFailed.at("query:bucket", "range_too_large", detail)
        return Wanted(query, zone, start, end, spans)

    def make(self, wanted: Wanted) -> Made:
        """Read and add up; raise ValidationFailed when more lines are asked for than are listed."""
        currency = wanted.query.currency or self.currency
        rows = self._rows(SUMS, wanted)
        figures, excluded = _added_up(rows, wanted, currency)
        latest = self._latest(wanted) if wanted.whole_sales else self._counted(wanted, figures, currency)
        items = self._items(wanted, currency) if wanted.query.include_sales_items else []
        return Made(wanted, figures, excluded, latest, items)

    def _counted(self, wanted: Wanted, figures: Sequence[Figures], currency: str) -> datetime | None:
        """Count the sales that have a counted line; return the time of the last line of all."""
        rows = self._rows(COUNTS, wanted)
        _place(figures, wanted, {row["first_day"]: row["sales"] for row in rows if row["currency"] == currency})
        return max((row["latest"] for row in rows), default=None)

    def _latest(self, wanted: Wanted) -> datetime | None:
        given = {name: wanted.filters[name] for name in ("from_time", "to_time", "store_ids", "any_store")}
        latest: datetime | None = self.warehouse.query(LATEST, given).rows[0]["latest"]
        return latest

    def _rows(self, named: Any, wanted: Wanted) -> list[Data]:
        parameters = wanted.filters | {"zone": wanted.query.timezone, "bucket": wanted.query.bucket.value}
        return self.warehouse.query(named, parameters).rows

    def _items(self, wanted: Wanted, currency: str) -> list[Data]:
        given = wanted.filters | {"currency": currency, "most": MOST_ITEMS + 1}
        rows = self.warehouse.query(SOLD_ITEMS, given).rows
        if len(rows) > MOST_ITEMS:
            detail = f"A report lists at most {MOST_ITEMS} lines; take a shorter range or leave the lines out."
            raise ValidationFailed.at("query:include_sales_items", "range_too_large", detail)
        told = self._told(rows)
        return [_item(row, told) for row in rows]

    def _told(self, rows: Iterable[Row]) -> Mapping[Key, Data]:
        """Return what products and categories say now that a line does not keep: description and slug."""
        keys = {product_key(row["product_id"]) for row in rows}
        keys |= {Key("categories", row["category_id"]) for row in rows if row["category_id"] is not None}
        found = self.store.get_many(sorted(keys)) if keys else {}
        return {key: stored.data for key, stored in found.items()}


def key_of(identity: str | None, name: str | None) -> str:
    """Return the key of a map: id and name, or what stands for no category."""
    return f"{identity or ''},{name if name is not None else 'Uncategorized'}"


def _bound(name: str, text: str, zone: ZoneInfo, *, legacy: bool) -> datetime:
    """Read a bound: a time, or a day that stands for its first or last moment in the zone."""
    where = f"query:{name}"
    is_day, found = _DAY.fullmatch(text), _INSTANT.fullmatch(text)
    if not is_day and not found:
        raise ValidationFailed.at(where, "invalid_time", "Give a date, or a time such as 2026-01-15T10:30:00Z.")
    if found and found[1] is None and not legacy:
        raise ValidationFailed.at(where, "naive_time", "A time needs its zone: end it with Z or an offset.")
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1))
    except ValueError:
        raise ValidationFailed.at(where, "invalid_time", "There is no such time.") from None
    if moment.year not in _YEARS:
        raise ValidationFailed.at(where, "out_of_range", "Reports cover the years 1900 to 2999.")
    if is_day:
        return day_start(moment.date(), zone) if name == "start" else day_end(moment.date(), zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _added_up(rows: Sequence[Row], wanted: Wanted, currency: str) -> tuple[list[Figures], dict[str, int]]:
    figures = [Figures() for _ in wanted.spans]
    at = _places(wanted)
    firsts: dict[date, int] = defaultdict(int)
    excluded: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["currency"] != currency:
            excluded[row["currency"]] += row["lines"]
            continue
        product = f"{row['product_id']},{row['product_name']}"
        category = key_of(row["category_id"], row["category"])
        figures[at(row["first_day"])].add(product, category, row["cents"], row["quantity"])
        firsts[row["first_day"]] += row["firsts"]
    _place(figures, wanted, firsts)
    return figures, dict(sorted(excluded.items()))


def _place(figures: Sequence[Figures], wanted: Wanted, counts: Mapping[date, int]) -> None:
    """Write the number of sales of each period into its figures."""
    at = _places(wanted)
    for each in figures:
        each.count = 0
    for day, number in counts.items():
        figures[at(day)].count += number


def _places(wanted: Wanted) -> Any:
    """Return what finds the place of a period by its first day; the engine's calendar may differ by a day at the ends."""
    if wanted.query.bucket is Bucket.NONE:
        return lambda _: 0
    places = {span.first_day: at for at, span in enumerate(wanted.spans)}
    days = [span.first_day for span in wanted.spans]
    return lambda day: places[day] if day in places else max(0, sum(each <= day for each in days) - 1)


def _item(row: Row, told: Mapping[Key, Data]) -> Data:
    product = told.get(product_key(row["product_id"]), {})
    category = told.get(Key("categories", row["category_id"] or "-"), {})
    return {
        "id": row["sale_id"],
        "user_id": row["user_id"],
        "created_at": row["created_at"],
        "product_id": row["product_id"],
        "product_name": row["product_name"],
        "description": product.get("description"),
        "category_id": row["category_id"],
        "category_name": row["category"],
        "category_slug": category.get("slug"),
        "price_per_unit": row["unit_price"],
        "quantity": row["quantity"],
        "revenue": row["line_total"],
    }
