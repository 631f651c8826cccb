"""Stord's walk over an opaque cursor, every way a page can be odd, and look-ups by search."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.adapters.fetch import Answer
from shared.core.errors import Terminal, Transient
from shared.oos.source import Fate
from shared.ports.fetch import Request
from tests.unit.sources.builders import a_stord, answer, query_of, stord_order, walk

LIMIT = 10
BASE = "https://api.stord.test/v1/organizations/org/oms/networks/net"


class Network:
    """Orders behind a cursor, and a search that may find more than asked for."""

    def __init__(self, count: int, *, total: int | None = -1, nested: bool = False) -> None:
        """Hold so many orders, W-1 and on; tell the true total, another, or (None) none."""
        self.rows = [stord_order(f"W-{number}") for number in range(1, count + 1)]
        self.total = count if total == -1 else total
        self.nested = nested

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        query = query_of(request)
        if "search_term" in query:
            field, term = query["search_field"], query["search_term"]
            return answer({"data": [row for row in self.rows if term in row[field]], "metadata": {"after": None}})
        start, limit = int(query.get("after", "c0")[1:]), int(query["limit"])
        after = f"c{start + limit}" if start + limit < len(self.rows) else None
        rows: list[Any] = self.rows[start : start + limit]
        metadata = {"after": after} | ({} if self.total is None else {"total_count": self.total})
        return answer({"data": [[row] for row in rows] if self.nested else rows, "metadata": metadata})


def held_ids(script: Callable[[Request], Answer], **options: Any) -> list[str]:
    source, _, clock = a_stord(script, page_size=LIMIT, **options)
    return walk(source, clock)


def failure(script: Callable[[Request], Answer], **options: Any) -> Transient | Terminal:
    with pytest.raises((Transient, Terminal)) as caught:
        held_ids(script, **options)
    assert isinstance(caught.value, (Transient, Terminal))
    return caught.value


@pytest.mark.parametrize("count", [0, 1, 10, 11, 35])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("total", [-1, None])
def test_the_walk_reads_every_order_once(count: int, nested: bool, total: int | None) -> None:
    assert held_ids(Network(count, total=total, nested=nested)) == [f"W-{number}" for number in range(1, count + 1)]


def test_an_answer_without_metadata_is_the_last_page() -> None:
    assert held_ids(lambda _: answer({"data": [stord_order("W-1")]})) == ["W-1"]


def test_statuses_and_channels_are_repeated_parameters_on_every_page() -> None:
    source, fetch, clock = a_stord(
        Network(15), page_size=LIMIT, statuses=("open", "partially_shipped"), channel_ids=("c-1", "c-2")
    )
    walk(source, clock)
    filters = [
        ("limit", "10"),
        ("status[]", "open"),
        ("status[]", "partially_shipped"),
        ("channel_id[]", "c-1"),
        ("channel_id[]", "c-2"),
    ]

    assert [parse_qsl(urlsplit(request.url).query) for request in fetch.requests] == [
        filters,
        [*filters, ("after", "c10")],
    ]
    assert {request.url.partition("?")[0] for request in fetch.requests} == {f"{BASE}/orders/sales"}


def test_calls_are_half_a_second_apart() -> None:
    source, _, clock = a_stord(Network(35), page_size=LIMIT)
    walk(source, clock)

    assert clock.monotonic() == 1.5


def test_the_cursor_is_small_json_and_a_new_process_goes_on_with_it() -> None:
    network = Network(95)
    first, _, clock = a_stord(network, page_size=LIMIT)
    second, _, _ = a_stord(network, page_size=LIMIT)
    page = first.page(first.begin(clock.now()))
    text = json.dumps(page.next)
    cursor = json.loads(text)
    found = [order.order_id for order in page.orders]
    while cursor is not None:
        page = second.page(cursor)
        found += [order.order_id for order in page.orders]
        cursor = page.next

    assert found == [f"W-{number}" for number in range(1, 96)]
    assert len(text) < 500


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_cursors_in_a_circle_are_an_error(length: int) -> None:
    def script(request: Request) -> Answer:
        at = int(query_of(request).get("after", "c-1")[1:])
        return answer({"data": [stord_order("W-1")], "metadata": {"after": f"c{(at + 1) % length}"}})

    assert failure(script).code == "page_cycle"


def test_empty_pages_that_name_a_next_page_end_with_an_error() -> None:
    def script(request: Request) -> Answer:
        return answer({"data": [], "metadata": {"after": query_of(request).get("after", "") + "x"}})

    error = failure(script)
    assert error.code == "empty_pages"
    assert error.detail.startswith("Stord, page 4 of the orders: ")


@pytest.mark.parametrize("total", [28, 42, 1000])
def test_a_total_that_disagrees_with_the_rows_is_never_complete(total: int) -> None:
    assert failure(Network(35, total=total)).code == "wrong_total"


def test_a_total_that_moves_while_reading_may_differ_by_as_much() -> None:
    network = Network(35, total=40)

    def script(request: Request) -> Answer:
        network.total = (network.total or 0) - 2
        return network(request)

    assert len(held_ids(script)) == 35


def test_fresh_orders_without_end_are_cut_off_by_the_total() -> None:
    def script(request: Request) -> Answer:
        at = int(query_of(request).get("after", "0"))
        return answer(
            {
                "data": [stord_order(f"W-{at}-{n}") for n in range(10)],
                "metadata": {"after": str(at + 1), "total_count": 35},
            }
        )

    assert failure(script).code == "wrong_total"


@pytest.mark.parametrize("body", [[], {"data": None}, {"data": {}}, {"errors": []}, "x", None])
def test_anything_but_data_with_a_list_is_trouble_that_names_the_page(body: object) -> None:
    error = failure(lambda _: answer(body))

    assert error.code == "wrong_shape"
    assert "page 1 of the orders" in error.detail


@pytest.mark.parametrize("after", [5, {}, [], True, "x" * 5000])
def test_a_cursor_that_is_no_text_is_trouble(after: object) -> None:
    error = failure(lambda _: answer({"data": [stord_order()], "metadata": {"after": after}}))

    assert error.code == "wrong_shape"


@pytest.mark.parametrize("metadata", [None, [], "x", {"total_count": "many"}, {"total_count": True}, {"after": ""}])
def test_odd_metadata_without_a_cursor_is_the_last_page(metadata: object) -> None:
    assert held_ids(lambda _: answer({"data": [stord_order("W-1")], "metadata": metadata})) == ["W-1"]


def test_a_look_up_searches_by_what_our_id_is_and_takes_exact_matches_only() -> None:
    network = Network(12)
    network.rows.append(stord_order(None, order_id="uuid-1"))  # type: ignore[arg-type]
    network.rows[-1]["order_number"] = None
    network.rows[0]["order_number"] = "W-100"

    def script(request: Request) -> Answer:
        query = query_of(request)
        field, term = query["search_field"], query["search_term"]
        return answer({"data": [row for row in network.rows if term in (row[field] or "")]})

    source, fetch, _ = a_stord(script)
    verdicts = source.look_up([("W-1", "W-1"), ("W-2", "W-2"), ("uuid-1", None)])

    assert {order_id: verdict.fate for order_id, verdict in verdicts.items()} == {
        "W-1": Fate.VANISHED,
        "W-2": Fate.HELD,
        "uuid-1": Fate.HELD,
    }
    assert [(query_of(request)["search_field"], query_of(request)["search_term"]) for request in fetch.requests] == [
        ("order_number", "W-1"),
        ("order_number", "W-2"),
        ("order_id", "uuid-1"),
    ]
    assert all("status[]" not in query_of(request) for request in fetch.requests)


def test_a_search_goes_on_until_the_exact_match_or_the_end() -> None:
    def script(request: Request) -> Answer:
        after = query_of(request).get("after")
        if after is None:
            return answer({"data": [stord_order("W-10")], "metadata": {"after": "more"}})
        return answer({"data": [stord_order("W-1")], "metadata": {"after": None}})

    source, _, _ = a_stord(script)

    assert source.look_up([("W-1", "W-1")])["W-1"].fate is Fate.HELD


@pytest.mark.parametrize(
    "script",
    [
        lambda _: answer({"data": [], "metadata": {"after": "same"}}),
        lambda _: answer({"data": [], "metadata": {"after": None, "total_count": 7}}),
        lambda _: answer({"data": [{"order_number": "W-1", "status": "open", "sales_order_lines": "?"}]}),
    ],
)
def test_a_search_that_does_not_tell_resolves_nothing(script: Callable[[Request], Answer]) -> None:
    source, _, _ = a_stord(script)

    assert source.look_up([("W-1", "W-1")]) == {}


def test_of_two_records_with_one_number_the_held_one_decides() -> None:
    shipped, open_still = stord_order("W-1", status="shipped"), stord_order("W-1")
    source, _, _ = a_stord(lambda _: answer({"data": [shipped, open_still]}))

    assert source.look_up([("W-1", "W-1")])["W-1"].fate is Fate.HELD


def test_one_failed_search_leaves_its_order_out_and_the_others_in() -> None:
    network = Network(5)

    def script(request: Request) -> Answer:
        return answer({}, 500) if query_of(request)["search_term"] == "W-2" else network(request)

    source, _, _ = a_stord(script)

    assert set(source.look_up([(f"W-{number}", f"W-{number}") for number in (1, 2, 3)])) == {"W-1", "W-3"}


def test_an_outage_ends_a_look_up_early_and_is_raised_when_nothing_was_answered() -> None:
    source, fetch, _ = a_stord(lambda _: answer({}, 503))
    with pytest.raises(Transient) as caught:
        source.look_up([(f"W-{number}", f"W-{number}") for number in range(10)])

    assert caught.value.code == "http_503"
    assert len(fetch.requests) == 6


def test_a_rate_limit_is_raised_even_when_some_were_answered() -> None:
    network = Network(5)

    def script(request: Request) -> Answer:
        return answer({}, 429, Retry_After="40") if query_of(request)["search_term"] == "W-2" else network(request)

    source, _, _ = a_stord(script)
    with pytest.raises(Transient) as caught:
        source.look_up([("W-1", "W-1"), ("W-2", "W-2")])

    assert (caught.value.rate_limited, caught.value.wait_s) == (True, 40.0)


@pytest.mark.parametrize(("status", "code"), [(401, "credentials_rejected"), (403, "http_403"), (404, "http_404")])
def test_a_refusal_that_concerns_every_order_is_final(status: int, code: str) -> None:
    source, fetch, _ = a_stord(lambda _: answer({}, status))
    with pytest.raises(Terminal) as caught:
        source.look_up([("W-1", "W-1"), ("W-2", "W-2")])

    assert caught.value.code == code
    assert len(fetch.requests) == 1


def test_organisation_and_network_cannot_leave_their_place_in_the_path() -> None:
    source, fetch, clock = a_stord(Network(1), org_id="../admin", network_id="a/b?c")
    source.page(source.begin(clock.now()))

    assert fetch.requests[0].url.startswith(
        "https://api.stord.test/v1/organizations/..%2Fadmin/oms/networks/a%2Fb%3Fc/orders/sales?"
    )
