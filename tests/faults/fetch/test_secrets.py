"""T09 at the way out: a planted credential reaches the configured origin and nothing else, not even an error's text."""

import logging
import random
import traceback
from collections.abc import Callable

import pytest

from shared.adapters.fetch import Answer, GuardedFetch, ScriptedFetch
from shared.adapters.fetch.guard import Guard
from shared.adapters.fetch.vendor import Profile
from shared.adapters.sources import shipbob, stord
from shared.core.clock import ManualClock, SystemClock
from shared.core.errors import Terminal, Transient
from shared.oos.source import OrderSource
from shared.ports.fetch import Fetch, Request
from tests.contract.fetch.raw_site import Exchange, Page, Site, page_bytes

TOKEN = "planted-3f9c1d"
JSON = {"Content-Type": "application/json"}


def sources(fetch: Fetch, base_url: str) -> list[OrderSource]:
    bob, ord_ = shipbob.Options(TOKEN, base_url), stord.Options(TOKEN, "org", "net", base_url)
    rng = random.Random(1)
    return [shipbob.source(bob, fetch, ManualClock(), rng), stord.source(ord_, fetch, ManualClock(), rng)]


def told(source: OrderSource) -> str:
    """Return everything a failing call lets out: texts, reprs and the whole traceback of page and look-up."""
    out = [repr(source)]
    calls: list[Callable[[], object]] = [
        lambda: source.page(source.begin(ManualClock().now())),
        lambda: source.look_up([("1", "1")]),
    ]
    for call in calls:
        try:
            call()
        except (Transient, Terminal) as error:
            out += [str(error), repr(error), error.detail, "".join(traceback.format_exception(error))]
    return "\n".join(out)


ECHO = f'{{"message": "the token Bearer {TOKEN} is wrong"}}'.encode()


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(status, ECHO, JSON) for status in (200, 302, 400, 401, 403, 404, 418, 422, 429, 500, 503)),
        Answer(200, ECHO, {"Content-Type": "text/html"}),
        Answer(200, ECHO[:-3], JSON),
        Answer(200, b"[]", JSON | {"Next-Page": f"https://evil.test/{TOKEN}"}),
        Answer(302, b"", {"Location": f"https://evil.test/?{TOKEN}"}),
        Answer(429, ECHO, JSON | {"X-Retry-After": TOKEN}),
    ],
)
def test_no_failure_lets_the_credential_out(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for source in sources(ScriptedFetch(lambda _: answer), "https://api.vendor.test"):
        assert TOKEN not in told(source)
    assert TOKEN not in caplog.text


def _broken(exchange: Exchange) -> bool:
    exchange.reset()
    return False


@pytest.mark.parametrize(
    "answer",
    [
        _broken,
        lambda exchange: exchange.send(page_bytes(Page(500, ECHO))),
        lambda exchange: exchange.send(b"nonsense\r\n\r\n"),
    ],
)
def test_no_failure_of_a_socket_lets_the_credential_out(
    answer: Callable[[Exchange], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Site(answer) as site:
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed]))
        for source in sources(fetch, site.url):
            assert TOKEN not in told(source)
        assert [request.headers["authorization"] for request in site.requests[:1]] == [f"Bearer {TOKEN}"]
    assert TOKEN not in caplog.text


def test_no_repr_shows_the_credential() -> None:
    shown = [
        repr(shipbob.Options(TOKEN)),
        repr(stord.Options(TOKEN, "org", "net")),
        repr(Profile("Vendor", "https://api.vendor.test", TOKEN, {"X-Key": TOKEN})),
        repr(Request("GET", "https://api.vendor.test", {"Authorization": f"Bearer {TOKEN}"}, TOKEN.encode())),
    ]

    assert [text for text in shown if TOKEN in text] == []


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX-Evil: 1", f"{TOKEN}é", f"{TOKEN}\x00"])
def test_a_credential_that_cannot_be_sent_is_refused_without_being_quoted(token: str) -> None:
    with Site.of(Page(200, b"[]", JSON)) as site:
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed]))
        source = shipbob.source(shipbob.Options(token, site.url), fetch, ManualClock(), random.Random(1))

        assert TOKEN not in told(source)
        assert site.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_the_credential_nowhere(status: int) -> None:
    with (
        Site.of(Page(200, b"[]", JSON)) as other,
        Site.of(Page(status, b"", {"Location": f"{other.url}/order"})) as site,
    ):
        fetch = GuardedFetch(SystemClock(), Guard([site.allowed, other.allowed]))
        for source in sources(fetch, site.url):
            told(source)

        assert other.connections == 0
        assert len(site.requests) == 4


@pytest.mark.parametrize("form", ["{url}/2026-07/order?Page=2", "//127.0.0.1:{port}/order?Page=2"])
def test_a_foreign_next_link_takes_the_credential_nowhere(form: str) -> None:
    with Site.of(Page(200, b"[]", JSON)) as other:
        link = form.format(url=other.url, port=other.port)
        with Site.of(Page(200, b'[{"id": 1}]', JSON | {"next-page": link})) as site:
            fetch = GuardedFetch(SystemClock(), Guard([site.allowed, other.allowed]))
            source = sources(fetch, site.url)[0]
            with pytest.raises(Terminal) as caught:
                source.page(source.begin(ManualClock().now()))

        assert caught.value.code == "foreign_link"
        assert other.connections == 0
