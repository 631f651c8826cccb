"""The real shop's year: totals by month and by country through the API equal those computed straight from the file, to the cent.

Twice: every line of the file as rows of the sales table, read back by the report; and invoices bought one by one through
`POST /api/v1/sales` (2,000 of them, or RETAIL_INVOICES=all), each country a store, each price of a code a product of its own.
"""

import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Request
from werkzeug.test import EnvironBuilder

from bench.harness import Missing, Outcome, Void, workspace
from bench.ours import BASIC, environment
from bench.retail_sales import RetailLine, retail_file, retail_lines, retail_rows
from functions.sales.routes import router
from shared.app import App
from shared.catalog.change_models import NewProduct
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import serve
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.stores.models import NewStore, StoreType

__all__ = ["measure"]

_LONDON = ZoneInfo("Europe/London")
_RANGE = {"start": "2010-12-01", "end": "2011-12-31", "timezone": "Europe/London", "currency": "GBP"}
_BASKET, _IN_ONE_COMMIT = 100, 100
Totals = dict[str, Decimal]
Send = Callable[..., dict[str, Any]]


def measure() -> Outcome:
    """Load both ways and compare."""
    try:
        retail_file()
    except FileNotFoundError as missing:
        raise Missing(str(missing)) from missing
    lines = [_by_rows(), _by_api()]
    return Outcome(
        value="totals by month and country equal the file's to the cent",
        goal="equal",
        passed=True,
        rounds=lines,
    )


def _by_rows() -> str:
    began = time.perf_counter()
    app, send = _opened("rows", None)
    sent = app.warehouse.merge(_table(app), retail_rows(), batch_id="retail")
    months, countries = _totals(retail_lines())
    told = send("GET", "/api/v1/sales/report", {**_RANGE, "bucket": "monthly"})
    _same(months, {each["period"]: each["revenue"] for each in told["buckets"]})
    whole = send("GET", "/api/v1/sales/report", _RANGE)["buckets"][0]["revenue_by_categories"]
    _same(countries, {key.partition(",")[2]: amount for key, amount in whole.items()})
    app.close()
    total = sum(months.values())
    return f"rows: {sent} lines, {len(months)} months, {len(countries)} countries, {total} GBP, {_since(began)}"


def _by_api() -> str:
    began = time.perf_counter()
    wanted = os.environ.get("RETAIL_INVOICES", "2000")
    most = None if wanted == "all" else int(wanted)
    invoices = [list(lines) for _, lines in islice(groupby(retail_lines(), lambda line: line.invoice), most)]
    clock = ManualClock(min(line.at for lines in invoices for line in lines))
    app, send = _opened("api", clock)
    stores, products = _stocked(app, invoices)
    for lines in invoices:
        clock.advance(max(0.0, (lines[0].at - clock.now()).total_seconds()))
        for basket in _baskets(lines, products):
            sold = send("POST", "/api/v1/sales", {}, {"items": basket, "store_id": stores[lines[0].country]})
            if sold["failed_items"]:
                raise Void(f"{lines[0].invoice}: {sold['failed_items']}")
    app.flusher.run()
    months, countries = _totals(line for lines in invoices for line in lines)
    told = send("GET", "/api/v1/sales/report", {**_RANGE, "bucket": "monthly"})
    _same(months, {each["period"]: each["revenue"] for each in told["buckets"] if each["count"]})
    of_store = {
        country: send("GET", "/api/v1/sales/report", {**_RANGE, "store_id": store_id})["total_revenue"]
        for country, store_id in stores.items()
    }
    _same(countries, of_store)
    app.close()
    count = sum(map(len, invoices))
    return f"API: {len(invoices)} invoices of {count} lines in {len(countries)} countries, {_since(began)}"


def _opened(name: str, clock: ManualClock | None) -> tuple[App, Send]:
    folder: Path = workspace() / f"retail-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    app = App(Settings.from_env(environment(folder) | {"DEFAULT_CURRENCY": "GBP"}), clock)
    handle = serve([router], lambda: app)

    def send(method: str, path: str, query: Mapping[str, str], body: Any = None) -> dict[str, Any]:
        sent: dict[str, Any] = (
            {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        )
        builder = EnvironBuilder(path, method=method, query_string=dict(query), headers=list(BASIC.items()), **sent)
        response = handle(Request(builder.get_environ()))
        told: dict[str, Any] = json.loads(response.get_data())
        if response.status_code >= 300:
            raise Void(f"{path}: {told}")
        return told

    return app, send


def _stocked(app: App, invoices: list[list[RetailLine]]) -> tuple[dict[str, str], dict[tuple[str, Decimal], str]]:
    """Open a store for each country and put what is going to be sold on its shelves."""
    countries = sorted({line.country for lines in invoices for line in lines})
    stores = {
        name: app.stores.create(NewStore(name=name, region="World", store_type=StoreType.SHOPPING)).id
        for name in countries
    }
    kinds = sorted({(line.code, line.price) for lines in invoices for line in lines})
    products = {
        (code, price): app.products.create(
            SYSTEM, NewProduct(sku=f"{code}-{number}", name=code, sale_price=price, currency="GBP")
        ).key.id
        for number, (code, price) in enumerate(kinds)
    }
    demand: dict[tuple[str, str], int] = defaultdict(int)
    for line in (line for lines in invoices for line in lines):
        demand[products[line.code, line.price], stores[line.country]] += line.quantity
    changes = [Change(*pair, units, MovementType.INITIAL) for pair, units in demand.items()]
    for at in range(0, len(changes), _IN_ONE_COMMIT):
        app.ledger.book(changes[at : at + _IN_ONE_COMMIT])
    return stores, products


def _baskets(lines: list[RetailLine], products: Mapping[tuple[str, Decimal], str]) -> Iterable[list[dict[str, Any]]]:
    items = [{"product_id": products[line.code, line.price], "quantity": line.quantity} for line in lines]
    for at in range(0, len(items), _BASKET):
        yield items[at : at + _BASKET]


def _totals(lines: Iterable[RetailLine]) -> tuple[Totals, Totals]:
    """Add the file up: by month in London and by country."""
    months: Totals = defaultdict(Decimal)
    countries: Totals = defaultdict(Decimal)
    for line in lines:
        amount = line.price * line.quantity
        months[f"{line.at.astimezone(_LONDON):%Y-%m}"] += amount
        countries[line.country] += amount
    return dict(months), dict(countries)


def _same(expected: Mapping[str, Decimal], told: Mapping[str, float]) -> None:
    """Refuse figures that differ by a cent."""
    cents = {name: int(amount * 100) for name, amount in expected.items()}
    shown = {name: int(Decimal(str(amount)) * 100) for name, amount in told.items()}
    if {name: each for name, each in shown.items() if each} != cents:
        raise Void(f"expected {cents}, told {shown}")


def _table(app: App) -> Any:
    return next(table for table in app.tables() if table.name == "sale_lines")


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.0f} s"
