"""A published snapshot of the size the goals speak of: 5 000 held ShipBob orders, written by the product's own packer."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import SystemClock, instant, parse_instant
from shared.core.ids import RandomIds
from shared.oos.publish import Base, Given, build, fresh_raw
from shared.oos.rules import reconcile
from shared.oos.snapshot import source_key
from shared.oos.source import HeldLine, HeldOrder
from shared.ports.documents import Put, Write

__all__ = ["ORDERS", "SOURCE", "held_orders", "publish"]

ORDERS = 5000
SOURCE = "shipbob"
SEED = 1
_EVERY = timedelta(minutes=5)
_REFRESHES_A_DAY = timedelta(days=1) / _EVERY
_CENTRES = (("Fontana (CA)", "4"), ("Moreno Valley (CA)", "8"), ("Cicero (IL)", "250"))


def publish(data: Path, orders: int = ORDERS, *, aged_days: float = 0.0) -> None:
    """Write a snapshot of so many orders, and point to it, in the embedded store of a data folder.

    All were first seen by this refresh, or else by those of the days before, `aged_days` ago on average.
    """
    root = Path(__file__).resolve().parent.parent
    documents = SqliteDocuments(data / "onhand.db", Shapes.read(root / "infra/firestore.indexes.json"))
    now = instant(datetime.now(UTC))
    held = {order.order_id: order for order in held_orders(orders)}
    outcome = reconcile({}, held, {}, {}, now)
    if aged_days:
        _age(outcome.open.values(), parse_instant(now), aged_days)
    given = Given(now, now, fresh_raw(held.values()))
    built = build(documents, RandomIds(SystemClock()), Base(SOURCE), outcome, given)
    pointer = {"source": SOURCE, "snapshot": built.header.data(), "last_success_at": now, "last_status": "succeeded"}
    for write in built.early:
        documents.commit([write])
    flip: list[Write] = [Put(source_key(SOURCE), pointer | {"error": None})]
    documents.commit(flip)
    documents.close()


def _age(rows: Iterable[dict[str, Any]], now: datetime, days: float) -> None:
    """Let rows be first seen by refreshes of the past: five minutes apart, fewer the older, none at a round time."""
    rng = random.Random(SEED)
    for row in rows:
        refresh = int(rng.expovariate(1 / (days * _REFRESHES_A_DAY)))
        late = timedelta(seconds=random.Random(refresh).uniform(0, 60)) if refresh else timedelta()
        seen = instant(now - refresh * _EVERY - late)
        row |= {"first_seen_at": seen, "opened_at": seen}
        for line in row["lines"]:
            line["first_seen_at"] = seen


def held_orders(count: int) -> list[HeldOrder]:
    """Return reproducible held orders of one to three short lines."""
    rng = random.Random(SEED)
    return [_order(number, rng) for number in range(count)]


def _order(number: int, rng: random.Random) -> HeldOrder:
    bought = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(20 * 86400))
    shipment = str(rng.randrange(10**7))
    lines = [_line(rng, shipment) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    items = [{"sku": line.sku, "quantity": line.ordered_quantity, "status": "Exception"} for line in lines]
    return HeldOrder(
        source=SOURCE,
        order_id=str(1_000_000 + number),
        order_number=f"S-{rng.randrange(10**9):09d}",
        status="Exception",
        order_type="DTC",
        priority=None,
        channel=rng.choice(("Web", "Marketplace", "Retail")),
        channel_category="DTC",
        shipment_type=rng.choice(("Ground", "Two day", "Express")),
        custom_reference=f"web-{rng.randrange(10**8):08d}",
        customer_name=f"Customer {rng.randrange(10**6)}",
        customer_email=f"customer{rng.randrange(10**6)}@example.com",
        purchase_date=instant(bought),
        shipped_at=None,
        source_updated_at=instant(bought + timedelta(hours=2)),
        value=Decimal(rng.randrange(500, 90000)) / 100,
        currency="USD",
        lines=lines,
        line_items=items,
        raw={"id": 1_000_000 + number},
    )


def _line(rng: random.Random, shipment: str) -> HeldLine:
    """Return a line of a good, which has one price, held at a centre, which has one number."""
    good, wanted = rng.randrange(900), rng.randrange(1, 6)
    facility, facility_id = rng.choice(_CENTRES)
    return HeldLine(
        item=f"item-{good}",
        shipment_id=shipment,
        inventory_item_id=f"item-{good}",
        sku=f"SKU-{good:05d}",
        name=f"Ceramic thing {good}",
        facility=facility,
        facility_id=facility_id,
        ordered_quantity=wanted,
        committed_quantity=0,
        short_quantity=wanted,
        reason="out_of_stock",
        source_state="Exception",
        source_reason="OutOfStock",
        source_reason_id=303,
        unit_price=Decimal(random.Random(good).randrange(300, 9900)) / 100,
    )
