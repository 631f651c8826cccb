"""Which partitions a query reads: those that the constants its own scope compares the partition column with leave in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sqlglot import exp

__all__ = ["Bounds", "bounds_of", "condition_of", "is_bound"]

Bounds = tuple[datetime | None, datetime | None]
"""The first moment that is read and the first that is not any more; None: no bound."""


def condition_of(table: exp.Expr) -> exp.Expr | None:
    """Return what the scope of a table asks of its rows."""
    scope = table.find_ancestor(exp.Select, exp.Merge)
    return None if scope is None else scope.args.get("on" if isinstance(scope, exp.Merge) else "where")


def is_bound(predicate: exp.Expr, partition: str) -> bool:
    """Say whether a comparison has the partition column on one side and no column on the other."""
    if not isinstance(predicate, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.EQ | exp.Between):
        return False
    others = [one for name, one in predicate.args.items() if name != "this" and isinstance(one, exp.Expr)]
    sides = [predicate.this, *others]
    bare = [one for one in sides if isinstance(one, exp.Column) and one.name == partition]
    return len(bare) == 1 and all(one is bare[0] or one.find(exp.Column) is None for one in sides)


def bounds_of(table: exp.Expr, partition: str, unit: str, value_of: Callable[[exp.Expr], int]) -> Bounds:
    """Return the whole partitions that are left in; only what is ANDed counts.

    `value_of` works a constant out, in microseconds since 1970.
    """
    condition = condition_of(table)
    low: datetime | None = None
    high: datetime | None = None
    for predicate in _anded(condition):
        if not is_bound(predicate, partition):
            continue
        for lower, constant in _sides(predicate):
            moment = _moment(value_of(constant))
            if lower is not False:
                low = max(low or _first(moment, unit), _first(moment, unit))
            if lower is not True:
                high = min(high or _next(moment, unit), _next(moment, unit))
    return low, high


def _anded(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    if condition is None:
        return
    inner = condition.this if isinstance(condition, exp.Where | exp.Paren) else condition
    yield from inner.flatten() if isinstance(inner, exp.And) else [inner]


def _sides(predicate: exp.Expr) -> list[tuple[bool | None, exp.Expr]]:
    """Return the constants of a comparison: True bounds from below, False from above, None from both."""
    if isinstance(predicate, exp.Between):
        return [(True, predicate.args["low"]), (False, predicate.args["high"])]
    left, right = predicate.this, predicate.expression
    straight = isinstance(left, exp.Column)
    constant = right if straight else left
    if isinstance(predicate, exp.EQ):
        return [(None, constant)]
    return [(isinstance(predicate, exp.GT | exp.GTE) is straight, constant)]


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _first(moment: datetime, unit: str) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.replace(day=1) if unit == "MONTH" else day


def _next(moment: datetime, unit: str) -> datetime:
    first = _first(moment, unit)
    try:
        return _first(first + timedelta(days=32), unit) if unit == "MONTH" else first + timedelta(days=1)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
