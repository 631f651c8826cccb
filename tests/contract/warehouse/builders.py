"""Tables, rows and questions of the warehouse contract suite."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.ports.warehouse import Named, Table, Warehouse

SQL = Path(__file__).parent / "sql"
AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


class Reading(BaseModel):
    """One column of every type."""

    id: str
    at: datetime
    amount: Decimal | None
    count: int | None
    ratio: float | None
    ok: bool | None
    day: date | None
    note: str | None
    tags: list[str]
    amounts: list[Decimal]
    times: list[datetime]
    extra: dict[str, Any] | None


class Counter(BaseModel):
    """The smallest table."""

    id: str
    n: int


READINGS = Table("readings", Reading, key=("id", "at"), partition_by="at", cluster_by=("id",))
COUNTERS = Table("counters", Counter, key=("id",))


@dataclass(frozen=True)
class Desk:
    """A warehouse under test, a folder for ad hoc queries, and how to take the database away."""

    warehouse: Warehouse
    folder: Path
    break_down: Callable[[], None]

    def ask(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a query given as text."""
        return self.warehouse.query(self.named(text), parameters).rows

    def named(self, text: str) -> Named:
        """Make a query file of a text."""
        path = self.folder / f"query-{abs(hash(text))}.sql"
        path.write_text(text, encoding="utf-8")
        return Named(path, {"readings": READINGS, "counters": COUNTERS})

    def golden(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one of the suite's query files."""
        tables = {"readings": READINGS, "counters": COUNTERS}
        return self.warehouse.query(Named(SQL / f"{name}.sql", tables), parameters).rows

    def readings(self) -> list[dict[str, Any]]:
        """Return all readings by id and time."""
        return self.ask("SELECT * FROM {readings} WHERE at >= TIMESTAMP '1970-01-01 00:00:00+00' ORDER BY id, at")

    def counters(self) -> dict[str, int]:
        """Return all counters."""
        return {row["id"]: row["n"] for row in self.ask("SELECT id, n FROM {counters} ORDER BY id")}


def a_reading(**given: Any) -> dict[str, Any]:
    """Return a row that is null wherever it may be, but for what is given."""
    return {"id": "r1", "at": AT, **given}


def stored(**given: Any) -> dict[str, Any]:
    """Return how such a row comes back."""
    empty: dict[str, Any] = dict.fromkeys(Reading.model_fields) | {"tags": [], "amounts": [], "times": []}
    return {**empty, "id": "r1", "at": AT, **given}
