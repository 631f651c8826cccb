"""The rows behind a report: every figure of it, or of one of its periods, line by line, with the sums they make."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.core.clock import instant, parse_instant
from shared.core.errors import BadRequest, FieldError, ValidationFailed
from shared.core.money import number
from shared.core.values import dataclass
from shared.sales.made import Wanted
from shared.sales.report import Reports
from shared.sales.report_models import LinesQuery, ReportLine
from shared.sales.warehouse import DRILLED

__all__ = ["Drilled", "Drills"]

Data = dict[str, Any]

_KEYS = tuple(ReportLine.model_fields)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Drilled:
    """One page of lines, the place to go on from, and the sums of all lines."""

    lines: Sequence[Data]
    following: Sequence[str] | None
    total: int
    sums: Data


@dataclass(frozen=True)
class Drills:
    """Reads the rows behind reports."""

    reports: Reports

    def page(self, query: LinesQuery, place: Sequence[Any] | None) -> Drilled:
        """Return a page of the lines that a report of the same parameters counts; raise ValidationFailed, BadRequest."""
        wanted = self.reports.wanted(query.report)
        start, end = _within(wanted, query.period)
        currency, after = query.currency or self.reports.currency, _place(place)
        parameters = wanted.filters | {
            "from_time": start,
            "to_time": end,
            "currency": currency,
            "uncategorized": query.uncategorized,
            "after_time": after[0],
            "after_id": after[1],
            "most": query.size + 1,
        }
        rows = self.reports.warehouse.query(DRILLED, parameters).rows
        shown, sums = rows[: query.size], (rows[0] if rows else {})
        following = [instant(shown[-1]["created_at"]), shown[-1]["id"]] if len(rows) > query.size else None
        total = {
            "currency": currency,
            "start": wanted.written(start),
            "end": wanted.written(end),
            "total_revenue": sums.get("total_cents", 0) / 100,
            "total_quantity": sums.get("total_quantity", 0),
            "sale_count": sums.get("total_sales", 0),
        }
        return Drilled([_line(row) for row in shown], following, sums.get("total_lines", 0), total)


def _within(wanted: Wanted, period: str | None) -> tuple[datetime, datetime]:
    """Return the bounds of what is counted in a period of the report; raise ValidationFailed for one it has not."""
    if period is None:
        return wanted.start, wanted.end
    span = next((each for each in wanted.spans if each.period == period), None)
    if span is None:
        raise ValidationFailed.at(
            "query:period", "unknown_period", "The report of these parameters has no such period."
        )
    return max(wanted.start, span.start), min(wanted.end, span.end)


def _place(place: Sequence[Any] | None) -> tuple[datetime, str]:
    """Read the place of a cursor: a time and an id."""
    if place is None:
        return _BEFORE_ALL, ""
    try:
        moment, last = place
        return parse_instant(moment), str(last)
    except (TypeError, ValueError):
        detail = "This cursor is not one of ours."
        raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),)) from None


def _line(row: Mapping[str, Any]) -> Data:
    money = {"unit_price", "line_total"}
    return {name: number(row[name]) if name in money else row[name] for name in _KEYS}
