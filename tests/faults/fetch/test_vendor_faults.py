"""R05 at the connector: every fault a simulated vendor knows, at once and in the middle, for ever and once.

A fault that stays is an error that names the page, never a shorter list; a fault that passes costs nothing; and after an
error the same cursor goes on to the full truth. The simulators serve on real sockets behind the guard.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.simulators.base import Options as World
from local.simulators.base import Simulator
from local.simulators.shipbob.simulator import ShipBob
from local.simulators.stord.simulator import Stord
from shared.adapters.fetch import GuardedFetch
from shared.adapters.fetch.guard import Guard
from shared.adapters.sources import shipbob, stord
from shared.core.clock import ManualClock, SystemClock
from shared.core.errors import Terminal, Transient
from shared.oos.source import Fate, HeldOrder, OrderSource, Verdict

# fault -> (error, its codes); an empty list is no error here: the look-ups and the domain deal with it.
FAULTS: dict[str, tuple[type[Exception], set[str]]] = {
    "rate_limited": (Transient, {"rate_limited"}),
    "http_500": (Transient, {"http_500"}),
    "http_502": (Transient, {"http_502"}),
    "http_503": (Transient, {"http_503"}),
    "http_504": (Transient, {"http_504"}),
    "html_error": (Transient, {"http_503"}),
    "html_ok": (Transient, {"not_json"}),
    "truncated": (Transient, {"truncated"}),
    "wrong_type": (Transient, {"not_json"}),
    "empty_body": (Transient, {"empty_body"}),
    "refused": (Transient, {"refused", "connection_lost"}),
    "reset": (Transient, {"connection_lost"}),
    "reset_in_body": (Transient, {"truncated"}),
    "slow_headers": (Transient, {"timeout"}),
    "slow_body": (Transient, {"timeout"}),
    "redirect": (Terminal, {"redirect"}),
    "token_revoked": (Terminal, {"credentials_rejected"}),
    "endless_pages": (Transient, {"empty_pages", "wrong_total"}),
    "wrong_total": (Transient, {"wrong_total"}),
}
PASSING = [
    fault
    for fault, (error, _) in FAULTS.items()
    if error is Transient and fault not in {"endless_pages", "wrong_total"}
]


# A total that rises in the middle of Stord's walk cannot be told from new orders, so that fault is there from the start.
CASES = [(fault, before) for fault in FAULTS for before in (0, 1) if (fault, before) != ("wrong_total", 1)]


class Setup:
    """A simulator, a connector in front of it, and the clock both live on."""

    def __init__(self, simulator: Simulator, clock: ManualClock, page_size: int = 15, total_s: float = 5.0) -> None:
        """Build the connector from the simulator's settings."""
        self.simulator, self.clock = simulator, clock
        fetch = GuardedFetch(SystemClock(), Guard([f"127.0.0.1:{simulator.port}"]))
        given = simulator.settings()
        self.token = given[f"{simulator.name.upper()}_API_TOKEN"]
        base_url, rng = given[f"{simulator.name.upper()}_BASE_URL"], random.Random(5)
        if simulator.name == "shipbob":
            bob = shipbob.Options(self.token, base_url, page_size=page_size, window_days=200, total_s=total_s)
            self.source: OrderSource = shipbob.source(bob, fetch, clock, rng)
        else:
            ord_ = stord.Options(
                self.token,
                given["STORD_ORG_ID"],
                given["STORD_NETWORK_ID"],
                base_url,
                total_s=total_s,
                page_size=page_size,
            )
            self.source = stord.source(ord_, fetch, clock, rng)

    def impatient(self) -> "Setup":
        """Return the same with little patience for slow answers."""
        return Setup(self.simulator, self.clock, total_s=0.2)

    def truth(self) -> set[tuple[str, str, str, str]]:
        """Return the grains that are held, with their reasons."""
        return {(row["order_id"], row["shipment_id"], row["item"], row["reason"]) for row in self.simulator.truth()}

    def read(self, cursor: dict[str, Any] | None, pages: int = 10_000) -> tuple[list[HeldOrder], dict[str, Any] | None]:
        """Read so many pages; return the orders and where to go on."""
        found: list[HeldOrder] = []
        while cursor is not None and pages > 0:
            page = self.source.page(json.loads(json.dumps(cursor)))
            found += page.orders
            cursor, pages = page.next, pages - 1
        return found, cursor


def grains(orders: list[HeldOrder]) -> set[tuple[str, str, str, str]]:
    return {
        (order.order_id, line.shipment_id or "-", line.item, line.reason) for order in orders for line in order.lines
    }


@pytest.fixture(scope="module", params=[ShipBob, Stord], ids=["shipbob", "stord"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[Simulator, ManualClock]]:
    """Return a running simulator of 240 orders and its clock, for all tests of this file."""
    clock = ManualClock(datetime(2026, 11, 23, 12, tzinfo=UTC))
    with request.param(clock, World(seed=11, size=240, slow_s=0.8)) as simulator:
        yield simulator, clock


@pytest.fixture
def setup(world: tuple[Simulator, ManualClock]) -> Iterator[Setup]:
    """Return a connector in front of the healthy simulator."""
    simulator, clock = world
    simulator.clear_faults()
    simulator.rate.clear()
    simulator.journal.clear()
    yield Setup(simulator, clock)
    simulator.clear_faults()


def test_a_healthy_walk_reads_the_truth_within_the_rate_and_asks_nothing_unknown(setup: Setup) -> None:
    orders, _ = setup.read(setup.source.begin(setup.clock.now()))

    assert grains(orders) == setup.truth()
    assert len({order.order_id for order in orders}) == len(orders)
    assert {entry["status"] for entry in setup.simulator.journal.entries()} == {200}
    assert [entry for entry in setup.simulator.journal.entries() if entry["unknown_parameters"]] == []
    assert len(setup.simulator.journal.entries()) >= 4


@pytest.mark.parametrize(("fault", "pages_before"), CASES)
def test_a_fault_that_stays_is_an_error_that_names_the_page_and_the_cursor_goes_on(
    setup: Setup, fault: str, pages_before: int
) -> None:
    error, codes = FAULTS[fault]
    before, cursor = setup.read(setup.source.begin(setup.clock.now()), pages_before)
    setup.simulator.fault(fault)
    with pytest.raises(error) as caught:
        (setup.impatient() if "slow" in fault else setup).read(cursor)
    setup.simulator.clear_faults()
    setup.simulator.rate.clear()

    assert isinstance(caught.value, (Transient, Terminal))
    assert caught.value.code in codes
    assert "page " in caught.value.detail
    assert setup.token not in caught.value.detail
    after, _ = setup.read(cursor)
    assert grains(before + after) == setup.truth()


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_not_noticed(setup: Setup, fault: str) -> None:
    setup.simulator.fault(fault, times=1, after=2)
    orders, _ = (setup.impatient() if "slow" in fault else setup).read(setup.source.begin(setup.clock.now()))

    assert grains(orders) == setup.truth()
    assert setup.simulator.faults() == []


def test_an_empty_list_is_a_complete_walk_and_its_orders_are_for_the_look_up(setup: Setup) -> None:
    held, _ = setup.read(setup.source.begin(setup.clock.now()))
    known = [(order.order_id, order.order_number) for order in held][: setup.source.look_up_batch]
    setup.simulator.fault("empty_list")
    orders, cursor = setup.read(setup.source.begin(setup.clock.now()))

    assert [order for order in orders if grains([order]) - setup.truth()] == []
    assert len(orders) < 5
    assert cursor is None
    setup.simulator.clear_faults()
    assert {verdict.fate for verdict in setup.source.look_up(known).values()} == {Fate.HELD}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "endless_pages"])
def test_a_look_up_under_a_fault_resolves_nothing(setup: Setup, fault: str) -> None:
    orders, _ = setup.read(setup.source.begin(setup.clock.now()))
    wanted = [(order.order_id, order.order_number) for order in orders][:2]
    setup.simulator.fault(fault)
    verdicts, trouble = looked_up((setup.impatient() if "slow" in fault else setup).source, wanted)

    assert {verdict.fate for verdict in verdicts.values()} <= {Fate.HELD}
    assert trouble is None or trouble.code in FAULTS[fault][1]
    assert (trouble is None) == (len(verdicts) > 0)


def looked_up(
    source: OrderSource, wanted: list[tuple[str, str | None]]
) -> tuple[dict[str, Verdict], Transient | Terminal | None]:
    try:
        return source.look_up(wanted), None
    except (Transient, Terminal) as trouble:
        return {}, trouble


def test_no_minute_holds_more_calls_than_the_vendor_allows(setup: Setup) -> None:
    limit = 150 if setup.simulator.name == "shipbob" else 120
    small = Setup(setup.simulator, setup.clock, page_size=5)
    while len(setup.simulator.journal.entries()) <= 2 * limit:
        small.read(small.source.begin(setup.clock.now()))
    entries = setup.simulator.journal.entries()
    times = [datetime.fromisoformat(entry["time"]).timestamp() for entry in entries]

    print(f"{len(times)} calls in {times[-1] - times[0]:.0f} virtual seconds")
    assert max(sum(1 for later in times if start <= later < start + 59.999) for start in times) <= limit
    assert {entry["status"] for entry in entries} == {200}
