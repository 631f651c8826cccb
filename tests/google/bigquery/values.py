"""Between REST v2 JSON and DuckDB: types, rows and query parameters."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from duckdb.sqltypes import DuckDBPyType

TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "INTEGER": "BIGINT",
    "FLOAT64": "DOUBLE",
    "FLOAT": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "BOOL": "BOOLEAN",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
}
_ANSWERS = {
    "varchar": "STRING",
    "double": "FLOAT",
    "float": "FLOAT",
    "decimal": "NUMERIC",
    "boolean": "BOOLEAN",
    "timestamp with time zone": "TIMESTAMP",
    "date": "DATE",
    "timestamp": "DATETIME",
    "struct": "RECORD",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Invalid(Exception):
    """A value or row that BigQuery would not load."""


def column(field: Mapping[str, Any]) -> str:
    """Return a schema field as a column definition."""
    required = " NOT NULL" if field.get("mode") == "REQUIRED" else ""
    return f'"{field["name"]}" {kind(field)}{required}'


def kind(field: Mapping[str, Any]) -> str:
    """Return the DuckDB type of a schema field."""
    return TYPES[field["type"]] + ("[]" if field.get("mode") == "REPEATED" else "")


def answer_field(name: str, found: DuckDBPyType) -> dict[str, Any]:
    """Return the schema field of a result column, with the older names of types that the service answers with."""
    if found.id == "list":
        return answer_field(name, _child(found, 0)) | {"mode": "REPEATED"}
    field: dict[str, Any] = {"name": name, "type": _ANSWERS.get(found.id, "INTEGER"), "mode": "NULLABLE"}
    if found.id == "struct":
        field["fields"] = [answer_field(member, _child(found, at)) for at, (member, _) in enumerate(found.children)]
    return field


def cell(value: Any, field: Mapping[str, Any]) -> dict[str, Any]:
    """Return one value as `{"v": ...}`."""
    if field["mode"] == "REPEATED":
        return {"v": [cell(member, {**field, "mode": "NULLABLE"}) for member in value or ()]}
    if value is None:
        return {"v": None}
    if field["type"] == "RECORD":
        return {"v": {"f": [cell(value[member["name"]], member) for member in field["fields"]]}}
    return {"v": _text(value, field["type"])}


def parameter(given: Mapping[str, Any]) -> tuple[str, str, Any]:
    """Return a query parameter as name, GoogleSQL type and a value DuckDB casts to it."""
    declared, value = given["parameterType"], given.get("parameterValue", {})
    if declared["type"] == "ARRAY":
        members = [member.get("value") for member in value.get("arrayValues", ())]
        return given["name"], f"ARRAY<{declared['arrayType']['type']}>", members
    return given["name"], declared["type"], value.get("value")


def checked_line(line: bytes, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Read one line of a load; raise Invalid for what the service refuses and DuckDB would let pass."""
    try:
        row = json.loads(line)
    except ValueError as broken:
        raise Invalid("Error while reading data: not JSON") from broken
    for name, value in row.items():
        if name not in fields:
            raise Invalid(f"No such field: {name}.")
        if not _fits(value, fields[name]):
            raise Invalid(f"Could not convert value of field {name}.")
    for name, field in fields.items():
        if field.get("mode") == "REQUIRED" and row.get(name) is None:
            raise Invalid(f"Only optional fields can be set to NULL. Field: {name}")
    return dict(row)


def _fits(value: Any, field: Mapping[str, Any]) -> bool:
    if field.get("mode") == "REPEATED":
        return isinstance(value, list) and all(_fits(member, {"type": field["type"]}) for member in value)
    if value is None:
        return True
    if field["type"] in {"INT64", "INTEGER"}:
        return isinstance(value, int | str) and not isinstance(value, bool)
    if field["type"] in {"BOOL", "BOOLEAN"}:
        return isinstance(value, bool)
    return not isinstance(value, bool | dict | list)


def _text(value: Any, declared: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime) and declared == "DATETIME":
        return value.isoformat()
    if isinstance(value, datetime):
        return str((value.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _child(found: DuckDBPyType, at: int) -> DuckDBPyType:
    child = found.children[at][1]
    assert isinstance(child, DuckDBPyType)
    return child
