"""GoogleSQL that the cloud warehouse writes itself: the MERGE of a staged batch into its table."""

from shared.ports.rows import ORDINAL, Written
from shared.ports.warehouse import Table

__all__ = ["merge"]


def merge(table: Table, target: str, stage: str, written: Written) -> str:
    """Upsert a stage into a table, of rows with one key the last; only partitions the batch touches are read."""
    last = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(table.key)} ORDER BY {ORDINAL} DESC) = 1"
    source = f"SELECT * EXCEPT ({ORDINAL}) FROM `{stage}` WHERE TRUE QUALIFY {last}"  # noqa: S608 - declared names
    same = " AND ".join(f"kept.{name} = stage.{name}" for name in table.key)
    names = [column.name for column in table.columns]
    changed = ", ".join(f"{name} = stage.{name}" for name in names if name not in table.key)
    update = f" WHEN MATCHED THEN UPDATE SET {changed}" if changed else ""
    values = ", ".join(f"stage.{name}" for name in names)
    insert = f" WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - declared names
    return f"MERGE `{target}` AS kept USING ({source}) AS stage ON {same}{_within(table, written)}{update}{insert}"


def _within(table: Table, written: Written) -> str:
    """Bound the partitions by constants: BigQuery prunes by nothing else."""
    if table.partition_by is None:
        return ""
    kind = next(column.type for column in table.columns if column.name == table.partition_by)
    column = f"kept.{table.partition_by}"
    return f" AND {column} >= {kind} '{written.low}' AND {column} <= {kind} '{written.high}'"
