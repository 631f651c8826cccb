"""A batch under faults: lost answers, crashes between its jobs, failed jobs, a service in trouble."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from shared.adapters.bigquery.warehouse import BigQueryWarehouse
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from shared.ports.warehouse import Named, Table
from tests.google.bigquery.engine import Refusal
from tests.google.bigquery.server import BigQueryServer
from tests.google.bigquery.talking import DATASET, a_warehouse

AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
BUSY = Refusal(503, "backendError", "busy")


class Sale(BaseModel):
    """A row."""

    id: str
    at: datetime
    amount: Decimal


SALES = Table("sales", Sale, key=("id", "at"), partition_by="at", cluster_by=("id",), partition_unit="DAY")
ROWS = [{"id": "a", "at": AT, "amount": "1.50"}, {"id": "b", "at": AT.replace(day=20), "amount": 2}]


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    """Run a server."""
    with BigQueryServer().running() as server:
        yield server


@pytest.fixture
def warehouse(server: BigQueryServer) -> Iterator[BigQueryWarehouse]:
    """Give the adapter with its one table."""
    warehouse = a_warehouse(server)
    warehouse.ensure([SALES])
    yield warehouse
    warehouse.close()


def test_the_table_is_partitioned_clustered_and_guarded(server: BigQueryServer, warehouse: BigQueryWarehouse) -> None:
    made = server.engine.table(DATASET, "sales")

    assert made["timePartitioning"] == {"type": "DAY", "field": "at"}
    assert made["clustering"] == {"fields": ["id"]}
    assert made["requirePartitionFilter"] is True


def test_a_batch_is_one_load_and_one_bounded_merge(server: BigQueryServer, warehouse: BigQueryWarehouse) -> None:
    warehouse.merge(SALES, ROWS, batch_id="one")

    load, merge = (job.resource for job in server.engine.jobs.values())
    assert load["jobReference"]["jobId"].startswith("onhand_load_")
    assert merge["jobReference"]["jobId"].startswith("onhand_merge_")
    bounds = "kept.at >= TIMESTAMP '2026-01-15T10:30:00.000000Z' AND kept.at <= TIMESTAMP '2026-01-20T10:30:00.000000Z'"
    assert bounds in merge["configuration"]["query"]["query"]


def test_the_stage_is_gone_afterwards(server: BigQueryServer, warehouse: BigQueryWarehouse) -> None:
    warehouse.merge(SALES, ROWS, batch_id="one")

    assert list(server.engine.tables) == [(DATASET, "sales")]


def test_a_stage_left_by_a_crash_ends_by_itself(server: BigQueryServer) -> None:
    warehouse = a_warehouse(server, ManualClock(AT))
    warehouse.ensure([SALES])
    server.faults.extend([("POST /bigquery.*/jobs$", BUSY)] * 50)

    with pytest.raises(Transient):
        warehouse.merge(SALES, ROWS, batch_id="one")

    (stage,) = [table for (_, name), table in server.engine.tables.items() if name != "sales"]
    assert int(stage["expirationTime"]) == AT.replace(day=16).timestamp() * 1000
    warehouse.close()


@pytest.mark.parametrize("request_line", ["PUT /upload", "POST /bigquery.*/jobs$", "GET .*/queries/", "GET .*/jobs/"])
def test_a_lost_answer_does_no_harm(
    server: BigQueryServer, warehouse: BigQueryWarehouse, request_line: str, tmp_path: Path
) -> None:
    """The request arrived and was carried out; only its answer never came back."""
    server.drops.append(request_line)

    _deliver_until_done(warehouse)

    assert not server.drops
    assert _kept(warehouse, tmp_path) == {"a": Decimal("1.5"), "b": Decimal(2)}


@pytest.mark.parametrize("times", [1, 50])
@pytest.mark.parametrize(
    "request_line",
    ["GET .*/jobs/", "POST .*/tables", "POST /upload", "PUT /upload", "POST /bigquery.*/jobs$", "GET .*/queries/"],
)
def test_trouble_on_the_way_is_waited_out_or_handed_back(
    server: BigQueryServer, warehouse: BigQueryWarehouse, request_line: str, times: int, tmp_path: Path
) -> None:
    server.faults.extend([(request_line, BUSY)] * times)

    if times > 1:
        with pytest.raises(Transient):
            warehouse.merge(SALES, ROWS, batch_id="one")
        server.faults.clear()
    _deliver_until_done(warehouse)

    assert _kept(warehouse, tmp_path) == {"a": Decimal("1.5"), "b": Decimal(2)}


def test_a_batch_loaded_before_a_crash_goes_on_with_its_merge(
    server: BigQueryServer, warehouse: BigQueryWarehouse
) -> None:
    server.faults.extend([("POST /bigquery.*/jobs$", BUSY)] * 50)
    with pytest.raises(Transient):
        warehouse.merge(SALES, ROWS, batch_id="one")
    server.faults.clear()
    server.log.clear()

    warehouse.merge(SALES, ROWS, batch_id="one")

    assert not [line for line in server.log if "upload" in line]


def test_a_stage_that_expired_is_loaded_again(
    server: BigQueryServer, warehouse: BigQueryWarehouse, tmp_path: Path
) -> None:
    server.faults.extend([("POST /bigquery.*/jobs$", BUSY)] * 50)
    with pytest.raises(Transient):
        warehouse.merge(SALES, ROWS, batch_id="one")
    server.faults.clear()
    (stage,) = [name for _, name in server.engine.tables if name != "sales"]
    server.engine.delete_table(DATASET, stage)

    warehouse.merge(SALES, ROWS, batch_id="one")

    assert _kept(warehouse, tmp_path) == {"a": Decimal("1.5"), "b": Decimal(2)}


def test_a_batch_whose_job_failed_gets_new_jobs(
    server: BigQueryServer, warehouse: BigQueryWarehouse, tmp_path: Path
) -> None:
    impossible = {"id": "a", "at": "2026-02-30T00:00:00.000000Z", "amount": 1}
    with pytest.raises(Terminal) as refusal:
        warehouse.merge(SALES, [impossible], batch_id="one")
    assert refusal.value.code == "bad_rows"

    warehouse.merge(SALES, ROWS, batch_id="one")

    assert [name[-2:] for name in server.engine.jobs if name.startswith("onhand")] == ["_0", "_1", "_1"]
    assert _kept(warehouse, tmp_path) == {"a": Decimal("1.5"), "b": Decimal(2)}


def test_a_batch_that_always_fails_is_given_up(server: BigQueryServer, warehouse: BigQueryWarehouse) -> None:
    impossible = {"id": "a", "at": "2026-02-30T00:00:00.000000Z", "amount": 1}
    codes = []
    for _ in range(21):
        with pytest.raises(Terminal) as refusal:
            warehouse.merge(SALES, [impossible], batch_id="one")
        codes.append(refusal.value.code)

    assert codes == ["bad_rows"] * 20 + ["batch_spoilt"]


@pytest.mark.parametrize(
    ("refusal", "expected", "code"),
    [
        (Refusal(429, "rateLimitExceeded", "words of theirs"), Transient, "warehouse_busy"),
        (Refusal(403, "rateLimitExceeded", "words of theirs"), Transient, "warehouse_busy"),
        (Refusal(403, "quotaExceeded", "words of theirs"), Transient, "warehouse_busy"),
        (Refusal(403, "accessDenied", "no"), Terminal, "warehouse_denied"),
        (Refusal(401, "authError", "who"), Terminal, "warehouse_denied"),
        (Refusal(404, "notFound", "where"), Terminal, "unknown_table"),
        (Refusal(400, "invalidQuery", "what"), Terminal, "bad_query"),
        (Refusal(400, "jobBackendError", "try later"), Transient, "warehouse_unavailable"),
        (
            Refusal(400, "invalidQuery", "Could not serialize access due to concurrent update"),
            Transient,
            "warehouse_unavailable",
        ),
        (Refusal(500, "internalError", "oops"), Transient, "warehouse_unavailable"),
        (Refusal(502, "badGateway", "oops"), Transient, "warehouse_unavailable"),
    ],
)
def test_refusals_are_judged_by_their_reason(
    server: BigQueryServer, warehouse: BigQueryWarehouse, refusal: Refusal, expected: type[Exception], code: str
) -> None:
    server.faults.extend([("datasets/sales$", refusal)] * 50)

    with pytest.raises(expected) as raised:
        warehouse.ping()

    assert getattr(raised.value, "code", None) == code
    assert str(refusal) not in str(raised.value)


def _deliver_until_done(warehouse: BigQueryWarehouse) -> None:
    """Deliver the batch as the queue would: again after every Transient."""
    for _ in range(5):
        try:
            assert warehouse.merge(SALES, ROWS, batch_id="one") == 2
        except Transient:
            continue
        return
    pytest.fail("five deliveries were not enough")


def _kept(warehouse: BigQueryWarehouse, folder: Path) -> dict[str, Any]:
    path = folder / "kept.sql"
    path.write_text("SELECT id, amount FROM {sales} WHERE at >= TIMESTAMP '2020-01-01 00:00:00+00' ORDER BY id")
    return {row["id"]: row["amount"] for row in warehouse.query(Named(path, {"sales": SALES}), {}).rows}
