"""The cost table of docs/operations.md is arithmetic over bench/prices.json and the schedules that really are declared."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronsim import CronSim

from local.manifest import manifests

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text().partition("## What it costs")[2]
PRICE = json.loads((ROOT / "bench" / "prices.json").read_text())
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
REQUESTS, ORDERS, SALES = (100_000, 1_000_000, 10_000_000), (2_000, 20_000, 100_000), (5_000, 100_000, 1_000_000)
SHARED, FLUSHES = (1, 2, 8), (2_500, 43_200, 43_200)
REFRESHES = 2 * 4 * 24 * 30
CALL = PRICE["million_requests"] / 1e6


def _second(gib: float) -> float:
    return float(PRICE["vcpu_second"] + gib * PRICE["gib_second"])


def _row(label: str) -> list[float]:
    found = re.search(rf"^\| {re.escape(label)}[^|]*\|([^|]+)\|([^|]+)\|([^|]+)\|", TEXT, re.MULTILINE)
    assert found, label
    return [float(cell.strip(" *")) for cell in found.groups()]


def _calls() -> int:
    schedules = [schedule for facts in manifests().values() for schedule in facts.schedules]
    return sum(_slots(schedule.cron) for schedule in schedules)


def _slots(cron: str) -> int:
    return next(number for number, at in enumerate(CronSim(cron, BEGIN - timedelta(seconds=1))) if at >= BEGIN + MONTH)


def _expected() -> dict[str, list[float]]:
    schedules = sum(len(facts.schedules) for facts in manifests().values())
    reads = [3 * asked + 60 * REFRESHES for asked in REQUESTS]
    writes = [0.3 * asked + 60 * REFRESHES + 6 * sold for asked, sold in zip(REQUESTS, SALES, strict=True)]
    scanned = [30 * REFRESHES + 20 * flushes for flushes in FLUSHES]
    calls = _calls() * (0.1 * _second(1) + CALL) + schedules * PRICE["scheduler_per_job_month"]
    read, write = PRICE["firestore_per_100k_reads"] / 1e5, PRICE["firestore_per_100k_writes"] / 1e5
    return {
        "requests' time": [n * (0.1 / by * _second(0.5) + CALL) for n, by in zip(REQUESTS, SHARED, strict=True)],
        "refreshes' time": [REFRESHES * (5 + held / 1000) * _second(1) for held in ORDERS],
        "documents": [read * r + write * w for r, w in zip(reads, writes, strict=True)],
        "warehouse": [mib / 2**20 * PRICE["bigquery_per_tib"] for mib in scanned],
        f"schedules ({schedules})": [calls] * 3,
        "egress": [n * 5 / 2**20 * PRICE["egress_per_gib"] for n in REQUESTS],
    }


def test_every_cost_is_what_the_prices_and_assumptions_make_it() -> None:
    for label, expected in _expected().items():
        assert _row(label) == [round(value, 2) for value in expected], label


def test_the_sums_add_up() -> None:
    columns = zip(*_expected().values(), strict=True)

    assert _row("**sum**") == [float(round(sum(column))) for column in columns]
