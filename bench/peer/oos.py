"""The peer of the feed: our legacy rows from a Python list, through a response model and the gzip middleware."""

import json
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from pydantic import BaseModel

ROWS = json.loads(Path(os.environ["PEER_ROWS"]).read_text())


class Customer(BaseModel):
    name: str | None
    email: str | None


class LineItem(BaseModel):
    sku: str | None
    quantity: float | None
    status: str | None


class Row(BaseModel):
    order_id: str
    order_number: str | None
    status: str | None
    source: str
    purchase_date: str | None
    shipped_at: str | None
    priority: str | None
    facility: str | None
    channel: str | None
    channel_category: str | None
    shipment_type: str | None
    customer: Customer
    custom_reference: str | None
    line_items: list[LineItem]
    raw_data: dict[str, Any] | None
    last_updated_at: str
    oos_lines: list[dict[str, Any]]
    first_seen_at: str | None
    last_seen_at: str | None
    resolved_at: str | None
    resolved_reason: str | None
    age_hours: float | None
    snapshot_id: str | None


app = FastAPI()
app.add_middleware(GZipMiddleware, compresslevel=6)


@app.get("/oos", response_model=list[Row])
def oos():
    return ROWS
