"""What a complete refresh means for the orders we knew."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.oos.rules import Outcome, Row, line_id, newest, reconcile, suspicious
from shared.oos.source import Fate, HeldOrder, Verdict
from tests.unit.oos.builders import a_line, an_order

T1, T2, T3, T4 = (f"2026-01-15T10:{minute}:00.000000Z" for minute in (10, 20, 30, 40))
SHIPPED = Verdict(Fate.SHIPPED)


def run(
    before: dict[str, Row],
    now: str,
    *orders: HeldOrder,
    verdicts: dict[str, Verdict] | None = None,
    past: Sequence[Row] = (),
) -> Outcome:
    """Reconcile one read."""
    held = newest(orders)
    return reconcile(before, held, verdicts or {}, {row["order_id"]: row for row in past}, now)


def test_an_order_seen_first_is_opened_at_the_time_of_the_run() -> None:
    """First sight: first_seen_at = opened_at = last_seen_at = now, episode 1."""
    outcome = run({}, T1, an_order("1"))

    row = outcome.open["1"]
    assert (outcome.opened, outcome.updated, outcome.reopened, outcome.unverified) == (1, 0, 0, 0)
    assert (row["first_seen_at"], row["opened_at"], row["last_seen_at"], row["episode"]) == (T1, T1, T1, 1)
    assert (row["state"], row["resolved_at"], row["value"]) == ("open", None, "58.50")
    assert row["lines"][0]["first_seen_at"] == T1


def test_an_order_seen_again_keeps_when_it_was_first_seen() -> None:
    """Scenario 1: only last_seen_at moves when nothing changed."""
    first = run({}, T1, an_order("1")).open
    second = run(first, T2, an_order("1"))

    assert second.updated == 1
    assert second.open["1"] == first["1"] | {"last_seen_at": T2}


def test_a_missing_order_is_resolved_with_what_the_look_up_says() -> None:
    """Scenarios 2 and 5: resolved with time and reason, never deleted."""
    before = run({}, T1, an_order("1"), an_order("2"), an_order("3"), an_order("4")).open
    fates = {"1": Fate.RELEASED, "2": Fate.SHIPPED, "3": Fate.CANCELLED, "4": Fate.VANISHED}

    outcome = run(before, T2, verdicts={key: Verdict(fate) for key, fate in fates.items()})

    assert outcome.open == {}
    assert {row["order_id"]: row["resolved_reason"] for row in outcome.resolved} == {
        key: fate.value for key, fate in fates.items()
    }
    assert {row["resolved_at"] for row in outcome.resolved} == {T2}
    assert all(
        line["is_open"] is False and line["resolved_at"] == T2 for row in outcome.resolved for line in row["lines"]
    )


def test_a_missing_order_whose_look_up_failed_stays_open_unchanged() -> None:
    """A failed look-up resolves nothing and does not count as seen."""
    before = run({}, T1, an_order("1")).open
    outcome = run(before, T2)

    assert (outcome.open, outcome.resolved, outcome.unverified) == (before, [], 1)


def test_a_missing_order_that_is_still_held_stays_open_and_is_seen() -> None:
    """An order older than the window is found by its look-up."""
    before = run({}, T1, an_order("1")).open
    outcome = run(before, T2, verdicts={"1": Verdict(Fate.HELD, an_order("1"))})

    assert outcome.open["1"]["last_seen_at"] == T2
    assert (outcome.updated, outcome.unverified) == (1, 0)


def test_an_order_that_comes_back_opens_a_new_episode_with_its_history() -> None:
    """Scenario 3: first_seen_at kept, opened_at new, the finished episode listed."""
    before = run({}, T1, an_order("1")).open
    gone = run(before, T2, verdicts={"1": SHIPPED}).resolved
    outcome = run({}, T3, an_order("1"), past=gone)

    row = outcome.open["1"]
    assert (outcome.reopened, outcome.opened, row["episode"]) == (1, 0, 2)
    assert (row["first_seen_at"], row["opened_at"], row["resolved_at"]) == (T1, T3, None)
    assert row["episodes"] == [{"opened_at": T1, "resolved_at": T2, "resolved_reason": "shipped"}]
    assert row["lines"][0]["first_seen_at"] == T1


def test_one_of_two_short_lines_is_resolved_while_the_order_stays() -> None:
    """Scenario 4: the replenished line is closed, the order remains."""
    before = run({}, T1, an_order("1", a_line("A"), a_line("B"))).open
    row = run(before, T2, an_order("1", a_line("B"))).open["1"]

    assert [line["sku"] for line in row["lines"]] == ["B"]
    assert [(line["sku"], line["is_open"], line["resolved_at"]) for line in row["closed_lines"]] == [("A", False, T2)]
    assert row["state"] == "open"


def test_a_line_that_comes_back_within_an_episode_keeps_when_it_was_first_seen() -> None:
    """A closed line reopens with its own history."""
    first = run({}, T1, an_order("1", a_line("A"), a_line("B"))).open
    second = run(first, T2, an_order("1", a_line("B"))).open
    row = run(second, T3, an_order("1", a_line("A"), a_line("B"))).open["1"]

    assert {line["sku"]: line["first_seen_at"] for line in row["lines"]} == {"A": T1, "B": T1}
    assert row["closed_lines"] == []


def test_a_move_to_another_facility_changes_attributes_and_adds_no_line() -> None:
    """Scenario 14: the grain has no facility in it."""
    before = run({}, T1, an_order("1", a_line("A", facility="West"))).open
    row = run(before, T2, an_order("1", a_line("A", facility="East", facility_id="3"))).open["1"]

    assert [(line["facility"], line["first_seen_at"]) for line in row["lines"]] == [("East", T1)]
    assert row["closed_lines"] == []


def test_the_batch_vector_of_one_source() -> None:
    """[1,2,3], [2,3,4], [], [2]: 1 resolved and 4 new; all resolved; 2 reopens with its first sight."""
    first = run({}, T1, *(an_order(key) for key in "123"))
    second = run(first.open, T2, *(an_order(key) for key in "234"), verdicts={"1": SHIPPED})
    third = run(second.open, T3, verdicts=dict.fromkeys("234", SHIPPED))
    fourth = run(third.open, T4, an_order("2"), past=third.resolved)

    assert sorted(second.open) == ["2", "3", "4"]
    assert ([row["order_id"] for row in second.resolved], second.opened) == (["1"], 1)
    assert (third.open, len(third.resolved)) == ({}, 3)
    assert (fourth.open["2"]["first_seen_at"], fourth.open["2"]["opened_at"], fourth.reopened) == (T1, T4, 1)


def test_the_newest_version_of_an_order_read_twice_wins() -> None:
    """Scenario 7: read on two pages, updated in between."""
    old = an_order("1", status="Exception", source_updated_at=T1)
    new = an_order("1", status="Processing", source_updated_at=T2)

    assert newest([new, old])["1"].status == "Processing"
    assert newest([old, new])["1"].status == "Processing"


def test_the_same_grain_twice_is_one_line_with_one_stable_id() -> None:
    """Line ids depend on the grain alone."""
    row = run({}, T1, an_order("1", a_line("A"), a_line("A"))).open["1"]

    assert [line["line_id"] for line in row["lines"]] == [line_id("shipbob", "1", "7002", "item-A")]


def test_a_line_is_named_by_what_it_shows_or_by_a_hash_where_that_is_no_id() -> None:
    """Parts with other characters, or too long together, are hashed."""
    assert line_id("shipbob", "1001", "7002", "261") == "oln_shipbob_1001_7002_261"
    assert line_id("stord", "038f2207-c4b3", None, "BELT-6") == "oln_stord_038f2207-c4b3__BELT-6"
    assert line_id("shipbob", "1", "2", "a_b") == "oln_" + hashed("shipbob", "1", "2", "a_b")
    assert line_id("shipbob", "1" * 60, None, "x") == "oln_" + hashed("shipbob", "1" * 60, "", "x")


def hashed(*parts: str) -> str:
    """Return the hash of a grain."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:26]


_PART = st.text(st.sampled_from("1a-_é/"), max_size=4) | st.text("0f", min_size=24, max_size=26)


@given(st.tuples(_PART, _PART, _PART), st.tuples(_PART, _PART, _PART))
def test_different_grains_have_different_ids_that_are_safe_to_send(one: Any, other: Any) -> None:
    """Ids are 1 to 64 of the characters that ids have."""
    ids = [line_id("shipbob", *grain) for grain in (one, other)]

    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in ids)
    assert (ids[0] == ids[1]) == (one == other)


def test_a_drop_is_suspicious_from_twenty_orders_and_more_than_half() -> None:
    """20 or more open and more than half vanished."""
    assert not suspicious(19, 19)
    assert not suspicious(20, 10)
    assert suspicious(20, 11)
    assert not suspicious(0, 0)


orders = st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("XYZ"), min_size=1), max_size=8)
fates = st.sampled_from([Fate.RELEASED, Fate.SHIPPED, Fate.CANCELLED, Fate.VANISHED, None])


@given(st.lists(st.tuples(orders, fates), max_size=8))
def test_any_series_of_reads_conserves_orders_and_history(reads: list[tuple[dict[str, set[str]], Fate | None]]) -> None:
    """Every order ever seen is open or resolved, never both; first sight never moves; episodes count the resolutions."""
    open_rows: dict[str, Row] = {}
    resolved: dict[str, Row] = {}
    first: dict[str, str] = {}
    closings: dict[str, int] = {}
    for number, (read, fate) in enumerate(reads):
        now = f"2026-01-15T10:{number:02d}:00.000000Z"
        held = [an_order(key, *(a_line(sku) for sku in sorted(skus))) for key, skus in read.items()]
        verdicts = {key: Verdict(fate) for key in open_rows if fate is not None}
        outcome = run(open_rows, now, *held, verdicts=verdicts, past=[resolved[key] for key in read if key in resolved])

        assert len(outcome.open) == outcome.opened + outcome.updated + outcome.reopened + outcome.unverified
        assert set(outcome.open) | {row["order_id"] for row in outcome.resolved} == set(open_rows) | set(read)
        open_rows = outcome.open
        for row in outcome.resolved:
            closings[row["order_id"]] = closings.get(row["order_id"], 0) + 1
            resolved[row["order_id"]] = row
        for key in open_rows:
            resolved.pop(key, None)
            first.setdefault(key, now)
        assert not set(open_rows) & set(resolved)
        for key, row in open_rows.items():
            assert row["first_seen_at"] == first[key]
            assert row["episode"] == closings.get(key, 0) + 1 == len(row["episodes"]) + 1


@given(orders)
def test_repeating_a_read_changes_only_when_it_was_last_seen(read: dict[str, set[str]]) -> None:
    """A run with the same vendor data is idempotent."""
    held = [an_order(key, *(a_line(sku) for sku in sorted(skus))) for key, skus in read.items()]
    first = run({}, T1, *held).open
    second = run(first, T2, *held).open

    assert second == {key: row | {"last_seen_at": T2} for key, row in first.items()}
