"""What a month of snapshots costs to keep: a refresh every 15 minutes, 5,000 open orders of which 2 % change each time.

The product's own publication writes into a SQLite store; the bytes counted are those of its documents. The yardstick is one
whole snapshot per refresh, as a store without chains keeps them. A day is measured and taken thirty times, its first frame
included; then moments all over it are read back, each by a reader that knows nothing, and their document reads counted.
"""

import random
import time
from datetime import timedelta
from typing import Any

from bench.feed_data import held_orders
from bench.harness import Outcome, Void
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.app.platform import INDEXES
from shared.core.clock import ManualClock, instant
from shared.core.ids import RandomIds
from shared.oos.chain import CHAINS
from shared.oos.publish import Base, Given, build, fresh_raw, load_base
from shared.oos.reader import SnapshotReader
from shared.oos.rules import reconcile
from shared.oos.snapshot import pack, snapshot_key, source_key
from shared.ports.documents import Put, Query, Stored
from shared.ports.store import Store

__all__ = ["measure"]

ORDERS, SHARE, PER_DAY, DAYS = 5_000, 0.02, 96, 31
MOST_READS, MOST_OF_WHOLE = 3, 0.15
SOURCE = "shipbob"


def measure() -> Outcome:
    """Publish a day, add its bytes up, read the past back."""
    documents = SqliteDocuments(":memory:", Shapes.read(INDEXES))
    clock = ManualClock()
    rng = random.Random(1)
    held = {order.order_id: order for order in held_orders(ORDERS)}
    whole, spent = 0, 0.0
    moments = []
    for number in range(PER_DAY):
        if number:
            _change(held, rng)
        began = time.process_time()
        kept = _publish(documents, clock, dict(held))
        spent += time.process_time() - began
        whole += len(pack(kept)) + len(pack(fresh_raw(held.values())))
        moments.append(clock.now())
        clock.advance(900)
    kept_bytes, frames = _bytes(documents)
    reads = _most_reads(documents, clock, moments)
    month, naive = kept_bytes * DAYS / 1e6, whole * DAYS / 1e6
    share = kept_bytes / whole
    value = (
        f"{month:.0f} MB a month against {naive:.0f} MB whole ({share:.1%}), {kept_bytes / PER_DAY / 1000:.0f} kB each, "
        f"{frames} frames a day, {spent / PER_DAY * 1000:.0f} ms CPU each; a moment of the past in {reads} reads"
    )
    passed = reads <= MOST_READS and share <= MOST_OF_WHOLE
    return Outcome(value, f"<= {MOST_OF_WHOLE:.0%} of whole snapshots, <= {MOST_READS} reads", passed=passed)


def _change(held: dict[str, Any], rng: random.Random) -> None:
    """Let 1 % of the orders change, and as many leave as come."""
    names = sorted(held)
    for order_id in rng.sample(names, int(ORDERS * SHARE / 2)):
        held[order_id].status = f"seen {rng.randrange(10**6)}"
        held[order_id].raw = {"id": order_id, "status": held[order_id].status}
    for order_id in rng.sample(names, int(ORDERS * SHARE / 4)):
        gone = held.pop(order_id)
        gone.order_id = str(rng.randrange(10**9, 10**10))
        held[gone.order_id] = gone


def _publish(documents: SqliteDocuments, clock: ManualClock, held: dict[str, Any]) -> dict[str, Any]:
    """Publish one complete read; return the rows as stored."""
    now = instant(clock.now())
    base: Base = load_base(documents, SOURCE, documents.get(source_key(SOURCE)))
    outcome = reconcile(base.open, held, _gone(base, held), {}, now)
    built = build(documents, RandomIds(clock), base, outcome, Given(now, now, fresh_raw(held.values())))
    for write in built.early:
        documents.commit([write])
    header = built.header.data()
    record = {"state": "published", "source": SOURCE, "made_at": now, "header": header}
    flip = [Put(source_key(SOURCE), {"source": SOURCE, "snapshot": header}), Put(snapshot_key(built.header.id), record)]
    documents.commit([*flip, *built.late])
    return dict(outcome.open)


def _gone(base: Base, held: dict[str, Any]) -> dict[str, Any]:
    from shared.oos.source import Fate, Verdict

    return {order_id: Verdict(Fate.SHIPPED) for order_id in base.open if order_id not in held}


def _bytes(documents: SqliteDocuments) -> tuple[int, int]:
    """Return the bytes of frames, logs and records, and how many frames of rows there are (half of all chains)."""
    logs = documents.query(Query(CHAINS, limit=10_000))
    records: list[Stored] = documents.query(Query("oos_snapshots", limit=10_000))
    pieces = [each for log in logs for each in _pieces(documents, log)]
    total = sum(len(each.data["data"]) for each in (*logs, *pieces)) + sum(len(str(each.data)) for each in records)
    return total, len(logs) // 2


def _pieces(documents: SqliteDocuments, log: Stored) -> list[Stored]:
    from shared.oos.chain import piece_key

    keys = [piece_key(log.key.id, number) for number in range(log.data["pieces"])]
    return list(documents.get_many(keys).values())


def _most_reads(documents: SqliteDocuments, clock: ManualClock, moments: list[Any]) -> int:
    """Read moments of the past with readers that know nothing; return the most document reads of any."""
    most = 0
    for moment in moments[::7]:
        reader = SnapshotReader(Store(documents, clock), clock, timedelta(hours=1))
        before = documents.counts.reads
        current = reader.at(SOURCE, moment)
        if current is None or current.loaded is None or len(current.loaded.open) != ORDERS:
            raise Void(f"the queue as of {moment} is not whole")
        most = max(most, documents.counts.reads - before)
    return most
