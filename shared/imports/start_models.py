"""What an import is started with, and the answer; looking at imports needs none of it."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.core.text import Id, Text
from shared.imports.models import Address, FeedType, Mapping
from shared.jobs.models import Accepted

__all__ = ["ImportAccepted", "ScrapeFeed", "ScrapeStore", "ScrapeUrl", "UploadForm"]


class ImportAccepted(Accepted):
    """The answer to an import taken on."""

    import_id: str


class ScrapeUrl(BaseModel, defer_build=True):
    """A product page to read."""

    url: Address
    extract_variants: bool = True
    extract_reviews: bool = False
    enrich_with_ai: bool = True
    dry_run: bool = False


class ScrapeStore(BaseModel, defer_build=True):
    """A shop to read."""

    store_url: Address
    max_products: Annotated[int, Field(ge=1, le=1000)] = 100
    category_filter: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    dry_run: bool = False


class ScrapeFeed(BaseModel, defer_build=True):
    """A product file at an address."""

    feed_url: Address
    feed_type: FeedType = "auto"
    mapping_config: Mapping | None = None
    update_existing: bool = True
    dry_run: bool = False
    supplier_id: Id | None = None


class UploadForm(BaseModel, defer_build=True):
    """The fields beside an uploaded file, as a form sends them."""

    feed_type: FeedType = "auto"
    mapping_config: Mapping | None = None
    update_existing: bool = True
    dry_run: bool = False
    supplier_id: Id | None = None
