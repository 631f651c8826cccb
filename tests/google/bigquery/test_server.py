"""The server itself refuses what BigQuery refuses, as the real client sees it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud.bigquery import LoadJobConfig, QueryJobConfig, Table

from tests.google.bigquery.engine import LOCATION
from tests.google.bigquery.server import BigQueryServer
from tests.google.bigquery.talking import DATASET, a_client

TABLE = "p.sales.events"
FIELDS = [
    {"name": "id", "type": "STRING", "mode": "REQUIRED"},
    {"name": "at", "type": "TIMESTAMP", "mode": "REQUIRED"},
    {"name": "n", "type": "INT64", "mode": "NULLABLE"},
]
GOOD = b'{"id": "a", "at": "2026-01-15T10:30:00Z", "n": 1}\n'
UNFILTERED = "SELECT id FROM `p.sales.events`"
FILTERED = "SELECT id FROM `p.sales.events` WHERE at >= TIMESTAMP '2026-01-01 00:00:00+00'"


@pytest.fixture
def client() -> Iterator[Any]:
    """Give the client, with one partitioned table on the server."""
    with BigQueryServer().running() as server:
        server.engine.create_dataset(DATASET)
        client = a_client(server)
        reference = {"projectId": "p", "datasetId": DATASET, "tableId": "events"}
        partitioned = {"timePartitioning": {"type": "DAY", "field": "at"}, "requirePartitionFilter": True}
        client.create_table(
            Table.from_api_repr({"tableReference": reference, "schema": {"fields": FIELDS}, **partitioned})
        )
        yield client
        client.close()


def test_a_repeated_job_id_is_refused(client: Any) -> None:
    client.query("SELECT 1 AS one", job_id="mine", job_retry=None).result()

    with pytest.raises(Conflict):
        client.query("SELECT 2 AS two", job_id="mine", job_retry=None)


def test_a_repeated_load_id_is_refused(client: Any) -> None:
    _load(client, GOOD, job_id="mine")

    with pytest.raises(Conflict):
        _load(client, GOOD, job_id="mine")


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "a", "at": "2026-01-15T10:30:00Z", "colour": "red"}\n',
        b'{"id": "a"}\n',
        b'{"id": "a", "at": "soon"}\n',
        b'{"id": "a", "at": "2026-01-15T10:30:00Z", "n": 1.5}\n',
        b'{"id": "a", "at": "2026-01-15T10:30:00Z", "n": true}\n',
        b'{"id": {}, "at": "2026-01-15T10:30:00Z"}\n',
        b"not json\n",
    ],
)
def test_a_bad_row_fails_the_load_and_nothing_is_kept(client: Any, line: bytes) -> None:
    with pytest.raises(BadRequest):
        _load(client, GOOD + line)

    assert list(client.query(FILTERED).result()) == []


def test_a_query_without_the_partition_filter_is_refused(client: Any) -> None:
    for text in (UNFILTERED, f"{UNFILTERED} WHERE id = 'a'", f"{FILTERED} UNION ALL {UNFILTERED}"):
        with pytest.raises(BadRequest, match="without a filter"):
            client.query(text, job_retry=None).result()


def test_a_query_with_the_partition_filter_is_answered(client: Any) -> None:
    _load(client, GOOD)

    assert [tuple(row) for row in client.query(FILTERED).result()] == [("a",)]


def test_a_dry_run_tells_bytes_and_leaves_no_job(client: Any) -> None:
    _load(client, GOOD)

    job = client.query(FILTERED, job_id="dry", job_config=QueryJobConfig(dry_run=True), job_retry=None)

    assert job.total_bytes_processed == 16
    with pytest.raises(NotFound):
        client.get_job("dry")


def test_an_unknown_table_is_not_found(client: Any) -> None:
    with pytest.raises(NotFound):
        client.query("SELECT id FROM `p.sales.missing`", job_retry=None).result()
    with pytest.raises(NotFound):
        client.get_table("p.sales.missing")


def _load(client: Any, data: bytes, job_id: str | None = None) -> None:
    config = LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON")
    client.load_table_from_file(io.BytesIO(data), TABLE, job_id=job_id, job_config=config).result()


def test_a_job_is_only_found_where_it_ran(client: Any) -> None:
    """Outside US and EU: who does not say where is told that there is no such job."""
    job = client.query("SELECT 1", location=LOCATION)

    with pytest.raises(NotFound):
        client.get_job(job.job_id)
    assert client.get_job(job.job_id, location=LOCATION).job_id == job.job_id
