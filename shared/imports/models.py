"""Imports as clients see them: api.md 2.11."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.text import Text
from shared.core.times import From, To

__all__ = [
    "REPORT_KEYS",
    "Action",
    "DiffFilter",
    "DiffRow",
    "FeedType",
    "ImportError",
    "ImportFilter",
    "ImportKind",
    "ImportRun",
    "ImportStatus",
    "Totals",
]


class ImportKind(StrEnum):
    """Where the rows come from."""

    URL = "url"
    STORE = "store"
    FEED = "feed"
    UPLOAD = "upload"


class ImportStatus(StrEnum):
    """Where an import is in its life."""

    ANALYZING = "analyzing"
    READY = "ready"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class Action(StrEnum):
    """What a row does, or did."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    ERROR = "error"


FeedType = Literal["auto", "csv", "tsv", "xml", "json", "jsonl"]
Address = Annotated[Text, Field(min_length=1, max_length=2000)]
Mapping = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=200)], Annotated[Text, Field(max_length=100)]],
    Field(max_length=200),
]


class Totals(BaseModel, defer_build=True):
    """How many rows there are, and what they do."""

    rows: int = 0
    create: int = 0
    update: int = 0
    unchanged: int = 0
    skip: int = 0
    error: int = 0


class ImportError(BaseModel, defer_build=True):  # noqa: A001 - the word of the contract
    """One refused row, or (row 0) what is wrong with the whole file."""

    row: int
    field: str | None = None
    code: str
    message: str


class ImportRun(BaseModel, defer_build=True):
    """One import: what was read, what it changes or has changed."""

    id: str
    job_id: str | None
    kind: ImportKind
    source: str
    format: str | None
    status: ImportStatus
    dry_run: bool
    update_existing: bool
    mapping_config: dict[str, str] | None
    totals: Totals
    errors: list[ImportError]
    content_hash: str | None
    created_by: str | None
    created_at: datetime
    applied_at: datetime | None
    version: int


class DiffRow(BaseModel, defer_build=True):
    """What one row changes: each field before and after; `provenance` says where on a page a value was read."""

    row: int
    action: Action
    product_id: str | None
    sku: str | None
    fields: dict[str, dict[str, Any]]
    code: str | None
    provenance: dict[str, str] | None = None


class ImportFilter(PageQuery):
    """Which imports are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    kind: Annotated[list[ImportKind] | None, Field(max_length=10)] = None
    status: Annotated[list[ImportStatus] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class DiffFilter(PageQuery):
    """Which rows of a diff are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("row",)

    action: Annotated[list[Action] | None, Field(max_length=10)] = None


REPORT_KEYS = ("row", "action", "sku", "product_id", "code", "field", "message", "fields", "provenance")
"""The columns of a report: a row of the diff, and of a refused one what is wrong with which field."""
