"""ShipBob's walk: frozen windows, every paging style, every way a page can be odd, and look-ups by id."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.adapters.fetch import Answer
from shared.core.clock import parse_instant
from shared.core.errors import Terminal, Transient
from shared.oos.source import Fate
from shared.ports.fetch import Request
from tests.unit.sources.builders import a_shipbob, answer, numbers, query_of, shipbob_order, walk

LIMIT = 10


class Shop:
    """A list of held orders in pages, in the paging style asked for."""

    def __init__(self, count: int, style: str = "all", link: str = "/order?{query}&Page={page}") -> None:
        """Hold so many orders, ids from 1."""
        self.rows = [shipbob_order(number) for number in range(1, count + 1)]
        self.style, self.link = style, link
        self.total = count

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        query = query_of(request)
        if "IDs" in query:
            wanted = set(query["IDs"].split(","))
            return answer([row for row in self.rows if str(row["id"]) in wanted])
        page, limit = int(query["Page"]), int(query["Limit"])
        rows = self.rows[(page - 1) * limit : page * limit]
        return answer(rows, 200, **self.headers(page, limit))

    def headers(self, page: int, limit: int) -> dict[str, str]:
        """Return the paging headers of the style."""
        pages = -(-self.total // limit)
        found: dict[str, str] = {}
        if self.style in {"all", "total"}:
            found |= {"Total_Pages": str(pages), "total-count": str(self.total), "PAGE-NUMBER": str(page)}
        if self.style in {"all", "next"} and page < pages:
            found |= {"Next_Page": self.link.format(page=page + 1, query="SortOrder=Oldest")}
        return found


def held_ids(script: Callable[[Request], Answer], **options: Any) -> list[int]:
    source, _, clock = a_shipbob(script, page_size=LIMIT, **options)
    return numbers(walk(source, clock))


@pytest.mark.parametrize("style", ["all", "next", "total", "none"])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
def test_every_paging_style_reads_every_order_once(style: str, count: int) -> None:
    assert held_ids(Shop(count, style)) == list(range(1, count + 1))


@pytest.mark.parametrize(
    "link",
    [
        "/order?{query}&Page={page}",
        "/2026-07/order?{query}&page={page}",
        "https://api.shipbob.test/2026-07/order?Page={page}",
        "order?Page={page}",
        "?Page={page}",
        "{page}",
    ],
)
def test_a_next_link_may_have_any_form_on_the_same_origin(link: str) -> None:
    assert held_ids(Shop(25, "next", link)) == list(range(1, 26))


def test_an_opaque_next_link_is_followed_as_it_is() -> None:
    shop = Shop(25, "none")

    def script(request: Request) -> Answer:
        start = int(query_of(request).get("cursor", "0"))
        onward = {"next-page": f"/order?cursor={start + LIMIT}"} if start + LIMIT < 25 else {"next-page": ""}
        return (
            answer(shop.rows[start : start + LIMIT], 200, **onward, total_pages="3")
            if start < 20
            else answer(shop.rows[20:])
        )

    source, fetch, clock = a_shipbob(script, page_size=LIMIT)

    assert numbers(walk(source, clock)) == list(range(1, 26))
    assert [request.url.removeprefix("https://api.shipbob.test/2026-07") for request in fetch.requests][1:] == [
        "/order?cursor=10",
        "/order?cursor=20",
    ]


def test_the_request_holds_the_frozen_window_and_never_a_filter_that_hides_orders() -> None:
    source, fetch, clock = a_shipbob(Shop(25), page_size=LIMIT, lookback_days=365)
    begun = clock.now()
    cursor: dict[str, Any] | None = source.begin(begun)
    windows: list[tuple[datetime, datetime]] = []
    while cursor is not None:
        cursor = source.page(cursor).next
        clock.advance(1000)
    for request in fetch.requests:
        query = query_of(request)
        assert query.keys() == {"StartDate", "EndDate", "SortOrder", "Limit", "Page"}
        assert (query["SortOrder"], query["Limit"]) == ("Oldest", "10")
        windows.append((parse_instant(query["StartDate"]), parse_instant(query["EndDate"])))

    cut = sorted(set(windows))
    assert cut[0][0] == begun - timedelta(days=365)
    assert cut[-1][1] == begun
    assert all(one[1] == other[0] for one, other in pairwise(cut))
    assert all(end - start <= timedelta(days=30) for start, end in cut)
    assert len(cut) == 13


def test_the_cursor_is_small_json_and_a_new_process_goes_on_with_it() -> None:
    shop = Shop(95, "next")
    first, _, clock = a_shipbob(shop, page_size=LIMIT)
    second, _, _ = a_shipbob(shop, page_size=LIMIT)
    page = first.page(first.begin(clock.now()))
    text = json.dumps(page.next)
    found = [order.order_id for order in page.orders]
    cursor = json.loads(text)
    while cursor is not None:
        page = second.page(cursor)
        found += [order.order_id for order in page.orders]
        cursor = page.next

    assert numbers(found) == list(range(1, 96))
    assert len(text) < 500


def test_asking_for_the_same_page_again_gives_the_same() -> None:
    source, _, clock = a_shipbob(Shop(25), page_size=LIMIT)
    cursor = source.page(source.begin(clock.now())).next
    assert cursor is not None

    assert source.page(cursor) == source.page(cursor)


def failure(script: Callable[[Request], Answer], **options: Any) -> Transient | Terminal:
    with pytest.raises((Transient, Terminal)) as caught:
        held_ids(script, **options)
    assert isinstance(caught.value, (Transient, Terminal))
    return caught.value


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/2026-07/order?Page=2",
        "//evil.test/order?Page=2",
        "http://api.shipbob.test/2026-07/order?Page=2",
    ],
)
def test_a_foreign_next_link_ends_the_walk_and_is_never_asked(link: str) -> None:
    source, fetch, clock = a_shipbob(Shop(25, "next", link), page_size=LIMIT)
    with pytest.raises(Terminal) as caught:
        walk(source, clock)

    assert caught.value.code == "foreign_link"
    assert "page 1 of the orders created from 2025-12-16 to 2026-01-15" in caught.value.detail
    assert {request.url.split("/2026-07/")[0] for request in fetch.requests} == {"https://api.shipbob.test"}


@pytest.mark.parametrize("page", ["1", "0", "3", "99"])
def test_a_next_page_that_is_not_the_next_is_an_error(page: str) -> None:
    assert failure(Shop(35, "next", f"/order?Page={page}")).code == "page_cycle"


def test_opaque_links_in_a_circle_are_an_error() -> None:
    rows = [shipbob_order(number) for number in range(40)]

    def script(request: Request) -> Answer:
        at = int(query_of(request).get("cursor", "0"))
        return answer(rows[at * 10 : at * 10 + 10], 200, Next_Page=f"/order?cursor={(at + 1) % 3}")

    assert failure(script).code == "page_cycle"


def test_a_vendor_that_ignores_the_page_number_is_noticed() -> None:
    shop = Shop(10, "none")

    assert failure(lambda _: answer(shop.rows)).code == "same_page_twice"


def test_empty_pages_that_name_a_next_page_end_with_an_error() -> None:
    def script(request: Request) -> Answer:
        page = int(query_of(request)["Page"])
        return answer([], 200, Next_Page=f"/order?Page={page + 1}")

    error = failure(script)
    assert error.code == "empty_pages"
    assert "page 4 of" in error.detail


def test_a_single_empty_page_in_the_middle_is_passed_over() -> None:
    shop = Shop(25, "next")

    def script(request: Request) -> Answer:
        page = int(query_of(request)["Page"])
        if page == 2:
            return answer([], 200, Next_Page="/order?Page=3")
        rows = shop.rows[:10] if page == 1 else shop.rows[10:20]
        return answer(rows, 200, **({"Next_Page": "/order?Page=2"} if page == 1 else {})) if page < 4 else answer([])

    assert held_ids(script) == list(range(1, 21))


@pytest.mark.parametrize("extra", [-3, -1, 1, 7, 1000])
@pytest.mark.parametrize("count", [7, 25])
def test_a_total_that_disagrees_with_the_rows_is_never_complete(count: int, extra: int) -> None:
    shop = Shop(count)
    shop.total = count + extra
    error = failure(shop)

    assert error.code in {"wrong_total", "empty_pages"}
    assert isinstance(error, Transient)


def test_the_check_of_the_total_can_be_turned_off() -> None:
    shop = Shop(7)
    shop.total = 9

    assert held_ids(shop, check_total=False) == [1, 2, 3, 4, 5, 6, 7]


def test_half_a_page_in_the_middle_is_noticed_by_the_total() -> None:
    shop = Shop(35)

    def script(request: Request) -> Answer:
        whole = shop(request)
        if query_of(request)["Page"] != "2":
            return whole
        return Answer(200, json.dumps(json.loads(whole.body)[:5]).encode(), whole.headers)

    assert failure(script).code == "wrong_total"


def test_fresh_orders_without_end_are_cut_off_with_an_error() -> None:
    def script(request: Request) -> Answer:
        page = int(query_of(request)["Page"])
        return answer([shipbob_order(page * 100 + number) for number in range(10)])

    assert failure(script, most_pages=40).code == "endless_pages"


@pytest.mark.parametrize("body", [{"message": "ok"}, {"items": []}, "orders", None, 5, True])
def test_anything_but_a_list_is_trouble_that_names_the_page(body: object) -> None:
    error = failure(lambda _: answer(body))

    assert error.code == "wrong_shape"
    assert "page 1 of the orders created from" in error.detail


def test_a_fault_on_a_later_page_names_that_page_and_the_cursor_repeats_it() -> None:
    shop, broken = Shop(35), {"3"}

    def script(request: Request) -> Answer:
        return answer({}, 503) if query_of(request)["Page"] in broken else shop(request)

    source, _, clock = a_shipbob(script, page_size=LIMIT)
    cursor = source.begin(clock.now())
    for _ in range(2):
        following = source.page(cursor).next
        assert following is not None
        cursor = following
    with pytest.raises(Transient, match="page 3 of the orders"):
        source.page(cursor)
    broken.clear()

    assert [order.order_id for order in source.page(cursor).orders] == [str(number) for number in range(21, 31)]


def test_a_look_up_asks_by_ids_with_plain_commas_and_nothing_that_hides_orders() -> None:
    source, fetch, _ = a_shipbob(Shop(5))
    verdicts = source.look_up([("1", None), ("2", "S-2"), ("77", None)])

    assert {order_id: verdict.fate for order_id, verdict in verdicts.items()} == {
        "1": Fate.HELD,
        "2": Fate.HELD,
        "77": Fate.VANISHED,
    }
    assert verdicts["1"].order is not None
    assert verdicts["77"].order is None
    assert fetch.requests[0].url.endswith("/2026-07/order?IDs=1,2,77&SortOrder=Oldest&Limit=50&Page=1")


def test_a_look_up_takes_no_more_than_its_batch_and_asks_nothing_for_nothing() -> None:
    source, fetch, _ = a_shipbob(Shop(60))

    assert source.look_up([]) == {}
    assert len(source.look_up([(str(number), None) for number in range(1, 61)])) == source.look_up_batch == 50
    assert len(fetch.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        lambda _: answer([], 200, total_count="3"),
        lambda _: answer({"message": "x"}),
        lambda _: answer({}, 503),
        lambda _: answer([shipbob_order(1)], 200, total_count="2"),
    ],
)
def test_a_look_up_that_was_not_answered_in_full_resolves_nothing(script: Callable[[Request], Answer]) -> None:
    source, _, _ = a_shipbob(script)
    with pytest.raises(Transient):
        source.look_up([("1", None), ("2", None)])


def test_an_order_whose_record_is_broken_is_absent_from_the_look_up() -> None:
    source, _, _ = a_shipbob(lambda _: answer([{"id": 1, "status": "Processing", "shipments": "?"}]))

    assert source.look_up([("1", None)]) == {}


def test_refused_credentials_are_final_in_walk_and_look_up() -> None:
    source, _, clock = a_shipbob(lambda _: answer({"message": "Unauthorized"}, 401))
    for call in (lambda: source.page(source.begin(clock.now())), lambda: source.look_up([("1", None)])):
        with pytest.raises(Terminal) as caught:
            call()
        assert caught.value.code == "credentials_rejected"


def elsewhere(number: int) -> dict[str, Any]:
    return shipbob_order(number, {"id": 303, "inventory_id": 11, "exception_fulfillment_center_id": 250})


@pytest.mark.parametrize("listed", [[{"id": 250, "name": "Home"}], {"items": [{"id": 250, "name": "Home"}]}])
def test_the_name_of_another_centre_is_asked_for_once(listed: object) -> None:
    def script(request: Request) -> Answer:
        return answer(listed) if "/location" in request.url else answer([elsewhere(1)])

    source, fetch, clock = a_shipbob(script)
    facilities = [source.page(source.begin(clock.now())).orders[0].lines[0].facility for _ in range(3)]

    assert facilities == ["Home"] * 3
    assert sum("/location" in request.url for request in fetch.requests) == 1


def test_names_of_centres_are_a_courtesy() -> None:
    def script(request: Request) -> Answer:
        return answer({}, 403) if "/location" in request.url else answer([elsewhere(1)])

    source, fetch, clock = a_shipbob(script)
    lines = [source.page(source.begin(clock.now())).orders[0].lines[0] for _ in range(3)]

    assert [(line.facility, line.facility_id) for line in lines] == [(None, "250")] * 3
    assert sum("/location" in request.url for request in fetch.requests) == 1


def test_calls_of_walk_and_look_up_share_one_pace() -> None:
    source, fetch, clock = a_shipbob(Shop(25, "none"), page_size=LIMIT)
    walk(source, clock)
    source.look_up([("1", None)])

    assert len(fetch.requests) == 4
    assert clock.monotonic() == pytest.approx(3 * 60 / 145)


def test_the_walk_ends_at_the_moment_it_began_whatever_the_clock_does() -> None:
    source, fetch, clock = a_shipbob(Shop(0), lookback_days=90)
    moment = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)
    cursor: dict[str, Any] | None = source.begin(moment)
    while cursor is not None:
        clock.advance(86_400)
        cursor = source.page(cursor).next

    assert query_of(fetch.requests[-1])["EndDate"] == "2026-11-23T12:00:00.000005Z"
