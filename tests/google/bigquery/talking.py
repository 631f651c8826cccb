"""The real client, unchanged, talking to the server of this package."""

from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from shared.adapters.bigquery.connection import Limits
from shared.adapters.bigquery.warehouse import BigQueryWarehouse
from shared.core.clock import Clock, ManualClock
from tests.google.bigquery.server import BigQueryServer

DATASET = "sales"
IMPATIENT = Limits(call_s=5.0, retry_s=0.3, job_s=5.0, upload_retries=0)


def a_client(server: BigQueryServer) -> Any:
    """Return the official client, told only where to call."""
    return bigquery.Client("p", AnonymousCredentials(), client_options={"api_endpoint": server.url})  # type: ignore[no-untyped-call]


def a_warehouse(server: BigQueryServer, clock: Clock | None = None) -> BigQueryWarehouse:
    """Return the adapter on an empty dataset of the server."""
    if DATASET not in server.engine.datasets:
        server.engine.create_dataset(DATASET)
    return BigQueryWarehouse(lambda: a_client(server), f"p.{DATASET}", clock or ManualClock(), IMPATIENT)
