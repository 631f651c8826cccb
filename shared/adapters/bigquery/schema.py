"""Declared tables as BigQuery's REST API writes them."""

from typing import Any

from shared.ports.warehouse import Column, Table

__all__ = ["fields", "partitioning"]


def fields(table: Table, *, staged: bool = False) -> list[dict[str, Any]]:
    """Return the columns as the REST API writes them; a stage takes nulls, because the MERGE's target refuses them."""
    return [_field(column, staged=staged) for column in table.columns]


def partitioning(table: Table) -> dict[str, str] | None:
    """Return the time partitioning as the REST API writes it."""
    return None if table.partition_by is None else {"type": table.partition_unit, "field": table.partition_by}


def _field(column: Column, *, staged: bool) -> dict[str, Any]:
    mode = "NULLABLE" if staged and column.mode == "REQUIRED" else column.mode
    described = {"description": column.description} if column.description else {}
    return {"name": column.name, "type": column.type, "mode": mode, **described}
