"""Sales as the shop backend knows them: parameters by JSON body or query, amounts as text, its own names."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json, to_json

from shared.core.errors import ValidationFailed
from shared.core.text import Id, Text, TimeZone
from shared.sales.buckets import Bucket
from shared.sales.models import BasketItem, Mode, NewSale
from shared.sales.report_models import ReportQuery

__all__ = ["ShopBasket", "ShopBasketQuery", "ShopReport", "ShopReportQuery", "shop_report", "shop_sale"]

Data = dict[str, Any]
Texts = Annotated[list[Annotated[Text, Field(max_length=200)]] | None, Field(max_length=500)]
Many = Annotated[list[Id], Field(max_length=500)]
_MOST_LINES = 100


class ShopBasket(BaseModel, defer_build=True):
    """A basket to buy."""

    items: Annotated[list[BasketItem], Field(min_length=1, max_length=_MOST_LINES)] | None = None
    mode: Mode | None = None


class ShopBasketQuery(BaseModel, defer_build=True):
    """The same as parameters: the items as JSON text, whole or one by one."""

    items: Texts = None
    mode: Mode | None = None

    def under(self, body: ShopBasket) -> NewSale:
        """Return the basket that body and query name together, the body first; raise ValidationFailed."""
        items = body.items if body.items is not None else self._items()
        if items is None:
            raise ValidationFailed.at("/items", "missing", "Give the items to buy.")
        return NewSale(items=items, mode=body.mode or self.mode or "partial")

    def _items(self) -> list[BasketItem] | None:
        if self.items is None:
            return None
        content = _json_list(self.items)
        if not isinstance(content, list) or not 1 <= len(content) <= _MOST_LINES:
            raise ValidationFailed.at("query:items", "invalid", f"Give 1 to {_MOST_LINES} items as JSON.")
        found = []
        for at, each in enumerate(content):
            try:
                found.append(BasketItem.model_validate_json(to_json(each), strict=True, context={"legacy": True}))
            except ValidationError:
                detail = "An item names a product_id and a quantity of 1 to 1000000."
                raise ValidationFailed.at(f"query:items/{at}", "invalid", detail) from None
        return found


class ShopReport(BaseModel, defer_build=True):
    """Which sales are counted, and how."""

    start_date: Annotated[Text, Field(max_length=40)] | None = None
    end_date: Annotated[Text, Field(max_length=40)] | None = None
    buckets: Bucket | None = None
    product_ids: Many | Text | None = None
    category_ids: Many | Text | None = None
    include_sales_items: bool | None = None
    shape: Literal["list", "map"] | None = None
    timezone: TimeZone | None = None


class ShopReportQuery(BaseModel, defer_build=True):
    """The same as parameters."""

    start_date: Annotated[Text, Field(max_length=40)] | None = None
    end_date: Annotated[Text, Field(max_length=40)] | None = None
    buckets: Bucket | None = None
    product_ids: Texts = None
    category_ids: Texts = None
    include_sales_items: bool | None = None
    shape: Literal["list", "map"] | None = None
    timezone: TimeZone | None = None

    def under(self, body: ShopReport) -> ReportQuery:
        """Return the report that body and query name together, the body first; raise ValidationFailed."""
        said = {name: _first(getattr(body, name), getattr(self, name)) for name in ShopReport.model_fields}
        for name in ("start_date", "end_date"):
            if said[name] is None:
                raise ValidationFailed.at(f"/{name}", "missing", "This parameter is needed.")
        products, categories = _ids(said["product_ids"]), _ids(said["category_ids"])
        if products is not None and categories is not None:
            raise ValidationFailed.at("/category_ids", "conflicting_parameters", "Give one kind of ids, not both.")
        return ReportQuery(
            start=said["start_date"],
            end=said["end_date"],
            bucket=said["buckets"] or Bucket.NONE,
            shape=said["shape"] or "map",
            timezone=said["timezone"] or "UTC",
            product_ids=products,
            category_ids=categories,
            include_sales_items=said["include_sales_items"] is not False,
        )


def shop_sale(sale_id: str | None, sale: Mapping[str, Any] | None, failed: Sequence[Data], user_id: str) -> Data:
    """Return a purchase as the shop backend shows it, also one that bought nothing."""
    items = sale["items"] if sale is not None else []
    return {
        "id": sale_id,
        "user_id": user_id,
        "total_amount": sale["total_amount"] if sale is not None else "0.00",
        "created_at": sale["created_at"] if sale is not None else None,
        "purchased_items": [
            {
                "id": line["id"],
                "sale_id": sale_id,
                "product_id": line["product_id"],
                "quantity": line["quantity"],
                "price_per_unit": line["unit_price"],
            }
            for line in items
        ],
        "failed_items": [_failed(one) for one in failed],
    }


def shop_report(shape: Mapping[str, Any]) -> Data:
    """Return a report as the shop backend shows it: amounts as text, periods under their older name."""
    texts: Data = _with_texts(shape)
    return {("bucketed_sales" if name == "buckets" else name): value for name, value in texts.items()}


def _failed(one: Mapping[str, Any]) -> Data:
    told = {"product_id": one["product_id"], "quantity": one["quantity"], "reason": one["reason"]}
    return told if one["available"] is None else {**told, "available": one["available"]}


def _with_texts(content: Any) -> Any:
    """Write every amount as text with two places; amounts are the floats of a report."""
    if isinstance(content, float):
        return f"{content:.2f}"
    if isinstance(content, Mapping):
        return {key: _with_texts(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_texts(each) for each in content]
    return content


def _first(body: Any, query: Any) -> Any:
    return query if body is None else body


def _ids(given: Any) -> list[str] | None:
    """Return ids given as a list, as text with commas, or as JSON text; numbers are read as text."""
    if given is None:
        return None
    texts = [given] if isinstance(given, str) else list(given)
    content = _json_list(texts) if texts and texts[0].lstrip().startswith("[") else ",".join(texts).split(",")
    found = [str(each).strip() for each in content] if isinstance(content, list) else []
    return [each for each in found if each] or None


def _json_list(texts: Sequence[str]) -> Any:
    """Read a list whose JSON text was split at its commas, or whose elements came one by one."""
    text = ",".join(texts)
    try:
        return from_json(text if text.lstrip().startswith("[") else f"[{text}]")
    except ValueError:
        return None
