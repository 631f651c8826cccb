"""What the wire shows of drafts, usage and price advice, and what it takes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.content.pricing import Positioning
from shared.core.page import PageQuery
from shared.core.text import Id, Text
from shared.core.times import From, To

__all__ = [
    "AnalyzePricing",
    "ApplyDraft",
    "BulkEnrich",
    "ContentDraft",
    "DraftFilter",
    "DraftKind",
    "DraftStatus",
    "Field_",
    "GenerateContent",
    "OptimizeSeo",
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


Language = Annotated[Text, Field(min_length=2, max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class GenerateContent(BaseModel, defer_build=True):
    """Which texts of a product to write."""

    product_id: Id
    content_types: Annotated[list[Field_], Field(min_length=1, max_length=4)] = ["title", "description"]
    language: Language = "fr"
    tone: Tone = Tone.PROFESSIONAL


class OptimizeSeo(BaseModel, defer_build=True):
    """Which products' search texts to write."""

    product_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    target_keywords: (
        Annotated[list[Annotated[Text, Field(min_length=1, max_length=100)]], Field(max_length=20)] | None
    ) = None
    language: Language = "fr"


class Criteria(BaseModel, defer_build=True):
    """Which products to enrich."""

    category: Annotated[Text, Field(max_length=100)] | None = None
    category_id: Id | None = None
    brand: Annotated[Text, Field(max_length=100)] | None = None
    status: Literal["active", "draft", "paused", "archived"] | None = None
    supplier_id: Id | None = None
    stock_status: Literal["critical", "low", "sufficient"] | None = None


class BulkEnrich(BaseModel, defer_build=True):
    """Which products to enrich, with what."""

    filter_criteria: Criteria = Criteria()
    enrichment_types: Annotated[list[Literal["description", "seo"]], Field(min_length=1, max_length=2)] = [
        "description",
        "seo",
    ]
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class AnalyzePricing(BaseModel, defer_build=True):
    """Which products' prices to look at."""

    product_ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    competitor_analysis: bool = True
    market_positioning: Positioning = Positioning.COMPETITIVE


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
