"""The one composition root: settings -> adapters -> services, each built once, on first need, under a lock.

Imports stand inside the properties on purpose: a function loads only what its requests use. Which adapter stands behind a
port is decided by the URL-shaped settings and nowhere else.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.core.clock import Clock, SystemClock
from shared.core.ids import Ids, RandomIds
from shared.core.once import once
from shared.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.adapters.cloud_tasks import Target
    from shared.adapters.jose.keys import Ed25519Private
    from shared.adapters.local_queue import SqliteSchedules, SqliteTasks
    from shared.adapters.shapes import Shapes
    from shared.identity.access import Access, BasicPair
    from shared.identity.admin import UserAdmin
    from shared.identity.keys import KeyRing
    from shared.identity.oidc import InternalTokens, LocalInvoker
    from shared.identity.service import IdentityService
    from shared.jobs.kinds import JobKind
    from shared.jobs.runner import JobRunner
    from shared.jobs.service import JobService
    from shared.jobs.slots import ScheduleRunner
    from shared.oos.history import History
    from shared.oos.reader import SnapshotReader
    from shared.oos.refreshes import RefreshService
    from shared.oos.service import OosService
    from shared.oos.source import OrderSource
    from shared.oos.warehouse import OosTables
    from shared.ports.documents import Documents
    from shared.ports.fetch import Fetch
    from shared.ports.schedules import Schedules
    from shared.ports.secrets import Secrets
    from shared.ports.store import Store
    from shared.ports.tasks import Tasks
    from shared.ports.warehouse import Warehouse

__all__ = ["App"]

INDEXES = Path(__file__).parent.parent / "infra" / "firestore.indexes.json"


class App:
    """Everything a deployment is made of; one per process."""

    def __init__(self, settings: Settings, clock: Clock | None = None, ids: Ids | None = None) -> None:
        """Take the settings, and other time and ids than the machine's where a run wants them."""
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.ids: Ids = ids or RandomIds(self.clock)

    @classmethod
    def from_env(cls) -> App:
        """Build the application of this process from its environment; refuse to start with all problems named."""
        return cls(Settings.from_env(os.environ))

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
        warehouse.ensure(self.oos_tables.all())
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
        from shared.adapters.aes_gcm import AesGcm, local_encryption_key

        return AesGcm(self.settings.encryption_key or local_encryption_key(self.data_dir))

    @once
    def signing_key(self) -> Ed25519Private:
        """Return the key that access tokens are signed with; only the function `auth` has it in the cloud."""
        from shared.adapters.jose.files import local_keys
        from shared.adapters.jose.keys import Ed25519Private

        pem = self.settings.auth_signing_key
        return Ed25519Private.from_pem(pem) if pem else local_keys(self.data_dir)

    @once
    def public_keys(self) -> KeyRing:
        """Return the keys that access tokens are checked with."""
        from shared.adapters.jose.keys import Ed25519Public, read_jwks
        from shared.identity.keys import KeyRing

        if self.settings.auth_public_keys:
            return KeyRing(read_jwks(self.settings.auth_public_keys))
        previous = self.settings.auth_previous_public_key
        older = [Ed25519Public.from_pem(previous)] if previous else []
        return KeyRing([self.signing_key.public, *older])

    @once
    def local_invoker(self) -> LocalInvoker:
        """Return what signs the embedded queue's calls: a key made at start."""
        from shared.adapters.jose.keys import Ed25519Private
        from shared.identity.oidc import LocalInvoker

        return LocalInvoker(Ed25519Private.generate(), self.settings.worker_audience or "onhand-worker", self.clock)

    @once
    def internal_tokens(self) -> InternalTokens:
        """Return the check of internal calls."""
        from shared.adapters.oidc import GoogleKeys
        from shared.identity.oidc import InternalTokens, Invokers

        if not self.settings.in_cloud:
            return self.local_invoker.verifier()
        invokers = Invokers(self.settings.worker_audience or "", frozenset(self.settings.worker_invokers))
        return InternalTokens(GoogleKeys(self.clock), invokers, self.clock)

    @once
    def access(self) -> Access:
        """Return the gate: from a header to a caller."""
        from shared.identity.access import Access
        from shared.identity.tokens import AccessTokens, Realm

        realm = Realm(self.settings.auth_issuer, self.settings.auth_audience)
        tokens = AccessTokens(lambda: self.public_keys, realm, self.clock)
        return Access(tokens, basic=self._basic, internal=self.internal_tokens, open_read=self.settings.open_read)

    @once
    def identity(self) -> IdentityService:
        """Return signing in and accounts."""
        from shared.adapters.argon2 import Argon2
        from shared.identity.passwords import Passwords
        from shared.identity.service import IdentityService, Policy
        from shared.identity.sessions import Sessions
        from shared.identity.throttle import LoginThrottle
        from shared.identity.tokens import Realm, TokenMint
        from shared.identity.users import Users

        settings = self.settings
        realm = Realm(settings.auth_issuer, settings.auth_audience)
        identity = IdentityService(
            users=Users(self.store, self.clock, self.ids),
            sessions=Sessions(self.store, self.clock, self.ids),
            throttle=LoginThrottle(self.store, self.clock),
            passwords=Passwords(Argon2()),
            mint=TokenMint(lambda: self.signing_key, realm, self.clock, self.ids),
            policy=Policy(settings.registration == "open", settings.registration_role, self._basic),
        )
        if settings.admin_email and settings.admin_password:
            identity.ensure_first_admin(settings.admin_email, settings.admin_password)
        return identity

    @once
    def user_admin(self) -> UserAdmin:
        """Return managing everybody's accounts."""
        from shared.identity.admin import UserAdmin

        return UserAdmin(self.identity.users, self.identity.passwords)

    @once
    def _basic(self) -> BasicPair | None:
        from shared.identity.access import BasicPair

        settings = self.settings
        if not (settings.basic_auth_username and settings.basic_auth_password):
            return None
        return BasicPair(settings.basic_auth_username, settings.basic_auth_password, settings.basic_auth_role)

    @once
    def job_kinds(self) -> Mapping[str, JobKind]:
        """Return the kinds of jobs this deployment knows."""
        from shared.jobs.kinds import JobKind
        from shared.oos.refresh import RefreshHandler
        from shared.oos.refreshes import KIND, ended_writes

        handler = RefreshHandler(
            self.store,
            self.ids,
            self.order_source,
            self.history,
            self.snapshots.forget,
            currency=self.settings.default_currency,
        )
        refresh = JobKind(
            KIND, "refresh", handler, "Refresh", on_end=lambda job: ended_writes(self.store, self.snapshots.forget, job)
        )
        return {kind.name: kind for kind in (refresh,)}

    @once
    def jobs(self) -> JobService:
        """Return starting and watching jobs."""
        from shared.jobs.service import JobService

        return JobService(self.store, self.tasks, self.clock, self.ids, self.job_kinds)

    @once
    def job_runner(self) -> JobRunner:
        """Return carrying jobs out."""
        from shared.jobs.runner import JobRunner

        return JobRunner(self.jobs, self.clock, self.ids)

    @once
    def schedule_runner(self) -> ScheduleRunner:
        """Return doing what schedules call for, once per slot."""
        from shared.jobs.slots import Duty, ScheduleRunner

        duties = {"refresh": Duty(self._scheduled_refresh), "cleanup": Duty(self._cleanup, atomic=False)}
        return ScheduleRunner(self.store, self.jobs, self.clock, duties)

    def _scheduled_refresh(self) -> list[str]:
        from shared.core.caller import SYSTEM

        if not self.enabled_sources:
            return []
        return [started.job.id for started in self.refreshes.start("all", SYSTEM, trigger="schedule")]

    def _cleanup(self) -> list[str]:
        from shared.identity.sessions import Sessions
        from shared.jobs.cleanup import clean_expired, clean_jobs
        from shared.oos.maintenance import OosMaintenance

        OosMaintenance(self.store, self.clock).clean()
        clean_jobs(self.documents, self.clock)
        for collection in ("oos_staged", "idempotency", "rate_counters"):
            clean_expired(self.documents, self.clock, collection)
        while Sessions(self.store, self.clock, self.ids).sweep():
            pass
        return []

    @once
    def oos_tables(self) -> OosTables:
        """Return the warehouse tables of held orders."""
        from shared.oos.warehouse import oos_tables

        settings = self.settings
        return oos_tables(
            stord=settings.bigquery_table_stord_oos,
            shipbob=settings.bigquery_table_shipbob_oos,
            last_refresh=settings.bigquery_table_last_refresh,
        )

    @once
    def history(self) -> History:
        """Return the writer of history."""
        from shared.oos.history import History

        return History(self.store, lambda: self.warehouse, self.oos_tables.lines)

    @once
    def snapshots(self) -> SnapshotReader:
        """Return the reader of published snapshots."""
        from shared.oos.reader import SnapshotReader

        return SnapshotReader(self.store, self.clock, timedelta(minutes=self.settings.refresh_stale_minutes))

    @once
    def oos(self) -> OosService:
        """Return reading held orders."""
        from shared.oos.service import OosService

        return OosService(self.store, self.snapshots)

    @once
    def refreshes(self) -> RefreshService:
        """Return starting refreshes and saying how fresh everything is."""
        from shared.oos.refreshes import RefreshService

        return RefreshService(self.store, self.jobs, self.snapshots, self.enabled_sources)

    @once
    def enabled_sources(self) -> tuple[str, ...]:
        """Return the 3PLs whose token is set."""
        tokens = {"shipbob": self.settings.shipbob_api_token, "stord": self.settings.stord_api_token}
        return tuple(name for name, token in tokens.items() if token)

    @once
    def _shipbob(self) -> OrderSource:
        from shared.adapters.sources.configured import shipbob_of

        return shipbob_of(self.settings, self.fetch, self.clock)

    @once
    def _stord(self) -> OrderSource:
        from shared.adapters.sources.configured import stord_of

        return stord_of(self.settings, self.fetch, self.clock)

    def order_source(self, name: str) -> OrderSource:
        """Return the connector of a 3PL by name; one per process, since it holds the account's pace."""
        return self._shipbob if name == "shipbob" else self._stord
