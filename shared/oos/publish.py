"""Building a snapshot from a complete read: reconcile with the present one, render, pack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from shared.core.errors import Terminal
from shared.oos.rules import Outcome, Row, reconcile
from shared.oos.snapshot import Header, compress, digest, pack, piece_count, read_part, unpack
from shared.oos.source import HeldOrder, Verdict
from shared.oos.views import LEGACY_LIMIT, Shown, in_legacy_feed, legacy_view, newest_first
from shared.ports.documents import Data, Documents

__all__ = ["Base", "Built", "build", "load_base"]


@dataclass(slots=True)
class Base:
    """The snapshot a run starts from: its header (None before the first) and its open rows."""

    header: Header | None
    open: dict[str, Row]


@dataclass(slots=True)
class Built:
    """A snapshot ready to be written: header, packed parts, and what happened."""

    header: Header
    parts: dict[str, bytes]
    outcome: Outcome


def load_base(documents: Documents, pointer: Data | None) -> Base:
    """Read the open rows of the snapshot a source's pointer names; raise Terminal when they are gone."""
    if pointer is None or pointer.get("snapshot") is None:
        return Base(None, {})
    header = Header.of(pointer["snapshot"])
    rows = read_rows(documents, header)
    return Base(header, {row["order_id"]: row for row in rows if row["state"] == "open"})


def read_rows(documents: Documents, header: Header) -> list[Row]:
    """Read all rows of a snapshot, those it resolved included; raise Terminal when they are gone."""
    packed = read_part(documents, header.id, "rows", header.pieces["rows"])
    if packed is None:
        code = "snapshot_missing"
        raise Terminal(code, "The published snapshot has lost its rows.")
    rows: list[Row] = unpack(packed)
    return rows


@dataclass(slots=True)
class Read:
    """A complete read: what was held, what look-ups said, and the earlier rows of orders coming back."""

    held: Mapping[str, HeldOrder]
    verdicts: Mapping[str, Verdict]
    past: Mapping[str, Row]


def build(shown: Shown, source: str, base: Base, read: Read, base_raw: Callable[[], Mapping[str, Any]]) -> Built:
    """Reconcile and pack; `base_raw` reads the vendor records of the base snapshot and is called only when needed."""
    outcome = reconcile(base.open, read.held, read.verdicts, read.past, shown.fetched_at)
    rows = newest_first(outcome.open.values(), "opened_at") + outcome.resolved
    parts = {"rows": pack(rows), "raw": pack(_raw(outcome, read, base_raw))}
    listed = newest_first((row for row in outcome.open.values() if in_legacy_feed(row)), "last_seen_at")
    plain = to_json([legacy_view(row, shown) for row in listed[:LEGACY_LIMIT]])
    parts["legacy"] = compress(plain)
    header = Header(
        id=shown.snapshot_id,
        source=source,
        fetched_at=shown.fetched_at,
        open_orders=len(outcome.open),
        content_hash=digest(parts["rows"]),
        legacy_orders=len(listed),
        legacy_etag=digest(plain)[:32],
        pieces={part: piece_count(packed) for part, packed in parts.items()},
    )
    return Built(header, parts, outcome)


def _raw(outcome: Outcome, read: Read, base_raw: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Collect the newest vendor record of every row, from this read where it was seen."""
    fresh = {order_id: order.raw for order_id, order in read.held.items()}
    fresh |= {key: verdict.order.raw for key, verdict in read.verdicts.items() if verdict.order is not None}
    wanted = [*outcome.open, *(row["order_id"] for row in outcome.resolved)]
    older = base_raw() if any(order_id not in fresh for order_id in wanted) else {}
    return {order_id: fresh.get(order_id, older.get(order_id)) for order_id in wanted}
