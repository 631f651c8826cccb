"""A page of 20 transfer orders through the API: with 250,000 orders in the store it costs what it costs with 1,000."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder

from bench.harness import Outcome, Void, interleaved, workspace
from bench.ours import BASIC, environment
from functions.orders.routes import router
from shared.app import App
from shared.core.clock import instant
from shared.core.settings import Settings
from shared.http.serve import serve
from shared.inventory.rules import search_tokens
from shared.orders.record import SEARCHED, transfer_key
from shared.ports.documents import Create

__all__ = ["measure"]

SIZES, ROUNDS, ASKED, GOAL = (1_000, 250_000), 15, 20, 1.2
START = datetime(2025, 1, 1, tzinfo=UTC)
_STATES = ("pending_review", "approved", "fulfilled", "cancelled")
_IN_ONE_COMMIT = 500
QUERIES: Mapping[str, Mapping[str, str]] = {
    "newest": {},
    "by state": {"status": "approved"},
    "by region": {"region": "North"},
    "by state and region": {"status": "fulfilled", "region": "South"},
    "by number": {"sort": "order_number"},
    "by word": {"search": "thing"},
}


def measure() -> Outcome:
    """Fill two stores, ask both in turn, and judge by the worst kind of page."""
    ask = {size: _served(size) for size in SIZES}
    lines, ratios = [], []
    for name, query in QUERIES.items():
        variants = {str(size): partial(_timed, ask[size], query) for size in SIZES}
        interleaved(2, variants)
        rounds = interleaved(ROUNDS, variants)
        ratios.append(median(each[str(SIZES[1])] / each[str(SIZES[0])] for each in rounds))
        took = {size: median(each[size] for each in rounds) * 1000 for size in variants}
        lines.append(f"{name}: {took[str(SIZES[0])]:.2f} ms and {took[str(SIZES[1])]:.2f} ms, {ratios[-1]:.2f}x")
    return Outcome(
        value=f"{max(ratios):.2f}x at worst of {len(QUERIES)} kinds of pages",
        goal=f"<= {GOAL}x",
        passed=max(ratios) <= GOAL,
        rounds=lines,
    )


def _served(size: int) -> Callable[[Mapping[str, str]], None]:
    folder = workspace() / f"orders-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    app = App(Settings.from_env(environment(folder)))
    batch: list[Create] = []
    for write in _orders(size):
        batch.append(write)
        if len(batch) == _IN_ONE_COMMIT:
            app.documents.commit(batch)
            batch = []
    handle = serve([router], lambda: app)

    def ask(query: Mapping[str, str]) -> None:
        given = {"limit": "20", **query}
        headers = list(BASIC.items())
        builder = EnvironBuilder("/api/v1/transfer-orders", query_string=given, headers=headers)
        response = handle(Request(builder.get_environ()))
        if response.status_code != 200 or response.get_data().count(b'"order_number"') != 20:
            raise Void(response.get_data(as_text=True)[:300])

    return ask


def _timed(ask: Callable[[Mapping[str, str]], None], query: Mapping[str, str]) -> float:
    """Ask some times, so that one reading is long enough."""
    began = time.process_time()
    for _ in range(ASKED):
        ask(query)
    return (time.process_time() - began) / ASKED


def _orders(size: int) -> Iterator[Create]:
    """Yield documents of orders as the service writes them, a minute apart."""
    unset = ("approver_name", "fulfilled_by", "cancelled_by", "cancel_reason", "reservation_id", "notes")
    for number in range(size):
        moment = instant(START + timedelta(minutes=number))
        region = ("North", "South", "West")[number % 3]
        data: dict[str, Any] = {
            **dict.fromkeys((*unset, "approved_by", "approved_at", "fulfilled_at", "cancelled_at", "brand")),
            "order_number": f"ORD{number + 1:06d}",
            "from_store_id": "sto_0",
            "to_store_id": f"sto_{number % 5 + 1}",
            "product_id": f"prd_{number % 40}",
            "quantity": number % 9 + 1,
            "status": _STATES[number // 3 % 4],
            "requested_by": "usr_1",
            "requester_name": "Bench",
            "from_store_name": "Main",
            "to_store_name": f"Store {number % 5 + 1}",
            "to_store_region": region,
            "product_name": f"Ceramic thing {number % 40}",
            "sku": f"SKU-{number % 40}",
            "category": f"cat-{number % 8}",
            "unit_price": "9.99",
            "total_value": "9.99",
            "currency": "EUR",
            "store_ids": ["sto_0", f"sto_{number % 5 + 1}"],
            "created_at": moment,
            "updated_at": moment,
            "version": 1,
            "history": [],
        }
        data["tokens"] = search_tokens(data[name] for name in SEARCHED)
        yield Create(transfer_key(f"tro_{number:09d}"), data)
