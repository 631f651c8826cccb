"""Forecasts of many products in one answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.core.errors import BadRequest, FieldError
from shared.core.values import dataclass
from shared.forecasting.models import Batch, BatchError, BatchQuery, ForecastQuery, ForecastSummary
from shared.inventory.keys import PRODUCTS, product_key
from shared.ports.documents import Position, Query

if TYPE_CHECKING:
    from shared.forecasting.service import Forecasts
    from shared.ports.store import Store

__all__ = ["BatchList"]

_PLACE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_Known = tuple[str, dict[str, Any] | None]


@dataclass(frozen=True)
class BatchList:
    """Named products in the order asked for, or all active ones by id; a page at a time."""

    store: Store
    forecasts: Forecasts

    def page(self, query: BatchQuery) -> Batch:
        """Return a page; a product without a forecast is an entry of `errors`."""
        products, following = self._products(query)
        wanted = ForecastQuery(forecast_days=query.forecast_days, use_cache=query.use_cache)
        made, errors = [], []
        for product_id, found in self.forecasts.batch(products, wanted):
            if "error" in found:
                errors.append(BatchError(product_id=product_id, error=found["error"]))
            elif found["confidence_score"] >= query.min_confidence:
                shown = {name: value for name, value in found.items() if name != "forecast"}
                made.append(ForecastSummary.model_validate(shown, strict=False))
        return Batch(
            total_products=len(products),
            successful_predictions=len(products) - len(errors),
            failed_predictions=len(errors),
            predictions=made,
            errors=errors,
            next_cursor=following,
        )

    def _products(self, query: BatchQuery) -> tuple[Sequence[_Known], str | None]:
        after = _read(query.cursor)
        if query.product_ids is not None:
            return self._named(list(dict.fromkeys(query.product_ids)), after, query.limit)
        place = Position(None, after) if after else None
        asked = Query(PRODUCTS, (("status", "active"),), limit=query.limit + 1, after=place)
        found = self.store.query(asked)
        shown = found[: query.limit]
        more = _written(shown[-1].key.id) if len(found) > query.limit else None
        return [(stored.key.id, stored.data) for stored in shown], more

    def _named(self, names: list[str], after: str | None, limit: int) -> tuple[Sequence[_Known], str | None]:
        if after is not None and after not in names:
            raise _bad_cursor()
        begin = names.index(after) + 1 if after is not None else 0
        shown = names[begin : begin + limit]
        found = self.store.get_many([product_key(name) for name in shown]) if shown else {}
        products = [(name, found[product_key(name)].data if product_key(name) in found else None) for name in shown]
        return products, _written(shown[-1]) if begin + limit < len(names) else None


def _written(last: str) -> str:
    return base64.urlsafe_b64encode(f"after:{last}".encode()).decode().rstrip("=")


def _read(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise _bad_cursor() from None
    word, _, last = text.partition(":")
    if word != "after" or not _PLACE.fullmatch(last):
        raise _bad_cursor()
    return last


def _bad_cursor() -> BadRequest:
    detail = "This cursor is not one of this list; start again without it."
    return BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
