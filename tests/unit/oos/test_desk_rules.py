"""Coverage, unblocking, phantom stock, analytics and promises: the rules of the desk on small, exact cases."""

import random
from datetime import UTC, datetime
from itertools import combinations

import pytest

from shared.oos.analytics import Figures, percentile
from shared.oos.coverage import OWN, Stock
from shared.oos.phantom import Phantom, hidden, phantoms
from shared.oos.promise import LEAST, Queue, promise
from shared.oos.rules import Row, reconcile
from shared.oos.samples import Sample
from shared.oos.source import Fate, Verdict
from shared.oos.unblock import unblock
from tests.unit.oos.rows import NOW, a_row, line_of

LEVELS = {"TEE-1": [["4", "West", 5, 0, 40], ["3", "East", 9, 9, 0], ["8", "North", 4, 3, None]]}


def stock(*rows: Row) -> Stock:
    """Return the stock of one 3PL with these held orders."""
    made = Stock()
    made.add_levels("shipbob", LEVELS, ["TEE-1"])
    made.add_held(rows)
    return made


def test_coverage_is_other_sites_with_units_beyond_their_own_held_demand() -> None:
    row = a_row("1")
    elsewhere = a_row("2", line_facility="East", line_facility_id="3", line_short_quantity=4, line_ordered_quantity=4)

    assert stock(row, elsewhere).coverage("shipbob", line_of(row)) == [
        {"source": "shipbob", "facility": "East", "available": 5},
        {"source": "shipbob", "facility": "North", "available": 3},
    ]


def test_demand_beyond_the_units_leaves_nothing_and_never_less() -> None:
    row = a_row("1")
    elsewhere = a_row("2", line_facility="East", line_short_quantity=99, line_ordered_quantity=99)

    assert [site["facility"] for site in stock(row, elsewhere).coverage("shipbob", line_of(row))] == ["North"]


def test_our_own_stores_cover_too() -> None:
    row, made = a_row("1"), stock()
    made.add_own("TEE-1", "MAIN", 20)

    assert made.coverage("shipbob", line_of(row))[0] == {"source": OWN, "facility": "MAIN", "available": 20}


def test_a_plan_is_not_offered_units_of_a_site_that_holds_orders_short_of_them() -> None:
    phantom = a_row("2", line_facility="East", line_short_quantity=1, line_ordered_quantity=1)

    assert stock(a_row("1"), phantom).supply(["TEE-1"]) == {"TEE-1": {"shipbob|North": 3}}


def test_phantom_stock_is_what_is_called_available_where_orders_are_held_short() -> None:
    held = a_row("2", line_facility="East", line_short_quantity=4, line_ordered_quantity=4)

    assert phantoms(stock(a_row("1"), held)) == [Phantom("shipbob", "East", "TEE-1", 9, 1, 4)]


def test_seeded_discrepancies_are_found_and_none_is_invented() -> None:
    """200 sites with held orders; those that call units available are exactly the findings."""
    rng = random.Random(9)
    made, expected = Stock(), set()
    for number in range(400):
        site, sku = f"site-{number}", f"SKU-{number}"
        available, is_held = rng.choice((0, 3)), rng.random() < 0.5
        made.add_levels("stord", {sku: [[None, site, available, available, 0]]}, [sku])
        if is_held:
            made.add_held([a_row(f"{number}", sku, source="stord", line_facility=site)])
        if is_held and available:
            expected.add((site, sku))

    assert {(one.facility, one.sku) for one in phantoms(made)} == expected
    assert len(expected) > 50


def test_hidden_stock_is_on_hand_never_available_and_nobody_waits_for_it() -> None:
    levels = {
        "A": [[None, "x", 5, 0, 0], [None, "y", 1, 0, 0]],
        "B": [[None, "x", 5, 1, 0]],
        "C": [[None, "x", 5, 0, 0]],
    }

    assert hidden(levels | {"D": [[None, "x", 0, 0, 0]]}, {"C"}) == {"A": 6}


def test_units_release_the_oldest_orders_first_and_pass_over_one_too_large() -> None:
    sizes = {"a": (3, "2026-01-03"), "b": (9, "2026-01-01"), "c": (2, "2026-01-02"), "d": (2, None)}
    rows = [
        a_row(key, line_short_quantity=units, purchase_date=f"{day}T00:00:00.000000Z" if day else None)
        for key, (units, day) in sizes.items()
    ]

    found = unblock(rows, "tee-1", 6)

    assert ([row["order_id"] for row in found.released], found.used) == (["c", "a"], 5)


def test_orders_that_wait_for_more_than_the_sku_do_not_release() -> None:
    rows = [a_row("1", "TEE-1", "CAP-2"), a_row("2", line_facility="East"), a_row("3")]

    assert [row["order_id"] for row in unblock(rows, "TEE-1", 50, "West").released] == ["3"]


def test_unblocking_equals_the_definition_on_every_small_case() -> None:
    """Exact: the released set is the one where each order, oldest first, was taken whenever it fitted what was left."""
    rng = random.Random(3)
    for _ in range(200):
        sizes = [rng.randint(1, 4) for _ in range(rng.randint(1, 7))]
        rows = [
            a_row(f"{number}", line_short_quantity=size, purchase_date=f"2026-01-{number + 1:02d}T00:00:00.000000Z")
            for number, size in enumerate(sizes)
        ]
        quantity = rng.randint(1, 12)
        subsets = [set(some) for size in range(len(rows) + 1) for some in combinations(range(len(rows)), size)]
        fitting = [some for some in subsets if sum(sizes[one] for one in some) <= quantity]
        first_come = max(fitting, key=lambda some: [number in some for number in range(len(rows))])

        assert {int(row["order_id"]) for row in unblock(rows, "TEE-1", quantity).released} == first_come


def test_analytics_count_units_pairs_customers_sites_and_hours() -> None:
    rows = [
        a_row("1", "A", "B"),
        a_row("2", "A", "B", customer_email="ADA@example.com"),
        a_row("3", "A", customer_email=None, customer_name=None),
    ]
    gone = reconcile({"2": rows[1]}, {}, {"2": Verdict(Fate.SHIPPED)}, {}, "2026-01-15T20:30:00.000000Z").resolved[0]
    figures = Figures()
    for row in (rows[0], gone, rows[2]):
        figures.add(row)

    shown = figures.shown()

    assert shown["sku_analytics"] == {
        "sku_frequency": {"A": 9, "B": 6},
        "sku_co_occurrence": {"A": {"B": 2}, "B": {"A": 2}},
    }
    assert shown["customer_analytics"] == {
        "total_customers_affected": 2,
        "repeat_customers_affected": 1,
        "top_repeat_customers": {"Ada Example": 2},
    }
    assert shown["fulfillment_analytics"]["facility_hotspots"] == [
        {"facility": "West", "source": "shipbob", "oos_count": 3}
    ]
    assert shown["operational_analytics"] == {
        "average_resolution_time_hours": {"shipbob": 10.0},
        "resolution_time_hours": {"shipbob": {"count": 1, "mean": 10.0, "median": 10.0, "p90": 10.0}},
    }
    assert figures.last_change == "2026-01-15T20:30:00.000000Z"


def test_percentiles_lie_between_the_nearest_values() -> None:
    assert [percentile([10, 20, 30, 40, 50], share) for share in (0, 0.5, 0.9, 1)] == [10, 30, 46, 50]


def test_a_promise_is_refused_without_enough_history() -> None:
    told = promise(a_row("1"), datetime(2026, 1, 15, 12, 30, tzinfo=UTC), [Sample(5, ("TEE-1",), "West")], Queue(3, 40))

    assert (told["status"], told["p50_at"], told["samples"]) == ("refused", None, 1)
    assert (told["queue_position"], told["incoming_units"]) == (3, 40)
    assert str(LEAST) in told["reason"]


def test_a_promise_looks_only_at_orders_that_took_longer_than_this_one_has_waited() -> None:
    samples = [Sample(hours, ("TEE-1",), "West") for hours in range(101)]

    told = promise(a_row("1"), datetime(2026, 1, 17, 12, 30, tzinfo=UTC), samples, Queue())

    assert (told["status"], told["basis"], told["samples"]) == ("estimated", "sku", 50)
    assert told["p50_at"] == "2026-01-18T14:00:00.000000Z"
    assert told["p90_at"] > told["p50_at"] > "2026-01-17T12:30"


def test_an_order_held_for_something_else_too_gets_no_date() -> None:
    row = a_row("1")
    row["lines"].append({**line_of(row), "reason": "hold_address"})

    told = promise(row, datetime(2026, 1, 17, tzinfo=UTC), [Sample(500, ("TEE-1",), None)] * 50, Queue())

    assert told["status"] == "refused"


@pytest.mark.parametrize("seed", range(4))
def test_promises_hold_on_replayed_history(seed: int) -> None:
    """At least 85 % of orders release before P90, and 40 to 60 % before P50."""
    rng = random.Random(seed)
    samples = [Sample(rng.expovariate(1 / 60), ("TEE-1",), "West") for _ in range(800)]
    opened = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
    before_p50 = before_p90 = asked = 0
    for _ in range(400):
        truth, waited = rng.expovariate(1 / 60), rng.uniform(0, 40)
        if truth <= waited:
            continue
        asked += 1
        told = promise(
            a_row("1", now=NOW), datetime.fromtimestamp(opened.timestamp() + waited * 3600, UTC), samples, Queue()
        )
        released = datetime.fromtimestamp(opened.timestamp() + truth * 3600, UTC).isoformat()
        before_p50 += released <= told["p50_at"]
        before_p90 += released <= told["p90_at"]

    print(f"seed {seed}: {asked} orders, {before_p50 / asked:.2f} before P50, {before_p90 / asked:.2f} before P90")
    assert before_p90 / asked >= 0.85
    assert 0.4 <= before_p50 / asked <= 0.6
