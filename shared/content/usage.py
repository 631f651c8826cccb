"""How much a model was asked this month: counted once per request, when it is made, in the commit that starts its job."""

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

__all__ = ["Usage"]

Data = dict[str, Any]
_EMPTY: Mapping[str, Any] = {"requests": 0, "tokens": 0, "days": {}, "by_kind": {}}


@dataclass(frozen=True, slots=True)
class Usage:
    """The counters of this deployment; months and days are those of UTC."""

    store: Store
    clock: Clock
    quota: int

    def take(self, kind: str, count: int) -> None:
        """Count requests to a model; raise QuotaExceeded when the month has no room for all of them."""
        today = self.clock.now().date()
        key = _key(today)

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(key)
            data = dict(stored.data if stored else _EMPTY)
            if data["requests"] + count > self.quota:
                detail = f"{max(0, self.quota - data['requests'])} of {self.quota} requests are left this month."
                raise QuotaExceeded(detail, headers={"Retry-After": str(_seconds_left(self.clock))})
            day = today.isoformat()
            data["requests"] += count
            data["days"] = {**data["days"], day: data["days"].get(day, 0) + count}
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

    def counter(self) -> UsageCounter:
        """Return the month so far."""
        today = self.clock.now().date()
        stored = self.store.get(_key(today))
        data = stored.data if stored else _EMPTY
        last = calendar.monthrange(today.year, today.month)[1]
        return UsageCounter(
            requests_today=data["days"].get(today.isoformat(), 0),
            requests_this_month=data["requests"],
            tokens_used=data["tokens"],
            quota_limit=self.quota,
            quota_remaining=max(0, self.quota - data["requests"]),
            period_start=today.replace(day=1),
            period_end=today.replace(day=last),
            by_kind=data["by_kind"],
        )


def _key(day: date) -> Key:
    return Key("ai_usage", f"{day:%Y-%m}")


def _seconds_left(clock: Clock) -> int:
    """Return the seconds to the next month."""
    now = clock.now()
    last = calendar.monthrange(now.year, now.month)[1]
    end = now.replace(day=last, hour=23, minute=59, second=59, microsecond=0)
    return int((end - now).total_seconds()) + 1
