"""R05 on real sockets: whatever a vendor does, the old snapshot stays until a complete read replaces it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation, installed

FAULTS = (
    "rate_limited",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "html_error",
    "html_ok",
    "truncated",
    "wrong_type",
    "empty_body",
    "refused",
    "reset",
    "reset_in_body",
    "redirect",
    "token_revoked",
    "endless_pages",
    "wrong_total",
)
SOURCES = ("shipbob", "stord")


@pytest.fixture
def onhand(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose sources have been read once."""
    with installed(tmp_path) as made:
        yield made


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_refresh_publishes_exactly_what_the_vendor_holds(onhand: Installation, source: str) -> None:
    """Invariant 1: the open set equals the simulator's truth, grain by grain, with reasons."""
    run = onhand.refresh(source)

    assert run["status"] == "succeeded"
    assert onhand.held(source) == onhand.truth(source)
    assert len(onhand.truth(source)) > 50


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_fault_that_lasts_fails_the_run_and_keeps_what_was_there(
    onhand: Installation, source: str, fault: str
) -> None:
    """The snapshot, its bytes and the other source are untouched; the feed is stale; the next run repairs everything."""
    for name in SOURCES:
        onhand.refresh(name)
    simulator = onhand.simulators[source]
    before, bytes_before = onhand.held(source), onhand.get(f"/api/{source}/oos-orders").data
    other = onhand.held(SOURCES[1 - SOURCES.index(source)])
    _change_something(onhand, source)
    simulator.add_fault(fault, after=0 if fault == "wrong_total" else 1)

    run = onhand.refresh(source)

    assert (run["status"], run["snapshot_id"]) == ("failed", None)
    assert run["error"]["code"]
    assert onhand.held(source) == before
    assert onhand.get(f"/api/{source}/oos-orders").data == bytes_before
    assert onhand.held(SOURCES[1 - SOURCES.index(source)]) == other
    status = {one.source.value: one for one in onhand.app.refreshes.status().sources}[source]
    assert (status.stale, status.last_status) == (True, "failed")

    simulator.clear_faults()
    assert onhand.refresh(source)["status"] == "succeeded"
    assert onhand.held(source) == onhand.truth(source)


@pytest.mark.parametrize("fault", ["rate_limited", "http_500", "truncated", "reset", "html_ok"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_fault_that_passes_costs_a_retry_and_nothing_else(onhand: Installation, source: str, fault: str) -> None:
    """Two bad answers in the middle of a walk: the run still reads everything."""
    onhand.simulators[source].add_fault(fault, times=2, after=1)

    run = onhand.refresh(source)

    assert run["status"] == "succeeded"
    assert onhand.held(source) == onhand.truth(source)


@pytest.mark.parametrize("source", SOURCES)
def test_an_empty_list_resolves_nothing_by_itself(onhand: Installation, source: str) -> None:
    """Scenario 9: the vendor answers every list, look-ups included, with nothing: suspicious_drop, nothing published."""
    onhand.refresh(source)
    before = onhand.held(source)
    onhand.simulators[source].add_fault("empty_list")

    run = onhand.refresh(source)

    assert (run["status"], run["error"]["code"]) == ("failed", "suspicious_drop")
    assert onhand.held(source) == before


def test_one_source_down_does_not_touch_the_other(onhand: Installation) -> None:
    """Scenario 12."""
    onhand.refresh("shipbob")
    onhand.shipbob.add_fault("http_503")

    runs = (onhand.refresh("shipbob")["status"], onhand.refresh("stord")["status"])

    stale = {one.source.value: one.stale for one in onhand.app.refreshes.status().sources}
    assert (runs, stale) == (("failed", "succeeded"), {"shipbob": True, "stord": False})


def _change_something(onhand: Installation, source: str) -> None:
    """Let the vendor's truth differ from what was published."""
    order_id = min(onhand.open_ids(source))
    onhand.simulators[source].change({"op": "ship", "order_id": order_id})
