"""Live stock of SKUs: asked of every configured source at once, ten seconds each, and never a false zero."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from shared.core.clock import Clock, instant
from shared.oos.source import OrderSource
from shared.oos.views import added
from shared.oos.words import SOURCES

__all__ = ["LiveStock"]

_BUDGET_S = 10.0
_Answer = Mapping[str, list[list[Any]] | None]


class LiveStock:
    """Asks the sources."""

    def __init__(self, clock: Clock, sources: Callable[[str], OrderSource], enabled: Sequence[str]) -> None:
        """Take time, the connector of a source by name, and which are configured."""
        self._clock, self._source, self._enabled = clock, sources, tuple(enabled)

    def of(self, skus: Sequence[str]) -> list[dict[str, Any]]:
        """Return the stock of SKUs (distinct without case) in their order, each source with a status of its own."""
        answers = self._ask(skus)
        now = instant(self._clock.now())
        return [self._item(sku, answers, now) for sku in skus]

    def _ask(self, skus: Sequence[str]) -> dict[str, _Answer]:
        asked = [name for name in SOURCES if name in self._enabled]
        if not asked:
            return {}
        with ThreadPoolExecutor(len(asked)) as pool:
            futures = {name: pool.submit(copy_context().run, self._ask_one, name, skus) for name in asked}
            return {name: future.result() for name, future in futures.items()}

    def _ask_one(self, name: str, skus: Sequence[str]) -> _Answer:
        stock = self._source(name).stock
        return dict.fromkeys(skus) if stock is None else stock.look_up(skus, _BUDGET_S)

    def _item(self, sku: str, answers: Mapping[str, _Answer], now: str) -> dict[str, Any]:
        sources = {name: _told(answers[name].get(sku), now) if name in answers else _unknown() for name in SOURCES}
        known = [sources[name]["status"] in {"ok", "not_found"} for name in answers]
        status = "unknown" if not known else "ok" if all(known) else "partial" if any(known) else "error"
        return {"sku": sku, "status": status, "as_of": now, "sources": sources}


def _told(sites: list[list[Any]] | None, now: str) -> dict[str, Any]:
    if sites is None:
        return {"status": "error", "on_hand": None, "available": None, "as_of": None, "locations": []}
    locations = [{"id": each[0], "name": each[1], "on_hand": each[2], "available": each[3]} for each in sites]
    sums = {name: added([location[name] for location in locations]) for name in ("on_hand", "available")}
    return {"status": "ok" if sites else "not_found", **sums, "as_of": now, "locations": locations}


def _unknown() -> dict[str, Any]:
    return {"status": "unknown", "on_hand": None, "available": None, "as_of": None, "locations": []}
