"""The peer's two endpoints on the framework and sqlite3, one locked writer, the same schema: what plain SQL reaches."""

import json
import os
import sqlite3
import threading
from datetime import UTC, datetime

import functions_framework
import jwt

DATABASE = os.environ["PEER_DATABASE"]
SECRET = os.environ.get("PEER_SECRET", "a-secret-of-the-peer-that-is-long-enough")
JSON = {"Content-Type": "application/json"}
COLUMNS = """i.id, i.store, i.quantity, i.reorder_level, i.updated_at,
    p.id, p.sku, p.name, p.category, p.price, p.supplier"""
FROM = "FROM inventory i JOIN products p ON p.id = i.product_id"
_readers = threading.local()
_lock = threading.Lock()


def connect():
    connection = sqlite3.connect(DATABASE, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


_writer = connect()


def reader():
    if not hasattr(_readers, "connection"):
        _readers.connection = connect()
    return _readers.connection


@functions_framework.http
def main(request):
    header = request.headers.get("Authorization", "")
    try:
        jwt.decode(header.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.PyJWTError:
        return json.dumps({"detail": "not authenticated"}), 401, JSON
    if request.path == "/inventory" and request.method == "GET":
        return page(request.args)
    if request.path == "/purchases" and request.method == "POST":
        return purchase(request.get_json())
    return json.dumps({"detail": "not found"}), 404, JSON


def page(query):
    limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
    clauses, values = [], []
    for name, clause in (("store", "i.store = ?"), ("category", "p.category = ?")):
        if name in query:
            clauses.append(clause)
            values.append(query[name])
    if query.get("low_stock") == "true":
        clauses.append("i.quantity <= i.reorder_level")
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    db = reader()
    total = db.execute(f"SELECT count(*) {FROM} {where}", values).fetchone()[0]
    rows = db.execute(
        f"SELECT {COLUMNS} {FROM} {where} ORDER BY i.id LIMIT ? OFFSET ?", [*values, limit, offset]
    ).fetchall()
    items = [level(row) for row in rows]
    return json.dumps({"total": total, "limit": limit, "offset": offset, "items": items}), 200, JSON


def level(row):
    names = ("id", "store", "quantity", "reorder_level", "updated_at")
    product = dict(zip(("id", "sku", "name", "category", "price", "supplier"), row[5:], strict=True))
    return {**dict(zip(names, row[:5], strict=True)), "product": product}


def purchase(body):
    number, quantity = body["inventory_id"], body["quantity"]
    now = datetime.now(UTC).isoformat()
    with _lock:
        _writer.execute("BEGIN IMMEDIATE")
        try:
            price = _writer.execute(f"SELECT p.price {FROM} WHERE i.id = ?", (number,)).fetchone()
            taken = _writer.execute(
                "UPDATE inventory SET quantity = quantity - ? WHERE id = ? AND quantity >= ?",
                (quantity, number, quantity),
            ).rowcount
            if price and taken:
                total = price[0] * quantity
                made = _writer.execute(
                    "INSERT INTO purchases (inventory_id, quantity, total, created_at) VALUES (?, ?, ?, ?)",
                    (number, quantity, total, now),
                ).lastrowid
        finally:
            _writer.execute("COMMIT")
    if price is None:
        return json.dumps({"detail": "no such inventory"}), 404, JSON
    if not taken:
        return json.dumps({"detail": "not enough stock"}), 409, JSON
    made = {"id": made, "inventory_id": number, "quantity": quantity, "total": total, "created_at": now}
    return json.dumps(made), 201, JSON
