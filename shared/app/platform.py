"""What every part of a deployment stands on: settings, time, ids, and the adapter behind each port.

Imports stand inside the properties on purpose: a function loads only what its requests use. Which adapter stands behind a
port is decided by the URL-shaped settings and nowhere else.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from shared.core.clock import Clock, SystemClock
from shared.core.ids import Ids, RandomIds
from shared.core.log import configure
from shared.core.once import once
from shared.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.adapters.cloud_tasks import Target
    from shared.adapters.local_queue import SqliteSchedules, SqliteTasks
    from shared.adapters.shapes import Shapes
    from shared.jobs.kinds import JobKind
    from shared.jobs.slots import Duty
    from shared.ports.documents import Documents
    from shared.ports.fetch import Fetch
    from shared.ports.schedules import Schedules
    from shared.ports.secrets import Secrets
    from shared.ports.store import Store
    from shared.ports.tasks import Tasks
    from shared.ports.warehouse import Table, Warehouse

__all__ = ["Platform"]

INDEXES = Path(__file__).parents[2] / "infra" / "firestore.indexes.json"


class Platform:
    """Settings and adapters, and what each part adds to the shared machinery (`super()` brings the other parts')."""

    def __init__(self, settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> None:
        """Take the settings, and other time and ids than the machine's where a run wants them."""
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.ids: Ids = ids or RandomIds(self.clock)

    @classmethod
    def from_env(cls) -> Self:
        """Build the application of this process from its environment; refuse to start with all problems named.

        From then on the process logs lines of JSON on standard output.
        """
        settings = Settings.from_env(os.environ)
        configure(settings.log_level, settings.secrets())
        return cls(settings)

    def load_clients(self, main: str) -> None:
        """Load the clients that the function of this `main.py` needs, as its `function.json` says; none is made yet.

        Not that of the key service: credentials are sealed and opened rarely, and the first time may wait for it.
        """
        from shared.adapters.google_packages import client_module

        needs = json.loads(Path(main).with_name("function.json").read_bytes())["needs"]
        settings = self.settings
        in_firestore = settings.store_url.startswith("firestore:")
        if needs["documents"] != "none" and in_firestore:
            importlib.import_module("google.auth.transport.urllib3")
        if needs["documents"] == "write" and in_firestore:
            client_module("google.cloud.firestore_v1", "firestore")
        if needs["warehouse"] != "none" and settings.warehouse_url.startswith("bigquery:"):
            importlib.import_module("google.cloud.bigquery")
        if needs["queues"] and settings.tasks_url.startswith("cloudtasks:"):
            client_module("google.cloud.tasks_v2", "cloud_tasks")

    def close(self) -> None:
        """Give files and connections back; only for processes that end in good order."""
        for name in ("warehouse", "documents"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @once
    def data_dir(self) -> Path:
        """Return the folder of the embedded backends."""
        folder = Path(self.settings.data_dir)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @once
    def shapes(self) -> Shapes:
        """Return the declared query shapes."""
        from shared.adapters.shapes import Shapes

        return Shapes.read(INDEXES)

    @once
    def documents(self) -> Documents:
        """Return the document database that STORE_URL names."""
        if urlsplit(self.settings.store_url).scheme == "firestore":
            from shared.adapters.firestore import FirestoreDocuments

            strict = not self.settings.in_cloud
            return FirestoreDocuments(self.settings.store_url, self.shapes, self.clock, strict=strict)
        from shared.adapters.addresses import file_of
        from shared.adapters.sqlite import SqliteDocuments

        return SqliteDocuments(file_of(self.settings.store_url), self.shapes)

    @once
    def store(self) -> Store:
        """Return the one way to change documents."""
        from shared.ports.store import Store

        return Store(self.documents, self.clock)

    @once
    def warehouse(self) -> Warehouse:
        """Return the warehouse that WAREHOUSE_URL names."""
        parts = urlsplit(self.settings.warehouse_url)
        if parts.scheme == "bigquery":
            from shared.adapters.bigquery.warehouse import open_bigquery

            return open_bigquery(parts.netloc, parts.path.strip("/"), self.clock)
        from shared.adapters.addresses import file_of
        from shared.adapters.duckdb.warehouse import DuckWarehouse

        warehouse = DuckWarehouse(file_of(self.settings.warehouse_url), self.clock)
        warehouse.ensure(self.tables())
        return warehouse

    @once
    def tasks(self) -> Tasks:
        """Return the queue that TASKS_URL names."""
        if urlsplit(self.settings.tasks_url).scheme == "local":
            return self.local_tasks
        from shared.adapters.addresses import location_of
        from shared.adapters.cloud_tasks import CloudTasks

        return CloudTasks(location_of(self.settings.tasks_url), self.worker_target)

    @once
    def schedules(self) -> Schedules:
        """Return the schedules that SCHEDULES_URL names."""
        if urlsplit(self.settings.schedules_url).scheme == "local":
            return self.local_schedules
        from shared.adapters.addresses import location_of
        from shared.adapters.cloud_scheduler import CloudScheduler

        return CloudScheduler(location_of(self.settings.schedules_url), self.worker_target)

    @once
    def worker_target(self) -> Target:
        """Return whom the platform's queue and scheduler call, and as whom."""
        from shared.adapters.cloud_tasks import Target

        settings = self.settings
        url = settings.worker_url or ""
        return Target(url, settings.worker_audience or url, next(iter(settings.worker_invokers), ""))

    @once
    def local_tasks(self) -> SqliteTasks:
        """Return the embedded queue."""
        from shared.adapters.local_queue import SqliteTasks

        return SqliteTasks(self.data_dir / "queue.db", self.clock)

    @once
    def local_schedules(self) -> SqliteSchedules:
        """Return the embedded schedules."""
        from shared.adapters.local_queue import SqliteSchedules

        return SqliteSchedules(self.data_dir / "queue.db", self.clock)

    @once
    def fetch(self) -> Fetch:
        """Return the one way out."""
        from shared.adapters.fetch import GuardedFetch
        from shared.adapters.fetch.guard import Guard

        settings = self.settings
        return GuardedFetch(self.clock, Guard(settings.fetch_allow_hosts, allow_private=not settings.in_cloud))

    @once
    def secrets(self) -> Secrets:
        """Return the sealing of small texts."""
        if self.settings.kms_key:
            from shared.adapters.kms import KmsSecrets

            return KmsSecrets(self.settings.kms_key)
        if self.settings.sealing_keys:
            from shared.adapters.secret_manager import SecretManagerSecrets

            return SecretManagerSecrets(self.settings.sealing_keys)
        from shared.adapters.aes_gcm import AesGcm, local_encryption_key

        return AesGcm(self.settings.encryption_key or local_encryption_key(self.data_dir))

    def tables(self) -> Sequence[Table]:
        """Return the warehouse tables of all parts."""
        return ()

    def kinds(self) -> Sequence[JobKind]:
        """Return the kinds of jobs of all parts; their handlers make what they need when they run."""
        return ()

    def duties(self) -> Mapping[str, Duty]:
        """Return what schedules call for, by name."""
        return {}

    def chores(self) -> Sequence[Callable[[], None]]:
        """Return what the daily cleanup does; each is safe to repeat."""
        return ()

    def settle(self) -> None:
        """Bring up to date what lags behind the documents (the local drain asks for it); parts add theirs."""
