"""The fault words, their counts, and the text of SIM_FAULTS."""

import pytest

from local.simulators import FAULTS, Fault, known_faults, parse_faults
from local.simulators.faults import FaultQueue, matches_path


def test_sim_faults_reads_names_words_and_times() -> None:
    found = parse_faults("shipbob:http_500:3, stord:empty_list,shipbob:reset")

    assert found == {"shipbob": [Fault("http_500", 3), Fault("reset")], "stord": [Fault("empty_list")]}


def test_an_empty_text_holds_no_faults() -> None:
    assert parse_faults("") == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("fedex:reset", "shipbob, stord, bigbuy, aliexpress, shop"),
        ("stord:explode", "rate_limited"),
        ("stord", "name:fault"),
        ("stord:reset:0", "number of times"),
        ("stord:reset:many", "number of times"),
        ("stord:reset:1:2", "name:fault"),
        ("bigbuy:no_sitemap", "rate_limited"),
    ],
)
def test_unknown_words_are_refused_with_what_is_known(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="SIM_FAULTS") as refusal:
        parse_faults(text)

    assert named in str(refusal.value)


def test_all_problems_of_the_text_are_told_together() -> None:
    with pytest.raises(ValueError, match="explode") as refusal:
        parse_faults("stord:explode,shipbob:melt,shop:no_products")

    assert "melt" in str(refusal.value)


def test_the_shop_knows_three_words_more() -> None:
    assert known_faults("shop") == (*FAULTS, "no_product_list", "no_sitemap", "no_products")


def test_a_fault_lets_requests_through_first_and_ends_after_its_times() -> None:
    queue = FaultQueue()
    queue.add(Fault("reset", times=2, after=1))

    assert [queue.next(lambda _: True) for _ in range(4)] == [None, "reset", "reset", None]
    assert queue.listed() == []


def test_what_is_left_of_a_fault_is_told() -> None:
    queue = FaultQueue()
    queue.add(Fault("http_500", times=3, path="/order"))
    queue.next(lambda _: True)

    assert queue.listed() == [{"fault": "http_500", "times": 2, "after": 0, "path": "/order"}]


@pytest.mark.parametrize("fault", [Fault("reset", times=0), Fault("reset", after=-1)])
def test_counts_that_make_no_sense_are_refused(fault: Fault) -> None:
    with pytest.raises(ValueError, match="times"):
        FaultQueue().add(fault)


def test_a_path_is_the_beginning_of_any_name_of_the_request() -> None:
    fault = Fault("reset", path="/order?Page=2")

    assert matches_path(fault, ("/2026-07/order?Page=2", "/order?Page=2"))
    assert not matches_path(fault, ("/2026-07/order?Page=3", "/order?Page=3"))
