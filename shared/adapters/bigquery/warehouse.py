"""The warehouse port on BigQuery."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.adapters.bigquery.connection import Connection, Limits
from shared.adapters.bigquery.failures import translated
from shared.adapters.bigquery.merging import Batch
from shared.adapters.bigquery.schema import fields, partitioning
from shared.core.clock import Clock
from shared.ports.queries import QueryText, element_type, parse_query
from shared.ports.warehouse import Named, Result, Table

__all__ = ["BigQueryWarehouse", "open_bigquery"]


class BigQueryWarehouse:
    """A BigQuery dataset."""

    def __init__(self, client: Callable[[], Any], dataset: str, clock: Clock, limits: Limits | None = None) -> None:
        """Take what makes the client (called once, on first need) and the dataset `project.dataset`."""
        self._connection = Connection(client, dataset, limits or Limits())
        self._clock = clock
        self._texts: dict[str, QueryText] = {}

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create missing tables; existing ones belong to Terraform."""
        for table in tables:
            resource: dict[str, Any] = {"schema": {"fields": fields(table)}, "description": table.description}
            if table.partition_by is not None:
                resource |= {"timePartitioning": partitioning(table), "requirePartitionFilter": True}
            if table.cluster_by:
                resource["clustering"] = {"fields": list(table.cluster_by)}
            self._connection.create_table(table.name, resource)

    def merge(self, table: Table, rows: Iterable[Mapping[str, Any]], *, batch_id: str) -> int:
        """Load rows into a stage and MERGE it, by jobs named after the batch."""
        return Batch(self._connection, self._clock, table, batch_id).merge(rows)

    def query(self, named: Named, parameters: Mapping[str, Any]) -> Result:
        """Run one named query and read all its rows."""
        with translated("bad_query"):
            job = self._begin(named, parameters)
            rows = [dict(row.items()) for row in self._connection.finish(job)]
            return Result(rows, int(job.total_bytes_processed or 0))

    def scan_bytes(self, named: Named, parameters: Mapping[str, Any]) -> int:
        """Ask for a dry run."""
        with translated("bad_query"):
            return int(self._begin(named, parameters, dry_run=True).total_bytes_processed)

    def ping(self) -> None:
        """Read the dataset's own record."""
        with translated("bad_query"):
            self._connection.client.get_dataset(self._connection.dataset, **self._connection.patience())

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def _begin(self, named: Named, parameters: Mapping[str, Any], *, dry_run: bool = False) -> Any:
        from google.cloud.bigquery import QueryJobConfig

        text = self._text(named)
        bound = [_parameter(name, text.parameters[name], value) for name, value in text.bind(parameters).items()]
        config = QueryJobConfig(query_parameters=bound, dry_run=dry_run, use_query_cache=not dry_run)
        sql = text.with_tables(lambda name: f"`{self._connection.path(named.tables[name].name)}`")
        options = self._connection.patience(job_retry=None)
        return self._connection.client.query(sql, job_config=config, **options)

    def _text(self, named: Named) -> QueryText:
        """Return the parsed file, read once."""
        text = self._texts.get(str(named.path))
        if text is None:
            text = self._texts[str(named.path)] = parse_query(named.path.read_text(encoding="utf-8"))
        return text


def _parameter(name: str, declared: str, value: Any) -> Any:
    """Return a parameter of its declared type, so that a null or an empty list has one too."""
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    element = element_type(declared)
    if element is not None:
        return ArrayQueryParameter(name, element, value)
    return ScalarQueryParameter(name, declared, value)


def open_bigquery(project: str, dataset: str, clock: Clock) -> BigQueryWarehouse:
    """Return the warehouse of `bigquery://project/dataset`, with the credentials of the environment."""

    def client() -> Any:
        from google.cloud import bigquery

        with translated("warehouse_denied"):
            return bigquery.Client(project=project)

    return BigQueryWarehouse(client, f"{project}.{dataset}", clock)
