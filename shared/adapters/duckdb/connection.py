"""One DuckDB database in this process: a cursor per thread, transactions, and its errors in our words."""

import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.core.retry import Backoff

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Database"]

T = TypeVar("T")

_BACKOFF = Backoff(base_s=0.01, cap_s=0.25, deadline_s=10.0)
_OWNER = re.compile(r"held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
_SETTINGS = ("autoinstall_known_extensions", "autoload_known_extensions")


class Database:
    """A DuckDB file held open; every thread works on its own cursor of the one connection."""

    def __init__(self, path: str, clock: Clock, rng: random.Random) -> None:
        """Open (or create) the file; raise Terminal `warehouse_in_use` when another process owns it."""
        self._clock, self._rng = clock, rng
        self._root = _open(path)
        self._local = threading.local()

    def cursor(self) -> "DuckDBPyConnection":
        """Return this thread's cursor."""
        cursor: DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._root.cursor()
            cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def run(self, work: Callable[["DuckDBPyConnection"], T]) -> T:
        """Do read-only or single-statement work; again when another thread's write was in the way."""
        return self._retried(lambda: work(self.cursor()), "bad_query")

    def transact(self, work: Callable[["DuckDBPyConnection"], T]) -> T:
        """Do work as one transaction, rolled back when it raises; again when another write was in the way."""

        def attempt() -> T:
            cursor = self.cursor().execute("BEGIN TRANSACTION")
            try:
                result = work(cursor)
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
            return result

        return self._retried(attempt, "bad_rows")

    def close(self) -> None:
        """Write everything into the file and let other processes have it."""
        self._root.close()

    def _retried(self, attempt: Callable[[], T], refused: str) -> T:
        import duckdb

        for _ in _BACKOFF.tries(self._clock, self._rng):
            with _translated(refused):
                try:
                    return attempt()
                except duckdb.TransactionException as conflict:
                    if "conflict" not in str(conflict).lower():
                        raise
        raise Transient("warehouse_busy", "Too many writers are changing the warehouse at once.")


def _open(path: str) -> "DuckDBPyConnection":
    import duckdb

    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        root = duckdb.connect(path, config=dict.fromkeys(_SETTINGS, "false"))
    except duckdb.IOException as failure:
        owner = _OWNER.search(str(failure))
        if owner is None:
            raise Transient("warehouse_unavailable", f"The warehouse file {path} cannot be opened.") from failure
        detail = f"{path} is in use by process {owner['pid']} ({owner['program']}); a DuckDB file has one owner. "
        raise Terminal("warehouse_in_use", f"{detail}Stop that process or set DATA_DIR to another folder.") from failure
    root.execute("SET TimeZone = 'UTC'")
    return root


@contextmanager
def _translated(refused: str) -> Iterator[None]:
    """Turn DuckDB's errors into ours: what the caller asked for is Terminal, trouble of the database is Transient."""
    import duckdb

    try:
        yield
    except duckdb.CatalogException as unknown:
        raise Terminal("unknown_table", "The warehouse does not have that table, column or function.") from unknown
    except (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError, duckdb.NotSupportedError) as refusal:
        raise Terminal(refused, f"The warehouse refuses this ({type(refusal).__name__}).") from refusal
    except duckdb.Error as trouble:
        raise Transient("warehouse_unavailable", f"The warehouse fails ({type(trouble).__name__}).") from trouble
