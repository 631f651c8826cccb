"""The files Terraform reads, generated from the declared tables: `python -m shared.adapters.bigquery.schema_files`.

Writes `infra/schemas/<table>.json` (columns, the form `google_bigquery_table.schema` takes) and `infra/tables.json`
(partition and clustering of each table) below the given folder, default the present one.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.adapters.bigquery.schema import fields, partitioning
from shared.inventory.warehouse import movement_table
from shared.oos.warehouse import oos_tables
from shared.orders.warehouse import ORDERS
from shared.ports.warehouse import Table
from shared.sales.warehouse import LINES

__all__ = ["declared_tables", "files", "main"]


def declared_tables() -> tuple[Table, ...]:
    """Return every table of the product under its default name."""
    return (*oos_tables().all(), movement_table(), LINES, ORDERS)


def files(tables: Iterable[Table]) -> dict[str, str]:
    """Return the generated files: path below the repository root and text."""
    named = sorted(tables, key=lambda table: table.name)
    texts = {f"infra/schemas/{table.name}.json": _text(fields(table)) for table in named}
    return texts | {"infra/tables.json": _text({table.name: _layout(table) for table in named})}


def main(arguments: list[str]) -> int:
    """Write the files below a folder."""
    root = Path(arguments[0] if arguments else ".")
    for path, text in files(declared_tables()).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return 0


def _layout(table: Table) -> Mapping[str, Any]:
    return {
        "description": table.description,
        "key": list(table.key),
        "time_partitioning": partitioning(table),
        "require_partition_filter": table.partition_by is not None,
        "clustering": list(table.cluster_by),
    }


def _text(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
