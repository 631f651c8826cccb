"""Goal 12: sales reports through the API over a million lines, and over the real shop's, against the direct DuckDB statement.

The direct statement is what an analyst would type into DuckDB: the same sums and distinct counts, fetched as rows. Ours answers
the same question over HTTP (the kernel in this process): figures, bounds, four maps per period, JSON, ETag.
"""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder

from bench.harness import Missing, Outcome, Void, interleaved, workspace
from bench.ours import BASIC, environment
from bench.retail_sales import retail_rows
from functions.sales.routes import router
from shared.app import App
from shared.core.settings import Settings
from shared.http.serve import serve

__all__ = ["measure"]

LINES, PRODUCTS, ROUNDS, GOAL = 1_000_000, 40, 5, 2.0
START = datetime(2024, 1, 1, tzinfo=UTC)
_YEAR_S = 366 * 86400
_FIRST = {
    "daily": "day",
    "weekly": "CAST(date_trunc('week', day) AS DATE)",
    "monthly": "CAST(date_trunc('month', day) AS DATE)",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """One report: its cut, its zone, and what it is filtered by."""

    bucket: str
    zone: str
    product_ids: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.bucket}{' filtered' if self.product_ids else ''} {self.zone}"


def measure() -> Outcome:
    """Load, ask both ways in turn, compare the figures, and judge by the worst median."""
    cases = [_Case(bucket, "UTC") for bucket in _FIRST]
    cases += [_Case("daily", "Europe/Berlin"), _Case("daily", "UTC", ("prd_3", "prd_5"))]
    lines, ratios = _measured("generated", _generated(), cases, (START, START + timedelta(seconds=_YEAR_S - 1)))
    try:
        real = retail_rows()
    except FileNotFoundError as missing:
        raise Missing(str(missing)) from missing
    real_cases = [_Case("weekly", "Europe/London"), _Case("monthly", "Europe/London")]
    span = (datetime(2010, 12, 1, tzinfo=UTC), datetime(2011, 12, 10, tzinfo=UTC))
    more, real_ratios = _measured("real", real, real_cases, span, currency="GBP")
    worst = max([*ratios, *real_ratios])
    return Outcome(
        value=f"{worst:.2f}x the direct statement at worst ({max(ratios):.2f}x generated, {max(real_ratios):.2f}x real)",
        goal=f"<= {GOAL:.0f}x",
        passed=worst <= GOAL,
        rounds=[*lines, *more],
    )


def _measured(
    name: str,
    rows: Iterator[Mapping[str, Any]],
    cases: list[_Case],
    span: tuple[datetime, datetime],
    *,
    currency: str = "EUR",
) -> tuple[list[str], list[float]]:
    folder = workspace() / f"buckets-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    app = App(Settings.from_env(environment(folder) | {"DEFAULT_CURRENCY": currency}))
    began = time.perf_counter()
    sent = app.warehouse.merge(_table(app), rows, batch_id="bench")
    told = [f"{name}: {sent} lines loaded in {time.perf_counter() - began:.1f} s"]
    ask = _client(app, span)
    ratios = []
    for case in cases:
        _compare(ask(case), _direct(app, case, span, currency), case)
        ours, directly = partial(ask, case), partial(_direct, app, case, span, currency)
        variants = {"ours": partial(_timed, ours), "direct": partial(_timed, directly)}
        rounds = interleaved(ROUNDS, variants)
        ratios.append(median(each["ours"] / each["direct"] for each in rounds))
        took = {one: median(each[one] for each in rounds) * 1000 for one in variants}
        told.append(f"{name} {case.name}: {took['ours']:.0f} ms, direct {took['direct']:.0f} ms, {ratios[-1]:.2f}x")
    app.close()
    return told, ratios


def _client(app: App, span: tuple[datetime, datetime]) -> Callable[[_Case], dict[str, Any]]:
    handle = serve([router], lambda: app)

    def ask(case: _Case) -> dict[str, Any]:
        query = {"start": span[0].isoformat(), "end": span[1].isoformat(), "bucket": case.bucket}
        query |= {"timezone": case.zone, "product_ids": ",".join(case.product_ids)}
        given = {name: value for name, value in query.items() if value}
        builder = EnvironBuilder("/api/v1/sales/report", query_string=given, headers=list(BASIC.items()))
        response = handle(Request(builder.get_environ()))
        if response.status_code != 200:
            raise Void(response.get_data(as_text=True)[:300])
        told: dict[str, Any] = {"body": response.get_data()}
        return told

    return ask


def _direct(app: App, case: _Case, span: tuple[datetime, datetime], currency: str) -> tuple[list[Any], list[Any]]:
    """Run what an analyst would type; the amounts stay as DuckDB gives them."""
    cursor = app.warehouse._database.cursor()  # type: ignore[attr-defined]  # noqa: SLF001 - the raw engine is the yardstick
    given = {"a": span[0], "b": span[1], "z": case.zone, "c": currency, "p": list(case.product_ids)}
    if not case.product_ids:
        del given["p"]
    where = "created_at BETWEEN $a AND $b AND currency = $c" + (" AND product_id IN $p" if case.product_ids else "")
    days = f"SELECT CAST(created_at AT TIME ZONE $z AS DATE) AS day, * FROM sale_lines WHERE {where}"  # noqa: S608 - ours
    first = _FIRST[case.bucket]
    sums = f"SELECT {first} AS f, product_id, product_name, category_id, category, SUM(line_total), SUM(quantity)\
        FROM ({days}) GROUP BY ALL ORDER BY ALL"  # noqa: S608 - the same
    counts = f"SELECT {first} AS f, COUNT(DISTINCT sale_id) FROM ({days}) GROUP BY ALL ORDER BY ALL"  # noqa: S608
    return cursor.execute(sums, given).fetchall(), cursor.execute(counts, given).fetchall()


def _compare(ours: Mapping[str, Any], direct: tuple[list[Any], list[Any]], case: _Case) -> None:
    """Refuse to measure answers that are not the same."""
    told = json.loads(ours["body"])
    sums, counts = direct
    revenue = float(sum(row[5] for row in sums))
    same = abs(told["total_revenue"] - revenue) < 0.005 and told["sale_count"] == sum(row[1] for row in counts)
    if not same or told["total_quantity"] != sum(row[6] for row in sums):
        raise Void(f"{case.name}: {told['total_revenue']} and {told['sale_count']}, directly {revenue}")


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _table(app: App) -> Any:
    return next(table for table in app.tables() if table.name == "sale_lines")


def _generated() -> Iterator[dict[str, Any]]:
    """Yield a million lines of a year: one to four a sale, 40 products in 8 categories."""
    rng = random.Random(1)
    sale = left = 0
    moment = ""
    for line in range(LINES):
        if not left:
            sale, left = sale + 1, rng.randrange(1, 5)
            moment = (START + timedelta(seconds=rng.randrange(_YEAR_S))).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            number = 0
        number, left = number + 1, left - 1
        product, units = rng.randrange(PRODUCTS), rng.randrange(1, 6)
        yield {
            "id": f"sal_{sale}_{number}",
            "created_at": moment,
            "kind": "sale",
            "sale_id": f"sal_{sale}",
            "number": number,
            "store_id": f"sto_{sale % 6}",
            "user_id": "usr_1",
            "product_id": f"prd_{product}",
            "sku": f"SKU-{product}",
            "product_name": f"Product {product}",
            "category_id": f"cat_{product % 8}",
            "category": f"Category {product % 8}",
            "quantity": units,
            "unit_price": f"{product + 1}.99",
            "line_total": f"{(product * 100 + 199) * units / 100:.2f}",
            "currency": "EUR",
        }
        if line == LINES - 1:
            return
