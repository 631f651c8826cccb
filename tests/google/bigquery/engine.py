"""What the server knows and does: tables, jobs, loads, queries."""

import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from shared.adapters.duckdb.dialect import to_duckdb, without_zones
from tests.google.bigquery.pruning import bounds_of, condition_of, is_bound
from tests.google.bigquery.values import Invalid, answer_field, cell, checked_line, column, kind, parameter

Resource = dict[str, Any]
LOCATION = "europe-west1"
"""Where datasets lie and jobs run: not US or EU, so nobody finds a job without saying so, as in the service."""

_PATH = re.compile(r"`p\.(\w+)\.(\w+)`")


class Refusal(Exception):
    """An error answer: HTTP status, BigQuery's reason, message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        """Keep all three."""
        super().__init__(message)
        self.status, self.reason = status, reason

    def item(self) -> dict[str, str]:
        """Return the error as it stands in a job."""
        return {"reason": self.reason, "message": str(self)}


def _texts(resource: Resource) -> Resource:
    """Return a job as the service repeats it: values of parameters are texts, however they were sent."""
    return {name: _text_values(each) for name, each in resource.items()}


def _text_values(part: Any) -> Any:
    if isinstance(part, list):
        return [_text_values(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {name: str(each) for name, each in part.items() if name == "value" and isinstance(each, (int, float))}
    return {name: _text_values(each) for name, each in part.items()} | plain


@dataclass
class Job:
    """A finished job: its resource, and the rows of a query."""

    resource: Resource
    schema: list[Resource] = field(default_factory=list)
    rows: list[Resource] = field(default_factory=list)
    failure: Refusal | None = None


class Engine:
    """One project."""

    def __init__(self) -> None:
        """Start without datasets."""
        self._lock = threading.RLock()
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        self.datasets: set[str] = set()
        self.tables: dict[tuple[str, str], Resource] = {}
        self.jobs: dict[str, Job] = {}

    def create_dataset(self, name: str) -> None:
        """Create a dataset."""
        self.datasets.add(name)
        self._database.execute(f'CREATE SCHEMA "{name}"')

    def dataset(self, name: str) -> Resource:
        """Return a dataset's resource."""
        if name not in self.datasets:
            raise Refusal(404, "notFound", f"Not found: Dataset {name}")
        reference = {"projectId": "p", "datasetId": name}
        return {"kind": "bigquery#dataset", "datasetReference": reference, "location": LOCATION}

    def create_table(self, dataset: str, resource: Resource) -> Resource:
        """Create a table with its schema."""
        with self._lock:
            self.dataset(dataset)
            name = resource["tableReference"]["tableId"]
            if (dataset, name) in self.tables:
                raise Refusal(409, "duplicate", f"Already Exists: Table {dataset}.{name}")
            columns = ", ".join(column(one) for one in resource["schema"]["fields"])
            self._database.execute(f"CREATE TABLE {_quoted(dataset, name)} ({columns})")
            self.tables[dataset, name] = resource
            return resource

    def table(self, dataset: str, name: str) -> Resource:
        """Return a table's resource."""
        if (dataset, name) not in self.tables:
            raise Refusal(404, "notFound", f"Not found: Table {dataset}.{name}")
        return self.tables[dataset, name]

    def delete_table(self, dataset: str, name: str) -> None:
        """Drop a table."""
        with self._lock:
            self.table(dataset, name)
            self._database.execute(f"DROP TABLE {_quoted(dataset, name)}")
            del self.tables[dataset, name]

    def insert_job(self, resource: Resource, media: bytes = b"") -> Resource:
        """Run a job to its end; refuse a name that was used before. A dry run leaves no job."""
        with self._lock:
            name = resource["jobReference"]["jobId"]
            if name in self.jobs:
                raise Refusal(409, "duplicate", f"Already Exists: Job {name}")
            job = Job(self._done(resource))
            try:
                self._run(job, resource["configuration"], media)
            except Refusal as failure:
                if resource["configuration"].get("dryRun"):
                    raise
                job.failure = failure
                job.resource["status"] |= {"errorResult": failure.item(), "errors": [failure.item()]}
            if not resource["configuration"].get("dryRun"):
                self.jobs[name] = job
            return job.resource

    def job(self, name: str, location: str | None) -> Job:
        """Return a job that ran at a location."""
        if name not in self.jobs or location != LOCATION:
            raise Refusal(404, "notFound", f"Not found: Job {name}")
        return self.jobs[name]

    def _done(self, resource: Resource) -> Resource:
        reference = {**resource["jobReference"], "projectId": "p", "location": LOCATION}
        times = {"creationTime": "1", "startTime": "1", "endTime": "2"}
        return {**_texts(resource), "kind": "bigquery#job", "jobReference": reference, "statistics": times} | {
            "status": {"state": "DONE"},
            "id": f"p:{LOCATION}.{reference['jobId']}",
        }

    def _run(self, job: Job, configuration: Resource, media: bytes) -> None:
        try:
            if "load" in configuration:
                self._load(configuration["load"], media.splitlines())
            else:
                self._query(job, configuration["query"], dry_run=bool(configuration.get("dryRun")))
        except (Invalid, duckdb.ConversionException, duckdb.ConstraintException) as failure:
            raise Refusal(400, "invalid", str(failure)) from failure
        except (duckdb.Error, sqlglot.errors.SqlglotError) as failure:
            raise Refusal(400, "invalidQuery", str(failure)) from failure

    def _load(self, load: Resource, media: Iterable[bytes]) -> None:
        dataset, name = load["destinationTable"]["datasetId"], load["destinationTable"]["tableId"]
        fields = {one["name"]: one for one in self.table(dataset, name)["schema"]["fields"]}
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
            file.writelines(json.dumps(checked_line(line, fields)) + "\n" for line in media)
            file.flush()
            columns = ", ".join(f"\"{name}\": '{kind(one)}'" for name, one in fields.items())
            source = f"read_json('{file.name}', format = 'newline_delimited', columns = {{{columns}}})"
            self._database.execute("BEGIN")
            try:
                if load.get("writeDisposition") == "WRITE_TRUNCATE":
                    self._database.execute(f"TRUNCATE {_quoted(dataset, name)}")
                self._database.execute(f"INSERT INTO {_quoted(dataset, name)} FROM {source}")
            except duckdb.Error:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _query(self, job: Job, query: Resource, *, dry_run: bool) -> None:
        tree = sqlglot.parse_one(query["query"], read="bigquery")
        self._check_partitions(tree)
        given = [parameter(one) for one in query.get("queryParameters", ())]
        sql = to_duckdb(_PATH.sub(r"`\1`.`\2`", query["query"]), {name: declared for name, declared, _ in given})
        values = {name: value for name, _, value in given}
        types = {name: declared for name, declared, _ in given}
        statistics = job.resource["statistics"]
        statistics["totalBytesProcessed"] = str(self._bytes(tree, lambda one: self._constant(one, types, values)))
        statistics["query"] = {"totalBytesProcessed": statistics["totalBytesProcessed"]}
        if isinstance(tree, exp.Merge):
            changed = self._database.execute(sql).fetchall()[0][0] if not dry_run else 0
            statistics["query"] |= {"statementType": "MERGE", "numDmlAffectedRows": str(changed)}
            return
        self._select(job, sql, values or None, dry_run=dry_run)

    def _select(self, job: Job, sql: str, values: Mapping[str, Any] | None, *, dry_run: bool) -> None:
        described = self._database.execute(f"DESCRIBE {sql}", values).fetchall()
        types = [(one[0], one[1]) for one in described]
        job.schema = [answer_field(name, self._database.type(text)) for name, text in types]
        if not dry_run:
            columns = ", ".join(f'CAST("{name}" AS {without_zones(text)})' for name, text in types)
            rows = self._database.execute(f"FROM ({sql}) SELECT {columns}", values).fetchall()
            job.rows = [{"f": [cell(*pair) for pair in zip(row, job.schema, strict=True)]} for row in rows]

    def _bytes(self, tree: exp.Expr, value_of: Callable[[exp.Expr], int]) -> int:
        """Bill eight bytes per column named and row, of every table read in the partitions its bounds leave in.

        What BigQuery bills depends on its types and storage; what is the same is which partitions it reads.
        """
        columns = len({one.name for one in tree.find_all(exp.Column)})
        ctes = {one.alias for one in tree.find_all(exp.CTE)}
        read = [one for one in tree.find_all(exp.Table) if one.name not in ctes]
        return sum(8 * columns * self._rows(one, value_of) for one in read)

    def _rows(self, table: exp.Table, value_of: Callable[[exp.Expr], int]) -> int:
        declared = self.table(table.db, table.name).get("timePartitioning")
        source, count = f"FROM {_quoted(table.db, table.name)}", "SELECT count(*)"
        if declared is None:
            return int(self._database.execute(f"{source} {count}").fetchall()[0][0])
        low, high = bounds_of(table, declared["field"], declared["type"], value_of)
        column = f'"{declared["field"]}"'
        within = f"($1 IS NULL OR {column} >= $1) AND ($2 IS NULL OR {column} < $2)"
        return int(self._database.execute(f"{source} {count} WHERE {within}", [low, high]).fetchall()[0][0])

    def _constant(self, expression: exp.Expr, types: Mapping[str, str], values: Mapping[str, Any]) -> int:
        """Work a constant out, parameters included: microseconds since 1970."""
        used = {one.name for one in expression.find_all(exp.Parameter)}
        sql = to_duckdb(f"SELECT {expression.sql('bigquery')} AS a", types)
        moment = f"FROM ({sql}) SELECT epoch_us(CAST(a AS TIMESTAMPTZ))"
        return int(self._database.execute(moment, {name: values[name] for name in used} or None).fetchall()[0][0])

    def _check_partitions(self, tree: exp.Expr) -> None:
        """Refuse a partitioned table whose own scope does not bound the partition column by a constant."""
        for table in tree.find_all(exp.Table):
            resource = self.tables.get((table.db, table.name), {})
            partition = resource.get("timePartitioning", {}).get("field")
            condition = condition_of(table)
            if not resource.get("requirePartitionFilter") or table.find_ancestor(exp.Select, exp.Merge) is None:
                continue
            if condition is None or not any(is_bound(one, partition) for one in condition.find_all(exp.Predicate)):
                detail = f"without a filter over column(s) '{partition}' that can be used for partition elimination"
                raise Refusal(400, "invalidQuery", f"Cannot query over table '{table.db}.{table.name}' {detail}")


def _quoted(dataset: str, name: str) -> str:
    return f'"{dataset}"."{name}"'
