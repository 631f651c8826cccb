"""What every fetch adapter keeps: the same test text over real sockets and over the scripted twin."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from shared.adapters.fetch import Answer, GuardedFetch, ScriptedFetch
from shared.adapters.fetch.guard import Guard
from shared.core.clock import SystemClock
from shared.core.errors import Terminal, Transient, UrlNotAllowed
from shared.ports.fetch import Fetch, Request
from tests.contract.fetch.raw_site import Page, Site, gzipped


@dataclass
class Served:
    """A fetch adapter in front of pages, and what was asked for."""

    fetch: Fetch
    url: str
    seen: Callable[[], list[tuple[str, str, dict[str, str], bytes]]]


Serve = Callable[..., AbstractContextManager[Served]]


@contextmanager
def _over_sockets(*pages: Page) -> Iterator[Served]:
    with Site.of(*pages) as site:
        yield Served(
            GuardedFetch(SystemClock(), Guard([site.allowed])),
            site.url,
            lambda: [(r.line.split(" ")[0], r.target, dict(r.headers), r.body) for r in site.requests],
        )


@contextmanager
def _scripted(*pages: Page) -> Iterator[Served]:
    waiting = list(pages)

    def script(_: Request) -> Answer:
        page = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return Answer(page.status, page.body, page.headers)

    fetch = ScriptedFetch(script, Guard(["127.0.0.1:8081"]))

    def seen() -> list[tuple[str, str, dict[str, str], bytes]]:
        return [
            (
                r.method,
                r.url.removeprefix("http://127.0.0.1:8081"),
                {k.lower(): v for k, v in r.headers.items()},
                r.body or b"",
            )
            for r in fetch.requests
        ]

    yield Served(fetch, "http://127.0.0.1:8081", seen)


@pytest.fixture(params=[_over_sockets, _scripted], ids=["sockets", "scripted"])
def serve(request: pytest.FixtureRequest) -> Serve:
    made: Serve = request.param
    return made


@pytest.mark.parametrize("status", [200, 201, 304, 404, 429, 503])
def test_any_status_is_an_answer(serve: Serve, status: int) -> None:
    with serve(Page(status, b"" if status == 304 else b"words")) as served:
        answer = served.fetch.send(Request("GET", f"{served.url}/a?b=c"))

        assert answer.status == status
        assert answer.url == f"{served.url}/a?b=c"
        assert answer.read() == (b"" if status == 304 else b"words")


def test_header_names_are_lower_case(serve: Serve) -> None:
    with serve(Page(200, b"", {"X-Remaining-CALLS": "7"})) as served:
        answer = served.fetch.send(Request("GET", served.url))

        assert answer.headers["x-remaining-calls"] == "7"
        answer.close()


def test_method_headers_and_body_arrive(serve: Serve) -> None:
    with serve(Page()) as served:
        served.fetch.send(Request("POST", f"{served.url}/p", {"X-Own": "1"}, b"payload")).close()

        method, target, headers, body = served.seen()[0]
        assert (method, target, headers["x-own"], body) == ("POST", "/p", "1", b"payload")


def test_a_body_streams_in_pieces_no_longer_than_asked(serve: Serve) -> None:
    body = bytes(range(256)) * 1000
    with serve(Page(200, body)) as served:
        pieces = list(served.fetch.send(Request("GET", served.url)).stream(1000))

        assert b"".join(pieces) == body
        assert max(map(len, pieces)) == 1000


def test_gzip_is_decoded_member_after_member(serve: Serve) -> None:
    with serve(Page(200, gzipped(b"one ") + gzipped(b"two"), {"Content-Encoding": "gzip"})) as served:
        assert served.fetch.send(Request("GET", served.url)).read() == b"one two"


def test_a_bomb_stops_at_the_bound_of_the_decoded_body(serve: Serve) -> None:
    with serve(Page(200, gzipped(b"0" * 20_000_000), {"Content-Encoding": "gzip"})) as served:
        answer = served.fetch.send(Request("GET", served.url, max_bytes=100_000))
        pieces = answer.stream()
        with pytest.raises(Terminal) as caught:
            list(pieces)

        assert caught.value.code == "too_large"


def test_a_body_of_exactly_the_bound_is_read_and_one_byte_more_is_not(serve: Serve) -> None:
    with serve(Page(200, b"x" * 1001)) as served:
        assert len(served.fetch.send(Request("GET", served.url, max_bytes=1001)).read()) == 1001
        with pytest.raises(Terminal, match="longer than 1000 bytes"):
            served.fetch.send(Request("GET", served.url, max_bytes=1000)).read()


@pytest.mark.parametrize("body", [gzipped(b"a" * 5000)[:-9], b"no gzip at all"])
def test_compressed_bytes_that_end_early_or_are_damaged_are_truncated(serve: Serve, body: bytes) -> None:
    with serve(Page(200, body, {"Content-Encoding": "gzip"})) as served:
        answer = served.fetch.send(Request("GET", served.url))
        with pytest.raises(Transient) as caught:
            answer.read()

        assert caught.value.code == "truncated"


def test_an_encoding_nobody_asked_for_is_refused(serve: Serve) -> None:
    with serve(Page(200, b"??", {"Content-Encoding": "br"})) as served:
        answer = served.fetch.send(Request("GET", served.url))
        with pytest.raises(Terminal) as caught:
            answer.read()

        assert caught.value.code == "content_encoding"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_vendor_redirect_is_an_error_and_is_not_followed(serve: Serve, status: int) -> None:
    with serve(Page(status, b"", {"Location": "/elsewhere"})) as served:
        with pytest.raises(Terminal) as caught:
            served.fetch.send(Request("GET", served.url))

        assert caught.value.code == "redirect"
        assert len(served.seen()) == 1


def test_redirects_are_followed_up_to_the_budget(serve: Serve) -> None:
    hops = [Page(302, b"", {"Location": f"/{number}"}) for number in (1, 2, 3)]
    with serve(*hops, Page(200, b"there")) as served:
        answer = served.fetch.send(Request("GET", served.url, redirects=3))

        assert answer.read() == b"there"
        assert answer.url == f"{served.url}/3"
        assert [target for _, target, _, _ in served.seen()][1:] == ["/1", "/2", "/3"]


def test_three_redirects_are_the_most_whatever_is_asked(serve: Serve) -> None:
    with serve(Page(302, b"", {"Location": "/again"})) as served:
        with pytest.raises(Terminal) as caught:
            served.fetch.send(Request("GET", served.url, redirects=50))

        assert caught.value.code == "redirect"
        assert len(served.seen()) == 4


def test_a_redirect_passes_the_guard_again(serve: Serve) -> None:
    with serve(Page(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})) as served:
        with pytest.raises(UrlNotAllowed):
            served.fetch.send(Request("GET", served.url, redirects=3))

        assert len(served.seen()) == 1


def test_a_post_redirected_with_303_becomes_a_get_without_its_body(serve: Serve) -> None:
    with serve(Page(303, b"", {"Location": "/done"}), Page(200, b"ok")) as served:
        request = Request("POST", served.url, {"Content-Type": "text/plain"}, b"payload", redirects=1)
        served.fetch.send(request).close()

        method, target, headers, body = served.seen()[1]
        assert (method, target, body) == ("GET", "/done", b"")
        assert "content-type" not in headers


@pytest.mark.parametrize(
    "value", ["Bearer secret\r\nX-Evil: 1", "Bearer sécret", " Bearer secret", "Bearer secret\x00"]
)
def test_a_header_that_cannot_be_sent_is_refused_without_quoting_it(serve: Serve, value: str) -> None:
    with serve(Page()) as served:
        with pytest.raises(Terminal) as caught:
            served.fetch.send(Request("GET", served.url, {"Authorization": value}))

        assert caught.value.code == "bad_header"
        assert "cret" not in caught.value.detail
        assert served.seen() == []


def test_an_answer_may_be_closed_unread(serve: Serve) -> None:
    with serve(Page(200, b"x" * 100_000)) as served:
        served.fetch.send(Request("GET", served.url)).close()

        assert served.fetch.send(Request("GET", served.url)).read() == b"x" * 100_000
