"""Rate limits: token buckets in this process, and fixed windows shared by all instances for `login` and `costly`.

Buckets run on the injected monotonic clock, so steps of the wall clock change nothing. Their number is bounded: the one not
used for longest is forgotten, which only ever errs towards letting a caller pass.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from shared.core.clock import Clock, instant
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Stored, Write
from shared.ports.store import Store

if TYPE_CHECKING:
    from shared.core.settings import Settings

__all__ = ["Charge", "Limits", "Verdict"]

WINDOW_S = 60
MOST_BUCKETS = 50_000
COUNTERS = "rate_counters"
_SHARED = frozenset({"login", "costly"})


@dataclass(frozen=True, slots=True)
class Charge:
    """One request charged to a policy: whose bucket it is."""

    policy: str
    key: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tightest of the charged policies says; `headers` go on the answer, whatever it is."""

    allowed: bool
    retry_after: int
    headers: Mapping[str, str]


NO_LIMIT = Verdict(allowed=True, retry_after=0, headers={})


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class _State:
    """One policy after (or without) a charge: what remains, until when, and how long a refused caller waits."""

    policy: str
    limit: int
    remaining: int
    reset_s: int
    wait_s: int

    @property
    def tightness(self) -> tuple[bool, int, float]:
        """Order states: refused before allowed, longer waits first, then what is nearest to its end."""
        return (self.wait_s == 0, -self.wait_s, self.remaining / self.limit)


class Limits:
    """All policies of one process."""

    def __init__(self, settings: Settings, clock: Clock, store: Callable[[], Store]) -> None:
        """Take the limits per minute (0 is off), the clock, and where shared windows are counted (asked for on need)."""
        limits = {
            "ip": settings.rate_limit_ip,
            "user": settings.rate_limit_user,
            "login": settings.rate_limit_login,
            "refresh": settings.rate_limit_refresh,
            "costly": settings.rate_limit_costly,
        }
        self._limits = {policy: limit for policy, limit in limits.items() if limit}
        self._policies = {policy: f'"{policy}";q={limit};w={WINDOW_S}' for policy, limit in self._limits.items()}
        self._clock, self._store = clock, store
        self._buckets: OrderedDict[Charge, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, charges: list[Charge], *, only_look: bool = False) -> Verdict:
        """Charge one request to all its policies, or to none when one of them is used up."""
        charges = [charge for charge in charges if charge.policy in self._limits]
        if not charges:
            return NO_LIMIT
        states = self._take_tokens(charges, only_look=only_look)
        if not only_look and all(state.wait_s == 0 for state in states):
            states += [self._count(charge) for charge in charges if charge.policy in _SHARED]
        return self._verdict(min(states, key=lambda state: state.tightness))

    def _verdict(self, state: _State) -> Verdict:
        reset_at = int(self._clock.now().timestamp()) + state.reset_s
        headers = {
            "RateLimit-Policy": self._policies[state.policy],
            "RateLimit": f'"{state.policy}";r={state.remaining};t={state.reset_s}',
            "X-RateLimit-Limit": str(state.limit),
            "X-RateLimit-Remaining": str(state.remaining),
            "X-RateLimit-Reset": str(reset_at),
        }
        if state.wait_s:
            headers["Retry-After"] = str(state.wait_s)
        return Verdict(state.wait_s == 0, state.wait_s, headers)

    def _take_tokens(self, charges: list[Charge], *, only_look: bool) -> list[_State]:
        now = self._clock.monotonic()
        with self._lock:
            buckets = [self._filled(charge, now) for charge in charges]
            refused = any(bucket.tokens < 1 for bucket in buckets)
            if not refused and not only_look:
                for bucket in buckets:
                    bucket.tokens -= 1
            while len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
            return [
                self._state(charge.policy, bucket.tokens, refused=refused)
                for charge, bucket in zip(charges, buckets, strict=True)
            ]

    def _filled(self, charge: Charge, now: float) -> _Bucket:
        """Return the bucket with what has dripped in since it was last looked at."""
        limit = self._limits[charge.policy]
        bucket = self._buckets.get(charge)
        if bucket is None:
            bucket = self._buckets[charge] = _Bucket(float(limit), now)
            return bucket
        self._buckets.move_to_end(charge)
        bucket.tokens = min(float(limit), bucket.tokens + max(0.0, now - bucket.at) * limit / WINDOW_S)
        bucket.at = now
        return bucket

    def _state(self, policy: str, tokens: float, *, refused: bool) -> _State:
        limit = self._limits[policy]
        wait = ceil((1 - tokens) * WINDOW_S / limit) if refused and tokens < 1 else 0
        return _State(policy, limit, int(tokens), ceil((limit - tokens) * WINDOW_S / limit), wait)

    def _count(self, charge: Charge) -> _State:
        """Count a request in the window that all instances share; one document per policy, key and minute."""
        limit = self._limits[charge.policy]
        now = self._clock.now().timestamp()
        window = int(now) // WINDOW_S
        left = ceil((window + 1) * WINDOW_S - now)
        name = hashlib.sha256(f"{charge.policy}\n{charge.key}\n{window}".encode()).hexdigest()
        key = Key(COUNTERS, name)

        def decide(found: Mapping[Key, Stored]) -> tuple[int, list[Write]]:
            stored = found.get(key)
            if stored is None:
                ends = datetime.fromtimestamp((window + 2) * WINDOW_S, UTC) + timedelta(hours=1)
                return 1, [Create(key, {"count": 1, "expires_at": instant(ends)})]
            count = int(stored.data["count"]) + 1
            return count, [Put(key, {**stored.data, "count": count}, stored.version)] if count <= limit + 1 else []

        count = self._store().change([key], decide)
        return _State(charge.policy, limit, max(0, limit - count), left, 0 if count <= limit else left)
