"""The form of a query file: GoogleSQL whose head declares each parameter, with `{placeholders}` for tables.

    -- Units short per SKU within a time range.
    -- @from_time TIMESTAMP
    -- @skus ARRAY<STRING>
    SELECT ... FROM {lines} WHERE opened_at >= @from_time AND sku IN UNNEST(@skus) ORDER BY sku

Declared types make a null or an empty list mean the same on every engine. Names of parameters are lower case.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.values import dataclass

__all__ = ["PARAMETER_TYPES", "QueryText", "element_type", "parse_query"]

PARAMETER_TYPES = frozenset({"STRING", "INT64", "FLOAT64", "NUMERIC", "BOOL", "TIMESTAMP", "DATE"})

_DECLARATION = re.compile(r"^--\s*@(\w+)\s+(\S+)", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_USE = re.compile(r"@(\w+)")
_ARRAY = re.compile(r"^ARRAY<(\w+)>$")


@dataclass(frozen=True, slots=True)
class QueryText:
    """A parsed query file: the statement without comments and the declared type of each parameter."""

    sql: str
    parameters: Mapping[str, str]

    def with_tables(self, name_of: Callable[[str], str]) -> str:
        """Return the statement with each placeholder replaced by what `name_of` gives for it."""
        return _PLACEHOLDER.sub(lambda found: name_of(found.group(1)), self.sql)

    def placeholders(self) -> set[str]:
        """Return the names of the tables the statement asks for."""
        return set(_PLACEHOLDER.findall(self.sql))

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values in declared order, a null array as empty; raise ValueError when others are given."""
        if values.keys() != self.parameters.keys():
            message = f"the query declares {sorted(self.parameters)}, given were {sorted(values)}"
            raise ValueError(message)
        return {
            name: [] if values[name] is None and element_type(declared) else values[name]
            for name, declared in self.parameters.items()
        }


def parse_query(text: str) -> QueryText:
    """Read a query file; raise ValueError when declared and used parameters differ or a type is unknown."""
    parameters = dict(_DECLARATION.findall(text))
    sql = _COMMENT.sub("", text).strip()
    used = set(_USE.findall(sql))
    if used != parameters.keys():
        message = f"parameters declared {sorted(parameters)}, used {sorted(used)}"
        raise ValueError(message)
    for name, declared in parameters.items():
        if (element_type(declared) or declared) not in PARAMETER_TYPES:
            message = f"parameter {name} has the unknown type {declared}"
            raise ValueError(message)
    return QueryText(sql, parameters)


def element_type(declared: str) -> str | None:
    """Return the element type of an ARRAY<...> type, None for a scalar one."""
    found = _ARRAY.match(declared)
    return found.group(1) if found else None
