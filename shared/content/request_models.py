"""The wire shapes of asking for texts and advice."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.content.models import Field_, Tone
from shared.content.pricing import Positioning
from shared.core.text import Id, Text

__all__ = ["AnalyzePricing", "BulkEnrich", "GenerateContent", "OptimizeSeo"]


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
