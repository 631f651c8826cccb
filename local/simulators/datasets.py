"""Data sets for the simulators: orders from a seed, or from real retail invoices."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.demo.baskets import Basket, Good, baskets, catalogue
from local.demo.retail import RetailReport, read_retail
from local.simulators.shipbob import build as shipbob
from local.simulators.shipbob.model import Order as ShipBobOrder
from local.simulators.stord import build as stord
from local.simulators.stord.model import Order as StordOrder
from local.simulators.world import Dataset

__all__ = ["ANCHOR", "SCENARIOS", "dataset", "dataset_from_retail", "shipbob_dataset", "stord_dataset"]

ANCHOR = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
SCENARIOS = ("default", "calm", "empty")
_SHIPBOB_HELD = 0.245
_STORD_HELD = 0.165
_RETAIL_HELD = 0.12


def dataset(seed: int, size: int, source: str, *, anchor: datetime = ANCHOR, scenario: str = "default") -> Dataset[Any]:
    """Make `size` orders of a source (`shipbob` or `stord`) spread over the 60 days before the anchor."""
    makers: dict[str, Callable[..., Dataset[Any]]] = {"shipbob": shipbob_dataset, "stord": stord_dataset}
    return makers[source](seed, size, anchor=anchor, scenario=scenario)


def shipbob_dataset(seed: int, size: int, *, anchor: datetime, scenario: str = "default") -> Dataset[ShipBobOrder]:
    """Make ShipBob orders; about a quarter of them wait (`calm`: none, `empty`: no orders at all)."""
    goods, stream = _stream(seed, size, anchor, scenario)
    held = int(size * _SHIPBOB_HELD) if scenario == "default" else 0
    return shipbob.build(stream, goods, seed=seed, anchor=anchor, held=held)


def stord_dataset(seed: int, size: int, *, anchor: datetime, scenario: str = "default") -> Dataset[StordOrder]:
    """Make Stord orders; about a sixth of them wait (`calm`: none, `empty`: no orders at all)."""
    goods, stream = _stream(seed + 1, size, anchor, scenario)
    held = int(size * _STORD_HELD) if scenario == "default" else 0
    return stord.build(stream, goods, seed=seed, anchor=anchor, held=held)


def dataset_from_retail(
    path: Path, source: str, seed: int, *, anchor: datetime = ANCHOR, held: float = _RETAIL_HELD
) -> tuple[Dataset[Any], RetailReport]:
    """Make one order of each invoice of the retail file; the seed chooses which wait. The report says what was found.

    The invoices' year is laid over the 60 days before the anchor, in its own order.
    """
    stream, goods, report = read_retail(path)
    aged = _aged(stream, anchor)
    builders: dict[str, Callable[..., Dataset[Any]]] = {"shipbob": shipbob.build, "stord": stord.build}
    made = builders[source](aged, goods, seed=seed, anchor=anchor, held=int(len(aged) * held))
    return made, report


def _stream(seed: int, size: int, anchor: datetime, scenario: str) -> tuple[list[Good], list[Basket]]:
    if scenario not in SCENARIOS:
        message = f"no scenario {scenario!r}; there are {', '.join(SCENARIOS)}"
        raise ValueError(message)
    goods = catalogue(seed)
    return goods, list(baskets(seed, 0 if scenario == "empty" else size, goods, anchor))


def _aged(stream: list[Basket], anchor: datetime, days: float = 60.0) -> list[Basket]:
    """Lay the baskets' times over the days before the anchor."""
    first, last = stream[0].at, stream[-1].at
    scale = (days * 86_400 - 120) / max(1.0, (last - first).total_seconds())
    end = anchor - timedelta(seconds=60)
    return [
        replace(basket, at=(end - timedelta(seconds=(last - basket.at).total_seconds() * scale)).replace(microsecond=0))
        for basket in stream
    ]
