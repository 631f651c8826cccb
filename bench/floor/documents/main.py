"""The same endpoints over JSON documents with extracted index columns, rows joined as raw bytes: what our shape reaches."""

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
SCHEMA = """
CREATE TABLE IF NOT EXISTS levels (
    id INTEGER PRIMARY KEY, store TEXT, category TEXT, low INTEGER, version INTEGER, body BLOB);
CREATE INDEX IF NOT EXISTS by_category ON levels (store, category, id);
CREATE INDEX IF NOT EXISTS by_low ON levels (store, low, id);
CREATE TABLE IF NOT EXISTS purchases (id INTEGER PRIMARY KEY, body BLOB);
"""
_readers = threading.local()
_lock = threading.Lock()


def connect():
    connection = sqlite3.connect(DATABASE, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def load(products, levels):
    """Fill the documents from the peer's seed."""
    db = connect()
    db.executescript(SCHEMA)
    by_id = {product["id"]: product for product in products}
    db.execute("BEGIN")
    for level in levels:
        product = by_id[level["product_id"]]
        body = {**level, "updated_at": level["updated_at"].isoformat(), "product": product}
        del body["product_id"]
        low = int(level["quantity"] <= level["reorder_level"])
        values = (level["id"], level["store"], product["category"], low, 1, json.dumps(body).encode())
        db.execute("INSERT INTO levels VALUES (?, ?, ?, ?, ?, ?)", values)
    db.execute("COMMIT")
    db.execute("ANALYZE")
    db.close()


_writer = connect()
_writer.executescript(SCHEMA)


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
    limit, offset, after = int(query.get("limit", 50)), int(query.get("offset", 0)), int(query.get("after", 0))
    clauses, values = ["store = ?"], [query["store"]]
    if "category" in query:
        clauses.append("category = ?")
        values.append(query["category"])
    if query.get("low_stock") == "true":
        clauses.append("low = 1")
    rows = (
        reader()
        .execute(
            f"SELECT body FROM levels WHERE {' AND '.join(clauses)} AND id > ? ORDER BY id LIMIT ? OFFSET ?",
            [*values, after, limit, offset],
        )
        .fetchall()
    )
    return b'{"items":[' + b",".join(row[0] for row in rows) + b"]}", 200, JSON


def purchase(body):
    number, quantity = body["inventory_id"], body["quantity"]
    now = datetime.now(UTC).isoformat()
    with _lock:
        found = _writer.execute("SELECT version, body FROM levels WHERE id = ?", (number,)).fetchone()
        if found is None:
            return json.dumps({"detail": "no such inventory"}), 404, JSON
        level = json.loads(found[1])
        if level["quantity"] < quantity:
            return json.dumps({"detail": "not enough stock"}), 409, JSON
        level["quantity"] -= quantity
        low = int(level["quantity"] <= level["reorder_level"])
        made = {"inventory_id": number, "quantity": quantity, "created_at": now}
        made["total"] = level["product"]["price"] * quantity
        _writer.execute("BEGIN IMMEDIATE")
        _writer.execute(
            "UPDATE levels SET body = ?, low = ?, version = version + 1 WHERE id = ? AND version = ?",
            (json.dumps(level).encode(), low, number, found[0]),
        )
        made["id"] = _writer.execute("INSERT INTO purchases (body) VALUES (?)", (json.dumps(made).encode(),)).lastrowid
        _writer.execute("COMMIT")
    return json.dumps(made), 201, JSON
