"""The wire shapes of categories and of their thresholds."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.catalog.models import CategoryName
from shared.core.page import PageQuery
from shared.core.quantities import Count, Version
from shared.core.text import Id, Text
from shared.core.times import From, To

__all__ = ["Category", "CategoryFilter", "CategoryPatch", "CategoryThresholds", "NewCategory", "ThresholdsPatch"]


def _slug(text: str) -> str:
    if not text or not all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in text):
        raise PydanticCustomError("invalid_slug", "A slug has the letters a to z, digits and hyphens only.")
    return text


Slug = Annotated[Text, AfterValidator(_slug), Field(min_length=1, max_length=100)]


class Category(BaseModel, defer_build=True):
    """A group of products."""

    id: str
    name: str
    slug: str
    product_count: int
    created_at: datetime
    updated_at: datetime
    version: int


class NewCategory(BaseModel, defer_build=True):
    """A category to make; the slug is made from the name when absent."""

    name: CategoryName
    slug: Slug | None = None


class CategoryPatch(BaseModel, defer_build=True):
    """What to change of a category."""

    name: CategoryName | None = None
    slug: Slug | None = None
    id: Any = None
    product_count: Any = None
    created_at: Any = None
    updated_at: Any = None
    version: Version | None = None


class CategoryThresholds(BaseModel, defer_build=True):
    """When products of a category are low that have no threshold of their own; id and version are the category's."""

    id: str
    threshold: int | None
    stores: dict[str, int]
    version: int


class ThresholdsPatch(BaseModel, defer_build=True):
    """What to change of a category's thresholds; `stores` says all that are to differ, null clears."""

    threshold: Count | None = None
    stores: Annotated[dict[Id, Count], Field(max_length=100)] | None = None
    id: Any = None
    version: Version | None = None


class CategoryFilter(PageQuery):
    """Which categories are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("name", "-created_at")

    created_from: From | None = None
    created_to: To | None = None
