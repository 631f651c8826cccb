"""How much a model was asked this month, today, and today by whom.

Counted once per request, when it is made, in the commit that starts its job. Each of the three may have a budget, and a request
that one of them has no room for asks for nothing.
"""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.content.models import UsageCounter
from shared.core.clock import Clock
from shared.core.errors import QuotaExceeded
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Stored, Write
from shared.ports.store import Store

__all__ = ["Budgets", "Usage"]

Data = dict[str, Any]
_EMPTY: Mapping[str, Any] = {"requests": 0, "tokens": 0, "days": {}, "by_kind": {}}


@dataclass(frozen=True, slots=True)
class Budgets:
    """How many requests there may be: in a month, on a day, on a day by one user; None is no bound."""

    month: int
    day: int | None = None
    user_day: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The counters of this deployment; months and days are those of UTC."""

    store: Store
    clock: Clock
    budgets: Budgets

    def take(self, kind: str, count: int, user_id: str) -> None:
        """Count a user's requests to a model; raise QuotaExceeded when a budget has no room for all of them."""
        today = self.clock.now().date()
        key = _key(today)

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(key)
            data = dict(stored.data if stored else _EMPTY)
            day = today.isoformat()
            self._require_room(data, day, user_id, count)
            data["requests"] += count
            data["days"] = {**data["days"], day: data["days"].get(day, 0) + count}
            data["users"] = {**data.get("users", {}), user_id: [day, _by_user(data, day, user_id) + count]}
            data["by_kind"] = {**data["by_kind"], kind: data["by_kind"].get(kind, 0) + count}
            return None, [Create(key, data) if stored is None else Put(key, data, stored.version)]

        self.store.change([key], decide)

    def add_tokens(self, tokens: int) -> None:
        """Add what an answer cost."""
        if not tokens:
            return
        key = _key(self.clock.now().date())

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(key)
            data = dict(stored.data if stored else _EMPTY)
            data["tokens"] += tokens
            return None, [Create(key, data) if stored is None else Put(key, data, stored.version)]

        self.store.change([key], decide)

    def counter(self, user_id: str) -> UsageCounter:
        """Return the month so far, and what this user asked for today."""
        today = self.clock.now().date()
        stored = self.store.get(_key(today))
        data = stored.data if stored else _EMPTY
        last = calendar.monthrange(today.year, today.month)[1]
        return UsageCounter(
            requests_today=data["days"].get(today.isoformat(), 0),
            requests_this_month=data["requests"],
            tokens_used=data["tokens"],
            quota_limit=self.budgets.month,
            quota_remaining=max(0, self.budgets.month - data["requests"]),
            daily_limit=self.budgets.day,
            user_requests_today=_by_user(data, today.isoformat(), user_id),
            user_daily_limit=self.budgets.user_day,
            period_start=today.replace(day=1),
            period_end=today.replace(day=last),
            by_kind=data["by_kind"],
        )

    def _require_room(self, data: Mapping[str, Any], day: str, user_id: str, count: int) -> None:
        """Raise QuotaExceeded, with the time until there is room again, for the first budget that has none."""
        spent = (
            (data["requests"], self.budgets.month, "this month"),
            (data["days"].get(day, 0), self.budgets.day, "today"),
            (_by_user(data, day, user_id), self.budgets.user_day, "for you today"),
        )
        for used, most, when in spent:
            if most is not None and used + count > most:
                left = _month_left(self.clock) if when == "this month" else _day_left(self.clock)
                detail = f"{max(0, most - used)} of {most} requests are left {when}."
                raise QuotaExceeded(detail, headers={"Retry-After": str(left)})


def _by_user(data: Mapping[str, Any], day: str, user_id: str) -> int:
    """Return what a user asked for on a day; only the last day of each user is kept."""
    last_day, number = data.get("users", {}).get(user_id, ("", 0))
    return int(number) if last_day == day else 0


def _day_left(clock: Clock) -> int:
    """Return the seconds to the next day."""
    now = clock.now()
    return int((now.replace(hour=23, minute=59, second=59, microsecond=0) - now).total_seconds()) + 1


def _key(day: date) -> Key:
    return Key("ai_usage", f"{day:%Y-%m}")


def _month_left(clock: Clock) -> int:
    """Return the seconds to the next month."""
    now = clock.now()
    last = calendar.monthrange(now.year, now.month)[1]
    end = now.replace(day=last, hour=23, minute=59, second=59, microsecond=0)
    return int((end - now).total_seconds()) + 1
