"""Calling a vendor: failures by class, short retries on the injected clock, waits asked for, links, and one origin."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from shared.adapters.fetch import Answer, ScriptedFetch
from shared.adapters.fetch.guard import Guard
from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Link, Profile, Reply, VendorApi
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from shared.ports.fetch import Request
from tests.unit.sources.builders import answer

BASE = "https://api.vendor.test/2026-07"


def api(
    script: Callable[[Request], Answer], base_url: str = BASE, guard: Guard | None = None
) -> tuple[VendorApi, ScriptedFetch, ManualClock]:
    clock, fetch = ManualClock(), ScriptedFetch(script, guard)
    profile = Profile("Vendor", base_url, "planted-token", {"User-Agent": "onhand/test"})
    return VendorApi(profile, fetch, clock, random.Random(3), Pace(clock, 6000)), fetch, clock


def call(script: Callable[[Request], Answer]) -> Reply:
    return api(script)[0].get("/order", "Page=3", "page 3")


def in_turn(*answers: Answer | Exception) -> Callable[[Request], Answer]:
    """Give these answers one after another, the last one for ever."""
    waiting = list(answers)

    def script(_: Request) -> Answer:
        given = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(given, Exception):
            raise given
        return given

    return script


HTML = Answer(200, b"<!doctype html><title>hello</title>", {"Content-Type": "text/html"})
LOST = Transient("connection_lost", "The connection broke before an answer came.")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (answer({}, 500), "http_500"),
        (answer({}, 502), "http_502"),
        (answer({}, 503), "http_503"),
        (answer({}, 504), "http_504"),
        (answer({}, 408), "http_408"),
        (answer({}, 425), "http_425"),
        (Answer(503, HTML.body, HTML.headers), "http_503"),
        (HTML, "not_json"),
        (Answer(200, b"[1, 2]", {"Content-Type": "text/html; charset=utf-8"}), "not_json"),
        (Answer(200, b"", {"Content-Type": "application/json"}), "empty_body"),
        (Answer(200, b" \n", {"Content-Type": "application/json"}), "empty_body"),
        (Answer(200, b'[{"id": 1}, {"i', {"Content-Type": "application/json"}), "truncated"),
        (Answer(200, b'["\xff\xfe"]', {"Content-Type": "application/json"}), "truncated"),
        (Answer(200, b"[" * 200_000, {"Content-Type": "application/json"}), "truncated"),
        (Answer(200, b'[{"id": 1}', {"Content-Type": "application/json"}, cut=True), "truncated"),
        (LOST, "connection_lost"),
        (Transient("timeout", "The other side did not answer in time."), "timeout"),
    ],
)
def test_trouble_that_may_pass_is_tried_three_times_and_then_named(bad: Answer | Exception, code: str) -> None:
    client, fetch, clock = api(in_turn(bad))
    with pytest.raises(Transient) as caught:
        client.get("/order", "Page=3", "page 3")

    assert caught.value.code == code
    assert caught.value.detail.startswith("Vendor, page 3: ")
    assert (caught.value.wait_s, caught.value.rate_limited) == (None, False)
    assert len(fetch.requests) == 3
    assert sum(clock.slept) <= 0.5 + 1.0 + 3 * 0.01


def test_trouble_that_passes_is_not_noticed() -> None:
    assert call(in_turn(LOST, answer({}, 503), answer([1]))).body == [1]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (answer({"message": "no"}, 401), "credentials_rejected"),
        (answer({}, 403), "http_403"),
        (answer({}, 404), "http_404"),
        (answer({"Limit": ["must be between 1 and 250"]}, 400), "http_400"),
        (answer({}, 422), "http_422"),
        (answer({}, 418), "http_418"),
        (answer({}, 304), "http_304"),
        (Answer(302, b"", {"Location": "https://elsewhere.test/"}), "redirect"),
        (Answer(301, b"", {}), "redirect"),
        (Answer(200, b"x", {"Content-Encoding": "br"}), "content_encoding"),
    ],
)
def test_what_cannot_pass_is_final_at_once_and_names_the_page(bad: Answer, code: str) -> None:
    client, fetch, clock = api(in_turn(bad))
    with pytest.raises(Terminal) as caught:
        client.get("/order", "Page=3", "page 3")

    assert caught.value.code == code
    assert caught.value.detail.startswith("Vendor, page 3: ")
    assert len(fetch.requests) == 1
    assert clock.slept == []


def test_the_vendors_own_words_are_shown_when_they_help() -> None:
    with pytest.raises(Terminal, match=r"answered 400: .*must be between 1 and 250"):
        call(in_turn(answer({"Limit": ["must be between 1 and 250"]}, 400)))


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500])
def test_an_answer_that_quotes_our_credential_is_not_quoted(status: int) -> None:
    with pytest.raises((Terminal, Transient)) as caught:
        call(in_turn(answer({"message": "bad token: Bearer planted-token"}, status)))

    assert "planted" not in str(caught.value)


def limited(message: str = "Too many calls.", **headers: str) -> Answer:
    return answer({"statusCode": 429, "message": message}, 429, **headers)


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (limited(x_retry_after="12"), 12.0),
        (limited(retry_after="30"), 30.0),
        (limited(retry_after="Thu, 15 Jan 2026 10:31:00 GMT"), 60.0),
        (limited(x_ratelimit_reset="45"), 45.0),
        (limited(x_ratelimit_reset="1768473060"), 60.0),
        (limited(ratelimit_retry_after="7.5"), 7.5),
        (limited("Too many calls, try again in 12 seconds."), 12.0),
        (limited(x_retry_after="12", retry_after="99"), 12.0),
        (limited("wait 20 seconds", x_retry_after="soon"), 20.0),
        (limited(x_retry_after="9000"), 3600.0),
        (limited("try again in 999999 seconds"), 3600.0),
    ],
)
def test_a_wait_longer_than_our_patience_is_raised_and_not_slept(refusal: Answer, wait_s: float) -> None:
    client, fetch, clock = api(in_turn(refusal))
    with pytest.raises(Transient) as caught:
        client.get("/order", "", "page 3")

    assert (caught.value.code, caught.value.wait_s, caught.value.rate_limited) == ("rate_limited", wait_s, True)
    assert len(fetch.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    "refusal",
    [
        limited(),
        limited(x_retry_after="soon"),
        limited(x_retry_after="-5"),
        limited(retry_after="yesterday"),
        limited("try again in -3 seconds"),
        limited(x_retry_after="nan"),
    ],
)
def test_a_rate_limit_without_a_usable_number_backs_off_by_itself(refusal: Answer) -> None:
    client, fetch, _ = api(in_turn(refusal))
    with pytest.raises(Transient) as caught:
        client.get("/order", "", "page 3")

    assert (caught.value.wait_s, caught.value.rate_limited) == (None, True)
    assert len(fetch.requests) == 3


def test_a_short_wait_asked_for_is_slept_exactly() -> None:
    client, _, clock = api(in_turn(limited(x_retry_after="2"), answer([1])))

    assert client.get("/order", "", "page 3").body == [1]
    assert [seconds for seconds in clock.slept if seconds > 0.02] == [2.0]


def test_slow_failures_are_not_repeated_beyond_the_time_of_one_call() -> None:
    clock_holder: list[ManualClock] = []

    def slow(_: Request) -> Answer:
        clock_holder[0].advance(24.9)
        raise LOST

    client, fetch, clock = api(slow)
    clock_holder.append(clock)
    with pytest.raises(Transient):
        client.get("/order", "", "page 3")

    assert len(fetch.requests) <= 2


def test_the_token_goes_in_one_header_to_the_configured_origin() -> None:
    client, fetch, _ = api(in_turn(answer([])))
    client.get("/order", "Page=3", "page 3")

    assert fetch.requests == [Request("GET", f"{BASE}/order?Page=3", fetch.requests[0].headers, total_s=25.0)]
    assert fetch.requests[0].headers == {
        "User-Agent": "onhand/test",
        "Accept": "application/json",
        "Authorization": "Bearer planted-token",
    }


def test_an_address_the_guard_refuses_is_a_final_failure() -> None:
    client, _, _ = api(in_turn(answer([])), "http://127.0.0.1:9999", Guard())
    with pytest.raises(Terminal) as caught:
        client.get("/order", "", "page 3")

    assert caught.value.code == "url_not_allowed"


@pytest.mark.parametrize(
    ("text", "path", "query"),
    [
        ("/order?Page=2", "/order", "Page=2"),
        ("order?Page=2", "/order", "Page=2"),
        ("/2026-07/order?Page=2", "/order", "Page=2"),
        (f"{BASE}/order?Page=2", "/order", "Page=2"),
        ("https://API.vendor.test:443/2026-07/order", "/order", ""),
        ("//api.vendor.test/2026-07/order", "/order", ""),
    ],
)
def test_a_link_may_be_relative_with_or_without_version_or_absolute(text: str, path: str, query: str) -> None:
    assert api(in_turn(answer([])))[0].link(text, "page 3") == Link(path, query)


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.test/2026-07/order",
        "//evil.test/order",
        "http://api.vendor.test/2026-07/order",
        "https://api.vendor.test:444/2026-07/order",
        "https://api.vendor.test.evil.test/2026-07/order",
        "https://planted@api.vendor.test/2026-07/order",
        "https://api.vendor.test@evil.test/2026-07/order",
        "https://api.vendor.test:99999/2026-07/order",
        "https://api.vendor.test/other/order",
        "/2025-07/order",
        "\\\\evil.test\\order",
        "/\\evil.test",
        "javascript:alert(1)",
        "/order\r\nX: y",
        "https://[::1/order",
    ],
)
def test_a_link_that_leads_away_is_refused(text: str) -> None:
    with pytest.raises(Terminal) as caught:
        api(in_turn(answer([])))[0].link(text, "page 3")

    assert caught.value.code == "foreign_link"
    assert caught.value.detail == "Vendor, page 3: a link leads away from the configured address"


def test_numbers_that_are_none_are_read_as_null() -> None:
    body: Any = Answer(
        200, b"[NaN, Infinity, -Infinity, 1.5, " + b"7" * 5000 + b"]", {"Content-Type": "application/json"}
    )

    assert call(in_turn(body)).body == [None, None, None, 1.5, "7" * 5000]
