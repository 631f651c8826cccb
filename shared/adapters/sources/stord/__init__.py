"""Stord as a source of held orders (`sources.md` 2)."""

import random

from shared.core.clock import Clock
from shared.core.values import dataclass, field
from shared.oos.source import OrderSource
from shared.ports.fetch import Fetch

__all__ = ["Options", "source"]


@dataclass(frozen=True, slots=True)
class Options:
    """How Stord is read. Stord publishes no reference: each belief that may be wrong is here with a cautious default.

    `check_total` compares `total_count` with the rows of the walk, allowing for what changed meanwhile. `patience_s` is the
    longest wait slept inside a call.
    """

    token: str = field(repr=False)
    org_id: str
    network_id: str
    base_url: str = "https://api-next.stord.com/v1"
    orders_path: str = "orders/sales"
    statuses: tuple[str, ...] = ("open",)
    channel_ids: tuple[str, ...] = ()
    oos_line_statuses: tuple[str, ...] = ("backordered",)
    page_size: int = 100
    max_rps: float = 2.0
    check_total: bool = True
    look_up_batch: int = 10
    total_s: float = 25.0
    patience_s: float = 5.0
    user_agent: str = "onhand"


def source(options: Options, fetch: Fetch, clock: Clock, rng: random.Random) -> OrderSource:
    """Return the connector; build it once per process, since it holds the account's pace."""
    from shared.adapters.sources.stord.client import StordSource

    return StordSource(options, fetch, clock, rng)
