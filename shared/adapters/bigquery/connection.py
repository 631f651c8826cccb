"""One BigQuery dataset: the lazily made client, its patience, and the few calls the warehouse is made of."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

from shared.adapters.bigquery.failures import translated
from shared.core.errors import Transient
from shared.core.values import dataclass

__all__ = ["Connection", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait: for one HTTP exchange, for all tries of a call, for a job; and how often to resume an upload."""

    call_s: float = 30.0
    retry_s: float = 60.0
    job_s: float = 300.0
    upload_retries: int = 3


class Connection:
    """The official client bound to a dataset."""

    def __init__(self, make: Callable[[], Any], dataset: str, limits: Limits) -> None:
        """Take what makes the client (called once, on first need) and the dataset `project.dataset`."""
        self.dataset, self.limits = dataset, limits
        self._make, self._making = make, Lock()
        self._made: Any = None
        self._located = ""

    @property
    def client(self) -> Any:
        """Return the one client."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def patience(self, **options: Any) -> dict[str, Any]:
        """Return the timeout and the bounded retries of one call, with further options of that call."""
        from google.cloud.bigquery.retry import DEFAULT_RETRY

        retry = DEFAULT_RETRY.with_timeout(self.limits.retry_s).with_delay(initial=0.1, maximum=5.0)
        return {"retry": retry, "timeout": self.limits.call_s, **options}

    def path(self, table: str) -> str:
        """Return `project.dataset.table`."""
        return f"{self.dataset}.{table}"

    def create_table(self, name: str, resource: Mapping[str, Any]) -> None:
        """Create a table unless it exists."""
        from google.cloud.bigquery import Table

        project, dataset = self.dataset.split(".")
        reference = {"projectId": project, "datasetId": dataset, "tableId": name}
        table = Table.from_api_repr({"tableReference": reference, **resource})
        with translated("bad_table"):
            self.client.create_table(table, exists_ok=True, **self.patience())

    def has_table(self, name: str) -> bool:
        """Say whether a table exists."""
        from google.api_core.exceptions import NotFound

        with translated("bad_table"):
            try:
                self.client.get_table(self.path(name), **self.patience())
            except NotFound:
                return False
        return True

    def drop_table(self, name: str) -> None:
        """Remove a table that expires anyway: trouble with that is no trouble."""
        with suppress(Transient), translated("bad_table"):
            self.client.delete_table(self.path(name), not_found_ok=True, **self.patience())

    def find_job(self, job_id: str) -> Any:
        """Return a job by name, or None. Outside US and EU a job is only found by somebody who says where it ran."""
        from google.api_core.exceptions import NotFound

        with translated("bad_job"):
            try:
                return self.client.get_job(job_id, location=self.location(), **self.patience())
            except NotFound:
                return None

    def location(self) -> str:
        """Return where the dataset lies, asked once; jobs over it run there."""
        if not self._located:
            with translated("bad_job"):
                self._located = str(self.client.get_dataset(self.dataset, **self.patience()).location)
        return self._located

    def finish(self, job: Any) -> Any:
        """Wait for a job and return its result; raise the client's exception when it failed."""
        return job.result(**self.patience(timeout=self.limits.job_s))

    def close(self) -> None:
        """Give the sockets back."""
        if self._made is not None:
            self._made.close()
