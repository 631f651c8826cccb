"""What the wire shows of drafts, usage and price advice, and what it takes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.text import Id
from shared.core.times import From, To

__all__ = [
    "ApplyDraft",
    "ContentDraft",
    "DraftFilter",
    "DraftKind",
    "DraftStatus",
    "Field_",
    "Tone",
    "UsageCounter",
    "draft_of",
]

Field_ = Literal["title", "description", "seo_title", "seo_description"]


class DraftKind(StrEnum):
    """What a draft was asked for."""

    CONTENT = "content"
    SEO = "seo"
    ENRICH = "enrich"


class DraftStatus(StrEnum):
    """What became of a draft."""

    PENDING = "pending"
    APPLIED = "applied"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class Tone(StrEnum):
    """How a text should sound."""

    PROFESSIONAL = "professional"
    CASUAL = "casual"
    LUXURY = "luxury"


class ApplyDraft(BaseModel, defer_build=True):
    """Which of a draft's texts to take; all when absent."""

    fields: Annotated[list[Field_], Field(min_length=1, max_length=4)] | None = None


class ContentDraft(BaseModel, defer_build=True):
    """A text for a product, beside what the product says now."""

    id: str
    product_id: str
    product_version: int
    kind: DraftKind
    language: str
    tone: Tone
    fields: dict[str, str]
    current: dict[str, str | None]
    writer: str
    label: str | None
    notes: list[str]
    status: DraftStatus
    job_id: str
    tokens: int
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    version: int


class DraftFilter(PageQuery):
    """Which drafts to list, newest first."""

    product_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    status: Annotated[list[DraftStatus] | None, Field(max_length=10)] = None
    kind: Annotated[list[DraftKind] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class UsageCounter(BaseModel, defer_build=True):
    """What was asked of the model this month, today, and today by the caller; a limit that is null does not exist."""

    success: Literal[True] = True
    requests_today: int
    requests_this_month: int
    tokens_used: int
    quota_limit: int
    quota_remaining: int
    daily_limit: int | None
    user_requests_today: int
    user_daily_limit: int | None
    period_start: date
    period_end: date
    by_kind: dict[str, int]


def draft_of(draft_id: str, data: dict[str, Any]) -> ContentDraft:
    """Return a stored draft as shown."""
    return ContentDraft(id=draft_id, **{name: data[name] for name in ContentDraft.model_fields if name != "id"})
