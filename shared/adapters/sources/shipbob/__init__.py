"""ShipBob as a source of held orders (`sources.md` 1)."""

import random

from shared.core.clock import Clock
from shared.core.values import dataclass, field
from shared.oos.source import OrderSource
from shared.ports.fetch import Fetch

__all__ = ["Options", "source"]


@dataclass(frozen=True, slots=True)
class Options:
    """How ShipBob is read. Everything the vendor's documentation leaves open is here with a cautious default.

    `check_total` compares `Total-Count` with the rows of each frozen window. `rate_limit` is ours for any 60 seconds, a
    little under ShipBob's 150. `patience_s` is the longest wait slept inside a call.
    """

    token: str = field(repr=False)
    base_url: str = "https://api.shipbob.com"
    version: str = "2026-07"
    lookback_days: int = 365
    window_days: int = 30
    page_size: int = 250
    sort_order: str = "Oldest"
    check_total: bool = True
    rate_limit: int = 145
    most_pages: int = 20_000
    total_s: float = 25.0
    patience_s: float = 5.0
    user_agent: str = "onhand"


def source(options: Options, fetch: Fetch, clock: Clock, rng: random.Random) -> OrderSource:
    """Return the connector; build it once per process, since it holds the account's pace."""
    from shared.adapters.sources.shipbob.client import ShipBobSource

    return ShipBobSource(options, fetch, clock, rng)
