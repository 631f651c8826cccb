"""Merging: upsert by key, all or nothing, once per batch."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from shared.core.errors import Terminal, Transient
from tests.contract.warehouse.builders import AT, COUNTERS, READINGS, Desk, a_reading, stored

BAD_ROWS = {
    "unknown column": a_reading(colour="red"),
    "missing key": {"id": "r1"},
    "null in a required column": a_reading(id=None),
    "number as text": a_reading(note=5),
    "text as number": a_reading(count="five"),
    "fraction as integer": a_reading(count=1.5),
    "boolean as integer": a_reading(count=True),
    "integer beyond 64 bits": a_reading(count=2**63),
    "float as exact number": a_reading(amount=0.1),
    "exact number with ten decimals": a_reading(amount="0.1234567891"),
    "exact number not finite": a_reading(amount="NaN"),
    "word as exact number": a_reading(amount="much"),
    "time without zone": {"id": "r1", "at": AT.replace(tzinfo=None)},
    "text that is no time": {"id": "r1", "at": "yesterday"},
    "time as date": a_reading(day=AT),
    "word as boolean": a_reading(ok="yes"),
    "scalar as array": a_reading(tags="x"),
    "null in an array": a_reading(tags=[None]),
}


def test_new_rows_are_inserted_and_known_ones_replaced(desk: Desk) -> None:
    desk.warehouse.merge(READINGS, [a_reading(count=1, note="old"), a_reading(id="r2", count=2)], batch_id="one")

    sent = desk.warehouse.merge(READINGS, [a_reading(count=10), a_reading(id="r3", count=3)], batch_id="two")

    assert sent == 2
    assert desk.readings() == [stored(count=10), stored(id="r2", count=2), stored(id="r3", count=3)]


def test_rows_that_differ_in_any_key_column_are_different_rows(desk: Desk) -> None:
    later = AT.replace(year=2027)

    desk.warehouse.merge(READINGS, [a_reading(count=1), a_reading(at=later, count=2)], batch_id="one")

    assert desk.readings() == [stored(count=1), stored(at=later, count=2)]


def test_a_table_without_partition_is_merged_too(desk: Desk) -> None:
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}, {"id": "b", "n": 1}], batch_id="one")
    desk.warehouse.merge(COUNTERS, [{"id": "b", "n": 2}], batch_id="two")

    assert desk.counters() == {"a": 1, "b": 2}


def test_of_rows_with_one_key_the_last_wins(desk: Desk) -> None:
    sent = desk.warehouse.merge(COUNTERS, [{"id": "a", "n": n} for n in (1, 3, 2)], batch_id="one")

    assert sent == 3
    assert desk.counters() == {"a": 2}


def test_a_repeated_batch_reads_no_rows_and_changes_nothing(desk: Desk) -> None:
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}, {"id": "b", "n": 1}], batch_id="one")
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 2}], batch_id="two")

    sent = desk.warehouse.merge(COUNTERS, _Unread(), batch_id="one")

    assert sent == 2
    assert desk.counters() == {"a": 2, "b": 1}


def test_one_batch_id_may_go_into_two_tables(desk: Desk) -> None:
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one")
    desk.warehouse.merge(READINGS, [a_reading()], batch_id="one")

    assert desk.counters() == {"a": 1}
    assert desk.readings() == [stored()]


def test_a_batch_id_may_be_any_text(desk: Desk) -> None:
    for batch_id in ("run 1/ä'\"`", "x" * 2000, "🚚"):
        desk.warehouse.merge(COUNTERS, [{"id": batch_id[:1], "n": 1}], batch_id=batch_id)

    assert len(desk.counters()) == 3


def test_an_empty_batch_is_done_at_once_and_leaves_its_id_free(desk: Desk) -> None:
    assert desk.warehouse.merge(COUNTERS, [], batch_id="one") == 0
    assert desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one") == 1
    assert desk.counters() == {"a": 1}


@pytest.mark.parametrize("bad", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_refuses_its_whole_batch(desk: Desk, bad: dict[str, Any]) -> None:
    with pytest.raises(Terminal) as refusal:
        desk.warehouse.merge(READINGS, [a_reading(id="good"), bad], batch_id="one")

    assert refusal.value.code == "bad_rows"
    assert "Row 1 for readings" in refusal.value.detail
    assert desk.readings() == []


def test_a_failed_batch_may_be_sent_again(desk: Desk) -> None:
    with pytest.raises(Transient):
        desk.warehouse.merge(COUNTERS, _broken_off(), batch_id="one")
    assert desk.counters() == {}

    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one")

    assert desk.counters() == {"a": 1}


def test_a_merge_into_an_unknown_table_is_refused(desk: Desk) -> None:
    missing = type(COUNTERS)("missing", COUNTERS.row, key=("id",))

    with pytest.raises(Terminal) as refusal:
        desk.warehouse.merge(missing, [{"id": "a", "n": 1}], batch_id="one")

    assert refusal.value.code == "unknown_table"


def test_ensuring_tables_again_keeps_their_rows(desk: Desk) -> None:
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one")

    desk.warehouse.ensure([READINGS, COUNTERS])

    assert desk.counters() == {"a": 1}


def test_twenty_thousand_rows_are_one_batch(desk: Desk) -> None:
    """Also across pages of the answer."""
    rows = [{"id": f"c{number:05}", "n": number} for number in range(20_000)]

    assert desk.warehouse.merge(COUNTERS, iter(rows), batch_id="one") == 20_000
    assert desk.ask("SELECT COUNT(*) AS rows_, SUM(n) AS total FROM {counters}") == [
        {"rows_": 20_000, "total": 199_990_000}
    ]
    paged = desk.ask("SELECT id FROM {counters} WHERE n < 2500 ORDER BY id DESC")
    assert [row["id"] for row in paged] == [f"c{number:05}" for number in range(2499, -1, -1)]


def test_concurrent_merges_lose_nothing_and_double_nothing(desk: Desk) -> None:
    def work(worker: int) -> None:
        for step in range(3):
            rows = [{"id": f"own-{worker}-{step}", "n": step}, {"id": "shared", "n": worker}]
            desk.warehouse.merge(COUNTERS, rows, batch_id=f"{worker}-{step}")

    _together([partial(work, worker) for worker in range(6)])

    kept = desk.ask("SELECT id, n FROM {counters} ORDER BY id")
    assert [row["id"] for row in kept] == sorted([f"own-{w}-{s}" for w in range(6) for s in range(3)] + ["shared"])


def test_one_batch_delivered_six_times_at_once_is_merged_once(desk: Desk) -> None:
    sent = _together([lambda: desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}] * 3, batch_id="one")] * 6)

    assert sent == [3] * 6
    assert desk.ask("SELECT id, n FROM {counters} ORDER BY id") == [{"id": "a", "n": 1}]


def test_readers_see_a_batch_whole_or_not_at_all(desk: Desk) -> None:
    seen: set[tuple[int, int]] = set()

    query = "SELECT COUNT(DISTINCT n) AS batches, COUNT(*) AS total FROM {counters}"

    def read() -> None:
        for _ in range(10):
            seen.update((row["batches"], row["total"]) for row in desk.ask(query))

    def write() -> None:
        for n in range(5):
            desk.warehouse.merge(COUNTERS, [{"id": str(at), "n": n} for at in range(50)], batch_id=str(n))

    _together([read, write])

    assert seen <= {(0, 0), (1, 50)}


def _together(works: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once, started by a barrier; return their results or raise what one raised."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait(timeout=10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


class _Unread:
    """Rows that nobody may ask for."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        raise AssertionError


def _broken_off() -> Iterator[dict[str, Any]]:
    yield {"id": "a", "n": 1}
    raise Transient("gone", "The source broke off.")
