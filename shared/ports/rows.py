"""Rows on their way into the warehouse: checked against the declared columns and written as lines of JSON.

Both adapters load the same lines, so that both refuse the same rows. Times travel as RFC 3339 text and exact numbers as
decimal text. A text that no database can hold (a lone surrogate, a NUL) has those characters replaced; the row stays.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import IO, Any, NamedTuple

from pydantic_core import PydanticSerializationError, to_json

from shared.core.clock import instant
from shared.core.errors import Terminal
from shared.ports.warehouse import Column, Table

__all__ = ["ORDINAL", "Written", "bad_rows", "write_lines"]

ORDINAL = "_ordinal"
_INT64 = 2**63
_SCALE = 9
_CHUNK = 1000
# Texts taken as they are; the database refuses those of them that name no day.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EXACT = re.compile(r"-?\d{1,29}(\.\d{1,9})?", re.ASCII)
_NUMERIC_MAX = Decimal(10) ** 29
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Convert = Callable[[Any], Any]
Fine = Callable[[list[Any]], bool]


class Written(NamedTuple):
    """How many rows were written, and the least and greatest partition value among them (as text; "" without one)."""

    sent: int
    low: str
    high: str


class _Refused(Exception):
    """A value its column cannot hold."""


class _Plan(NamedTuple):
    """How one column is written: the type and test of values taken as they are, how to write others, and null."""

    name: str
    plain: type | None
    fine: Fine
    convert: Convert
    required: bool
    absent: Any


def write_lines(table: Table, rows: Iterable[Mapping[str, Any]], file: IO[bytes]) -> Written:
    """Write a line of JSON per row, with its number as `_ordinal`; raise Terminal `bad_rows` at a bad one.

    Rows are taken in chunks and a chunk column by column: most columns need but one look at all their values.
    """
    plans = [_plan(column) for column in table.columns]
    names = [ORDINAL, *(plan.name for plan in plans)]
    at = None if table.partition_by is None else names.index(table.partition_by)
    sent, low, high = 0, "", ""
    for chunk in _chunks(rows):
        columns = _columns(table, plans, chunk, sent)
        if at is not None:
            low, high = min(low or columns[at][0], *columns[at]), max(high, *columns[at])
        for values in zip(*columns, strict=True):
            file.write(_encoded(dict(zip(names, values, strict=True))) + b"\n")
        sent += len(chunk)
    file.flush()
    return Written(sent, low, high)


def bad_rows(detail: str) -> Terminal:
    """Return the refusal of a batch; the detail names rows and columns, never values."""
    return Terminal("bad_rows", detail)


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(rows)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _columns(table: Table, plans: list[_Plan], chunk: list[Mapping[str, Any]], first: int) -> list[Sequence[Any]]:
    """Return the written values of a chunk by column, the row numbers before them."""
    known = {plan.name for plan in plans}
    for number, row in enumerate(chunk, first):
        if not row.keys() <= known:
            raise bad_rows(f"Row {number} for {table.name} has an unknown column {min(row.keys() - known)}.")
    return [range(first, first + len(chunk)), *(_column(table, plan, chunk, first) for plan in plans)]


def _column(table: Table, plan: _Plan, chunk: list[Mapping[str, Any]], first: int) -> list[Any]:
    values = [row.get(plan.name) for row in chunk]
    present = [value for value in values if value is not None]
    if plan.required and len(present) < len(values):
        raise bad_rows(f"Row {first + values.index(None)} for {table.name} lacks {plan.name}.")
    if not present and plan.absent is None:
        return values
    if set(map(type, present)) == {plan.plain} and plan.fine(present):
        return values
    return [_value(table, plan, value, first + at) for at, value in enumerate(values)]


def _value(table: Table, plan: _Plan, value: Any, number: int) -> Any:
    if value is None:
        return plan.absent
    try:
        return plan.convert(value)
    except (_Refused, ArithmeticError) as refusal:
        raise bad_rows(f"Row {number} for {table.name}: {plan.name} cannot hold that value.") from refusal


def _encoded(written: dict[str, Any]) -> bytes:
    """Write JSON; clean the texts only when something in them needs it."""
    try:
        line = to_json(written, inf_nan_mode="strings")
    except (PydanticSerializationError, UnicodeError):
        line = b"\\u0000"
    return to_json(_clean(written), inf_nan_mode="strings") if b"\\u0000" in line else line


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", _REPLACEMENT)
    if isinstance(value, dict):
        return {name: _clean(member) for name, member in value.items()}
    return [_clean(member) for member in value] if isinstance(value, list) else value


def _plan(column: Column) -> _Plan:
    required = column.mode == "REQUIRED"
    if column.is_json:
        return _Plan(column.name, None, _always, _json_text, required, absent=None)
    plain, fine, convert = _SCALARS[column.type]
    if column.mode != "REPEATED":
        return _Plan(column.name, plain, fine, convert, required, absent=None)
    return _Plan(column.name, None, fine, partial(_list, convert), required=False, absent=())


def _list(convert: Convert, values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise _Refused
    return [convert(value) for value in values]


def _json_text(value: Any) -> str:
    """Write a composite value as JSON text."""
    try:
        return to_json(value).decode()
    except (PydanticSerializationError, UnicodeError):
        return to_json(_clean(value), serialize_unknown=True).decode()


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused
    return str(value)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise _Refused
    return int(value)


def _float(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Refused
    return float(value)


def _numeric(value: Any) -> str:
    """Write an exact number as plain decimal text within NUMERIC (29 digits before the point, 9 after)."""
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        raise _Refused
    exact = Decimal(value)
    digits, exponent = exact.as_tuple().digits, exact.as_tuple().exponent
    if not isinstance(exponent, int) or exact.copy_abs() >= _NUMERIC_MAX:
        raise _Refused
    excess = -_SCALE - exponent
    if excess > 0 and any(digits[-excess:]):
        raise _Refused
    return format(exact, "f")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Refused
    return value


def _timestamp(value: Any) -> str:
    """Write a time in UTC, so that texts sort as times; a text is read first."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as unreadable:
        raise _Refused from unreadable
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _Refused
    return instant(moment)


def _date(value: Any) -> str:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as unreadable:
        raise _Refused from unreadable
    if not isinstance(day, date) or isinstance(day, datetime):
        raise _Refused
    return day.isoformat()


def _always(values: list[Any]) -> bool:  # noqa: ARG001 - the shape of a test
    return True


def _within_int64(values: list[int]) -> bool:
    return min(values) >= -_INT64 and max(values) < _INT64


def _all_match(pattern: re.Pattern[str], values: list[str]) -> bool:
    return all(map(pattern.fullmatch, values))


_SCALARS: Mapping[str, tuple[type, Fine, Convert]] = {
    "STRING": (str, _always, _string),
    "INT64": (int, _within_int64, _integer),
    "FLOAT64": (float, _always, _float),
    "NUMERIC": (str, partial(_all_match, _EXACT), _numeric),
    "BOOL": (bool, _always, _boolean),
    "TIMESTAMP": (str, partial(_all_match, _INSTANT), _timestamp),
    "DATE": (str, partial(_all_match, _DAY), _date),
}
