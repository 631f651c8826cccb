"""How long held orders took to be resolved, kept small: the newest samples of a source in one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.core.clock import parse_instant
from shared.core.values import dataclass
from shared.oos.queue import order_name
from shared.oos.snapshot import pack, unpack
from shared.oos.views import in_feed
from shared.ports.documents import Key, Put, Stored

if TYPE_CHECKING:
    from shared.oos.rules import Row
    from shared.ports.store import Store

__all__ = ["Sample", "read_samples", "sample_write", "samples_key"]

SAMPLES = "oos_samples"
MOST = 5_000
_LEFT_BY_STOCK = frozenset({"released", "shipped"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished episode: hours from opening to release, the SKUs it waited for, and its facility."""

    hours: float
    skus: tuple[str, ...]
    facility: str | None


def sample_write(store: Store, source: str, gone: Sequence[Row]) -> Put:
    """Return the write that adds finished episodes; adding one again changes nothing."""
    key = Key(SAMPLES, source)
    present = store.get(key)
    kept: dict[str, Any] = unpack(present.data["packed"]) if present else {}
    for row in gone:
        if row["resolved_reason"] in _LEFT_BY_STOCK and in_feed(row):
            name = f"{order_name(source, row['order_id'])}#{row['episode']}"
            kept[name] = [row["resolved_at"], *_facts(row)]
    newest = sorted(kept.items(), key=lambda item: (item[1][0], item[0]))[-MOST:]
    return Put(key, {"packed": pack(dict(newest))}, present.version if present else None)


def read_samples(stored: Stored | None) -> list[Sample]:
    """Return the samples a document holds."""
    kept = unpack(stored.data["packed"]) if stored else {}
    return [Sample(hours, tuple(skus), facility) for _, hours, skus, facility in kept.values()]


def samples_key(source: str) -> Key:
    """Return where the samples of a source stand."""
    return Key(SAMPLES, source)


def _facts(row: Row) -> tuple[float, list[str], str | None]:
    spent = parse_instant(row["resolved_at"]) - parse_instant(row["opened_at"])
    skus = sorted({line["sku"] for line in row["lines"] if line["sku"]})
    facility = next((line["facility"] for line in row["lines"]), None)
    return round(max(0.0, spent.total_seconds()) / 3600, 2), skus, facility
