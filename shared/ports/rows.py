"""Rows on their way into the warehouse: checked against the declared columns and written as lines of JSON.

Both adapters load the same lines, so that both refuse the same rows. Times travel as RFC 3339 text and exact numbers as
decimal text. A text that no database can hold (a lone surrogate, a NUL) has those characters replaced; the row stays.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, NamedTuple

from pydantic_core import PydanticSerializationError, to_json

from shared.core.clock import instant
from shared.core.errors import Terminal
from shared.ports.warehouse import Column, Table

__all__ = ["ORDINAL", "Written", "bad_rows", "write_lines"]

ORDINAL = "_ordinal"
_INT64 = 2**63
_SCALE = 9
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_NUMERIC_MAX = Decimal(10) ** 29
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Convert = Callable[[Any], Any]


class Written(NamedTuple):
    """How many rows were written, and the least and greatest partition value among them (as text; "" without one)."""

    sent: int
    low: str
    high: str


class _Refused(Exception):
    """A value its column cannot hold."""


class _Plan(NamedTuple):
    """How one column is written: types taken as they are, how to write the others, and what stands for null."""

    name: str
    plain: type | None
    convert: Convert
    required: bool
    absent: Any


def write_lines(table: Table, rows: Iterable[Mapping[str, Any]], file: IO[bytes]) -> Written:
    """Write a line of JSON per row, with its number as `_ordinal`; raise Terminal `bad_rows` at the first bad one."""
    plans = [_plan(column) for column in table.columns]
    names = frozenset(plan.name for plan in plans)
    at, sent, low, high = table.partition_by, 0, "", ""
    for row in rows:
        if not row.keys() <= names:
            raise bad_rows(f"Row {sent} for {table.name} has an unknown column {min(set(row) - names)}.")
        written = _written(table, plans, row, sent)
        file.write(_encoded(written) + b"\n")
        if at is not None:
            low, high = min(low or written[at], written[at]), max(high, written[at])
        sent += 1
    file.flush()
    return Written(sent, low, high)


def bad_rows(detail: str) -> Terminal:
    """Return the refusal of a batch; the detail names rows and columns, never values."""
    return Terminal("bad_rows", detail)


def _written(table: Table, plans: list[_Plan], row: Mapping[str, Any], number: int) -> dict[str, Any]:
    written: dict[str, Any] = {ORDINAL: number}
    for name, plain, convert, required, absent in plans:
        value = row.get(name)
        if value is None:
            if required:
                raise bad_rows(f"Row {number} for {table.name} lacks {name}.")
            value = absent
        elif type(value) is not plain:
            try:
                value = convert(value)
            except (_Refused, ArithmeticError) as refusal:
                raise bad_rows(f"Row {number} for {table.name}: {name} cannot hold that value.") from refusal
        written[name] = value
    return written


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
        return _Plan(column.name, None, _json_text, required, absent=None)
    plain, convert = _SCALARS[column.type]
    if column.mode != "REPEATED":
        return _Plan(column.name, plain, convert, required, absent=None)
    return _Plan(column.name, None, lambda values: _list(values, convert), required=False, absent=[])


def _list(values: Any, convert: Convert) -> list[Any]:
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
    """Write a time with its zone; a text is read first, but one as `instant` writes it is passed on as it is."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as unreadable:
        raise _Refused from unreadable
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _Refused
    return value if isinstance(value, str) and _INSTANT.fullmatch(value) else instant(moment)


def _date(value: Any) -> str:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as unreadable:
        raise _Refused from unreadable
    if not isinstance(day, date) or isinstance(day, datetime):
        raise _Refused
    return day.isoformat()


_SCALARS: Mapping[str, tuple[type | None, Convert]] = {
    "STRING": (str, _string),
    "INT64": (None, _integer),
    "FLOAT64": (float, _float),
    "NUMERIC": (None, _numeric),
    "BOOL": (bool, _boolean),
    "TIMESTAMP": (None, _timestamp),
    "DATE": (None, _date),
}
