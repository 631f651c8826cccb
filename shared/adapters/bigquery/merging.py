"""A batch of rows on its way into a table: a load job into a stage, then one MERGE.

Both jobs are named after the batch, and BigQuery refuses a second job of one name. So a batch that is delivered twice,
even at the same moment, is merged once, and one that was interrupted goes on where it stopped. A failed job spoils its
attempt for good; the next delivery begins the next one.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import IO, Any, NamedTuple

from shared.adapters.bigquery import statements
from shared.adapters.bigquery.connection import Connection
from shared.adapters.bigquery.failures import translated
from shared.adapters.bigquery.schema import fields
from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.ports.rows import ORDINAL, Written, write_lines
from shared.ports.warehouse import Table

__all__ = ["Batch"]

_ATTEMPTS = 20
_STAGE_LIFE = timedelta(days=1)


class _Progress(NamedTuple):
    """How far a batch has come: the attempt to go on with, whether it is loaded, and the rows sent once it is merged."""

    attempt: int
    loaded: bool = False
    sent: int | None = None


class Batch:
    """One batch for one table."""

    def __init__(self, connection: Connection, clock: Clock, table: Table, batch_id: str) -> None:
        """Derive the names of all jobs and stages from dataset, table and batch id."""
        self._connection, self._clock, self._table = connection, clock, table
        name = f"{connection.path(table.name)}\x1f{batch_id}"
        self._digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def merge(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Bring the batch to its end from wherever it stands; return how many rows it has."""
        progress = self._progress()
        if progress.sent is not None:
            return progress.sent
        with tempfile.TemporaryFile() as file:
            written = write_lines(self._table, rows, file)
            if not written.sent:
                return 0
            if not progress.loaded:
                self._load(progress.attempt, file)
        self._merge(progress.attempt, written)
        self._connection.drop_table(self._name("stage", progress.attempt))
        return written.sent

    def _progress(self) -> _Progress:
        """Find the first attempt that is not spoilt."""
        for attempt in range(_ATTEMPTS):
            progress = self._progress_of(attempt)
            if progress is not None:
                return progress
        raise Terminal("batch_spoilt", f"A batch for {self._table.name} failed {_ATTEMPTS} times; give it a new id.")

    def _progress_of(self, attempt: int) -> _Progress | None:
        """Say how far one attempt has come; None when it is spoilt."""
        merged = self._connection.find_job(self._name("merge", attempt))
        if merged is not None:
            return _Progress(attempt, loaded=True, sent=_rows(merged)) if self._succeeded(merged) else None
        load = self._connection.find_job(self._name("load", attempt))
        if load is None:
            return _Progress(attempt)
        if not self._succeeded(load):
            return None
        if self._connection.has_table(self._name("stage", attempt)):
            return _Progress(attempt, loaded=True)
        merged = self._connection.find_job(self._name("merge", attempt))
        return None if merged is None else self._progress_of(attempt)

    def _succeeded(self, job: Any) -> bool:
        """Wait for a job found running; say whether it ended well."""
        from google.api_core.exceptions import GoogleAPICallError

        with translated("bad_job"):
            try:
                self._connection.finish(job)
            except GoogleAPICallError:
                if job.error_result is None:
                    raise
        return job.error_result is None

    def _load(self, attempt: int, file: IO[bytes]) -> None:
        """Load the stage; it is made with an end of life, so that a crash leaves nothing behind for long."""
        from google.cloud.bigquery import LoadJobConfig

        stage, ordinal = self._name("stage", attempt), {"name": ORDINAL, "type": "INT64", "mode": "REQUIRED"}
        expires = int((self._clock.now() + _STAGE_LIFE).timestamp() * 1000)
        columns = [*fields(self._table, staged=True), ordinal]
        self._connection.create_table(stage, {"schema": {"fields": columns}, "expirationTime": str(expires)})
        config = LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE")
        limits = self._connection.limits

        def begin(job_id: str) -> Any:
            return self._connection.client.load_table_from_file(
                file,
                self._connection.path(stage),
                rewind=True,
                num_retries=limits.upload_retries,
                job_id=job_id,
                location=self._connection.location(),
                job_config=config,
                timeout=limits.call_s,
            )

        self._run(self._name("load", attempt), begin, "bad_rows")

    def _merge(self, attempt: int, written: Written) -> None:
        from google.cloud.bigquery import QueryJobConfig

        target, stage = (self._connection.path(name) for name in (self._table.name, self._name("stage", attempt)))
        statement = statements.merge(self._table, target, stage, written)
        config = QueryJobConfig(labels={"rows": str(written.sent)})

        def begin(job_id: str) -> Any:
            options = self._connection.patience(job_retry=None, location=self._connection.location())
            return self._connection.client.query(statement, job_id=job_id, job_config=config, **options)

        self._run(self._name("merge", attempt), begin, "bad_rows")

    def _run(self, job_id: str, begin: Callable[[str], Any], refused: str) -> None:
        """Run a job to its end, or wait for the one of that name that somebody else began."""
        from google.api_core.exceptions import Conflict

        with translated(refused):
            try:
                job = begin(job_id)
            except Conflict:
                job = self._connection.find_job(job_id)
            if job is None:
                raise Transient("warehouse_unavailable", "BigQuery knows a job's name, but not yet the job.")
            self._connection.finish(job)

    def _name(self, kind: str, attempt: int) -> str:
        return f"onhand_{kind}_{self._digest}_{attempt}"


def _rows(job: Any) -> int:
    return int(job.labels["rows"])
