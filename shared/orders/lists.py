"""What lists of orders ask of the store: what an index answers, and what is left to look at order by order.

An index holds equalities with the order of the list, or one word (or store) with it. More than one list of alternatives, or a
word together with anything else, is looked at order by order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import instant
from shared.core.values import dataclass
from shared.core.words import matches, words
from shared.inventory.rules import search_tokens
from shared.orders.record import SEARCHED, TRANSFERS
from shared.orders.rules import CUSTOMER_ORDERS, Status
from shared.ports.documents import Query, Stored

if TYPE_CHECKING:
    from shared.orders.customer_models import CustomerFilter
    from shared.orders.models import TransferFilter

__all__ = ["Asked", "customer_orders", "transfers"]

Keep = Callable[[Stored], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the condition it could not hold (None: it holds everything)."""

    query: Query
    keep: Keep | None = None


def transfers(wanted: TransferFilter, late_before: datetime) -> Asked:
    """Return what a list of transfer orders asks; `late_before` is when those were made that are late now."""
    given = {
        "status": wanted.status,
        "to_store_region": wanted.region,
        "category": wanted.category,
        "product_id": wanted.product_id,
        "requested_by": wanted.requested_by,
    }
    left: list[Keep] = []
    bounds = _bounds(wanted.created_from, wanted.created_to)
    if wanted.sla_expired is not None:
        left.append(_late(late_before, wanted=wanted.sla_expired))
    if wanted.sla_expired and wanted.status is None:
        given["status"] = [Status.PENDING_REVIEW]
    if wanted.sla_expired:
        limit = instant(late_before - timedelta(microseconds=1))
        bounds = (bounds[0], min(limit, bounds[1] or limit))
    return _asked(TRANSFERS, given, (SEARCHED, wanted.search), store_ids=wanted.store_id, left=left).within(
        bounds, by_time=wanted.order.field == "created_at"
    )


def customer_orders(wanted: CustomerFilter) -> Asked:
    """Return what a list of customers' orders asks."""
    given = {"status": wanted.status, "platform": wanted.platform}
    searched = (("order_number", "customer_email"), wanted.search)
    bounds = _bounds(wanted.created_from, wanted.created_to)
    return _asked(CUSTOMER_ORDERS, given, searched, left=[]).within(bounds, by_time=True)


@dataclass(frozen=True, slots=True)
class _Split:
    """A query without bounds yet, and the conditions left."""

    query: Query
    left: Sequence[Keep]

    def within(self, bounds: tuple[str | None, str | None], *, by_time: bool) -> Asked:
        """Add bounds of the time of making: to the index when the list is in that order."""
        left = list(self.left)
        query = self.query
        if bounds != (None, None):
            if by_time:
                query = replace(query, at_least=bounds[0], at_most=bounds[1])
            else:
                left.append(_between(bounds))
        return Asked(query, (lambda stored: all(holds(stored) for holds in left)) if left else None)


def _asked(
    collection: str,
    given: Mapping[str, Sequence[Any] | None],
    searched: tuple[Sequence[str], str | None],
    *,
    left: list[Keep],
    store_ids: Sequence[str] | None = None,
) -> _Split:
    filters = {name: _values(values) for name, values in given.items() if values is not None}
    fields, search = searched
    if search is not None or store_ids is not None:
        left = left + [_among(name, values) for name, values in filters.items()]
        if store_ids is not None:
            left.append(lambda stored: any(each in stored.data["store_ids"] for each in store_ids))
        if search is None:
            one = store_ids[0] if store_ids is not None and len(store_ids) == 1 else None
            return _Split(Query(collection, contains=("store_ids", one) if one is not None else None), left)
        wanted = words(search)
        left.append(lambda stored: bool(wanted) and matches(wanted, (stored.data[name] for name in fields)))
        longest = max(search_tokens([max(wanted, key=len, default=None)]), key=len, default="-")
        return _Split(Query(collection, contains=("tokens", longest)), left)
    many = [name for name, values in filters.items() if len(values) > 1]
    left = left + [_among(name, filters.pop(name)) for name in many[1:]]
    equals = tuple((name, values[0] if len(values) == 1 else values) for name, values in filters.items())
    return _Split(Query(collection, equals), left)


def _values(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(getattr(each, "value", each) for each in values))


def _among(name: str, values: tuple[Any, ...]) -> Keep:
    return lambda stored: stored.data[name] in values


def _between(bounds: tuple[str | None, str | None]) -> Keep:
    low, high = bounds
    return lambda stored: (
        (low or "") <= stored.data["created_at"] and (high is None or stored.data["created_at"] <= high)
    )


def _late(late_before: datetime, *, wanted: bool) -> Keep:
    limit = instant(late_before)
    late = Status.PENDING_REVIEW.value
    return lambda stored: (stored.data["status"] == late and stored.data["created_at"] < limit) is wanted


def _bounds(low: datetime | None, high: datetime | None) -> tuple[str | None, str | None]:
    return (instant(low) if low else None), (instant(high) if high else None)
