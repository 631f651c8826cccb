"""Inputs that mostly fit what an operation declares, made from its JSON schema and from ids that exist.

    made = Fitting(random.Random(1), {"product_id": ["prd_1"]})
    made.body(operation), made.path("/api/v1/products/{id}")

Whether a body is taken is for the operation to say: it may still break a rule that a schema cannot state.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.http.router import MULTIPART, Operation
from tests.client import Client

__all__ = ["NOWHERE", "Fitting", "known_ids"]

NOWHERE = "http://127.0.0.1:9"
"""An address that the guard of outbound calls refuses, so that no socket is opened."""
FORM_TYPE = f"{MULTIPART}; boundary=x"
_LISTS = (
    ("products", "product_id"),
    ("stores", "store_id"),
    ("categories", "category_id"),
    ("inventory", "inventory_id"),
    ("inventory/reservations", "reservation_id"),
    ("vendors", "vendor_id"),
    ("suppliers", "supplier_id"),
    ("users", "user_id"),
    ("alerts", "alert_id"),
    ("alerts/silences", "silence_id"),
    ("sales", "sale_id"),
    ("orders", "order_id"),
    ("transfer-orders", "transfer_id"),
    ("jobs", "job_id"),
    ("imports", "import_id"),
    ("ai/drafts", "draft_id"),
    ("sync/schedule", "schedule_id"),
)
_OLDER = {"/api/products": "product_id", "/api/stores": "store_id", "/api/inventory": "inventory_id"}
_OLDER |= {"/api/orders": "transfer_id", "/api/users": "user_id"}
_FORMATS = {"date-time": "2026-02-01T10:30:00Z", "date": "2026-01-15"}
_CODES = "4006381333931|5901234123457|9780201379624"
_WORDS = {
    "email": "{n}@onhand.example",
    "password": "a long phrase {n}",
    "new_password": "a long phrase {n}",
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "timezone": "Europe/Paris",
    "cron": "0 6 * * *",
    "cron_expression": "0 6 * * *",
    "schedule": "0 6 * * *",
    "country": "FR",
    "country_code": "FR",
    "time_of_day": "06:30",
    "barcode": _CODES,
    "code": _CODES,
    "source": "stord",
}
_MOST_DEEP = 5
_SAYS = {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}
"""One of these says what a value is; a key without is named only to be refused."""


def known_ids(client: Client) -> dict[str, list[str]]:
    """Return up to five ids of what exists, by the name a body would call them."""
    found: dict[str, list[str]] = {}
    for path, name in _LISTS:
        answer = client.get(f"/api/v1/{path}", limit=5)
        rows = answer.json.get("items", []) if answer.status == 200 else []
        found[name] = [str(row["id"]) for row in rows if "id" in row]
        skus = [str(row["sku"]) for row in rows if row.get("sku")]
        found.setdefault("sku", []).extend(skus if path == "products" else [])
    return found


class Fitting:
    """Makes bodies and paths, the same ones for the same seed."""

    def __init__(self, rng: random.Random, ids: Mapping[str, Sequence[str]]) -> None:
        """Take where chance comes from, and the ids that exist by name."""
        self._rng, self._ids = rng, ids
        self._definitions: dict[str, Any] = {}

    def path(self, pattern: str) -> str:
        """Return a path with ids in place of its variables, mostly ones that exist."""
        above, mark, below = pattern.partition("/{")
        while mark:
            name, _, below = below.partition("}")
            above = f"{above}/{self._id(self._noun(above, name))}{below.partition('/{')[0]}"
            _, mark, below = below.partition("/{")
        return above

    def body(self, operation: Operation) -> tuple[bytes | Any, dict[str, str]]:
        """Return a body and the headers it needs."""
        if MULTIPART in operation.accepts:
            content = f"sku,name,sale_price\r\nS{self._rng.randrange(10**6)},lamp,9.99\r\n"
            head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            return f"{head}{content}\r\n--x--\r\n".encode(), {"Content-Type": FORM_TYPE}
        if operation.body is None:
            return b"", {}
        schema = operation.body.model_json_schema()
        self._definitions = schema.get("$defs", {})
        return self._value("", schema, _MOST_DEEP), {}

    def query(self, operation: Operation) -> dict[str, Any]:
        """Return a query string's parameters, without a place in a list and without waiting."""
        if operation.query is None:
            return {}
        schema = operation.query.model_json_schema()
        self._definitions = schema.get("$defs", {})
        made = {name: each for name, each in self._object(schema, _MOST_DEEP).items() if each is not None}
        several = {name: ",".join(map(str, each)) for name, each in made.items() if isinstance(each, list)}
        return {name: each for name, each in (made | several).items() if name not in {"cursor", "wait"}}

    def _noun(self, above: str, name: str) -> str:
        if name != "id":
            return name
        plain = above.removeprefix("/api/v1/")
        return _OLDER.get(above) or dict(_LISTS).get(plain, "id")

    def _id(self, name: str) -> str:
        if name == "source":
            return "stord"
        known = self._ids.get(name, ())
        return self._rng.choice(known) if known and self._rng.random() < 0.9 else "unknown-id"

    def _value(self, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        """Return something that fits a schema."""
        if "$ref" in schema:
            return self._value(name, self._definitions[schema["$ref"].rpartition("/")[2]], depth)
        if "const" in schema or "enum" in schema:
            return schema.get("const") or self._rng.choice(schema["enum"])
        members = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if members:
            plain = [each for each in members if each != {"type": "null"}]
            return self._value(name, self._rng.choice(plain or members), depth)
        return self._of_type(name, schema, depth)

    def _of_type(self, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth - 1),
            "array": lambda: self._list(name, schema, depth - 1),
            "string": lambda: self._text(name, schema),
            "integer": lambda: self._number(schema),
            "number": lambda: self._number(schema),
            "boolean": lambda: self._rng.random() < 0.5,
        }
        maker = makers.get(str(schema.get("type")), lambda: None)
        return maker() if depth > 0 else None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        needed = schema.get("required", ())
        properties = {
            name: each
            for name, each in schema.get("properties", {}).items()
            if name in needed or (name != "version" and _SAYS & each.keys())
        }
        few = {name for name in properties if name in needed or self._rng.random() < 0.25}
        few |= set(self._rng.sample(sorted(properties), 1)) if properties and not few else set()
        return {name: self._value(name, properties[name], depth) for name in properties if name in few}

    def _list(self, name: str, schema: Mapping[str, Any], depth: int) -> list[Any]:
        singular = {"skus": "sku"}.get(name, name.removesuffix("s"))
        count = max(1, int(schema.get("minItems", 1)))
        return [self._value(singular, schema.get("items", {}), depth) for _ in range(count)]

    def _number(self, schema: Mapping[str, Any]) -> int:
        low = int(schema.get("minimum", schema.get("exclusiveMinimum", 0)))
        return max(low, 0) + self._rng.randrange(1, 4)

    def _text(self, name: str, schema: Mapping[str, Any]) -> str:
        meant = name.removeprefix("from_").removeprefix("to_")
        if meant in self._ids:
            return self._id(meant)
        if schema.get("format") in _FORMATS:
            return _FORMATS[str(schema["format"])]
        if name.endswith(("url", "uri")):
            return f"{NOWHERE if name == 'feed_url' else 'https://shop.example'}/{self._rng.randrange(100)}"
        if name in _WORDS:
            return self._rng.choice(_WORDS[name].split("|")).format(n=self._rng.randrange(10**9))
        if any(part in name for part in ("price", "cost", "amount", "total")):
            return f"{self._rng.randrange(1, 100)}.50"
        return f"text{self._rng.randrange(10**6)}"[: schema.get("maxLength", 64)]
