"""Documents in one SQLite file (or in memory): what `make run` and a single machine use, durable in WAL mode."""

from shared.adapters.sqlite.documents import SqliteDocuments

__all__ = ["SqliteDocuments"]
