"""Pages and shops of a site that a test writes: what its robots.txt names, what loops, what only a browser sees."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.http.imports.client import Imports, importing

PAGE = '<script type="application/ld+json">{"@type": "Product", "name": "%s", "sku": "%s"}</script>'
DRAWN = "<html><body><div id=app></div><script src=app.js></script></body></html>"
KEY = "key-of-the-reader"


class Site(BaseHTTPRequestHandler):
    """Answers what the server's `pages` hold; `/v1/scrape` is the page reader, whose `drawn` holds what it sees."""

    def do_GET(self) -> None:
        """Answer a page: its body, or its status with headers and body."""
        server: Any = self.server
        server.asked.append(self.path)
        self._send(server.pages.get(self.path, (404, {}, b"")))

    def do_POST(self) -> None:
        """Answer as the page reader."""
        server: Any = self.server
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.read.append((self.path, self.headers["Authorization"], asked))
        self._send(server.drawn.pop(0) if server.drawn else (200, {}, b"{}"))

    def _send(self, answer: Any) -> None:
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        sent = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": str(len(sent)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Any]:
    """Run a site without pages."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.pages, server.drawn, server.asked, server.read = {}, [], [], []
    server.host = f"127.0.0.1:{server.server_address[1]}"
    server.origin = f"http://{server.host}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def plain(tmp_path: Path, site: Any) -> Iterator[Imports]:
    """Start an installation that may read the site."""
    with importing(tmp_path, FETCH_ALLOW_HOSTS=site.host) as made:
        yield made


@pytest.fixture
def helped(tmp_path: Path, site: Any) -> Iterator[Imports]:
    """Start an installation that may read the site and has a page reader."""
    with importing(
        tmp_path, FETCH_ALLOW_HOSTS=site.host, FIRECRAWL_BASE_URL=site.origin, FIRECRAWL_API_KEY=KEY
    ) as made:
        yield made


def shop_of(imports: Imports, site: Any) -> dict[str, Any]:
    return imports.scrape("store", store_url=site.origin, dry_run=True)


def names(imports: Imports, run: dict[str, Any]) -> set[str]:
    return {row["fields"]["name"]["after"] for row in imports.get(f"/imports/{run['id']}/diff")["items"]}


def listing(*places: str) -> str:
    return "<urlset>" + "".join(f"<url><loc>{place}</loc></url>" for place in places) + "</urlset>"


# Sitemaps


def test_sitemaps_that_robots_txt_names_are_read_and_those_of_others_are_not(plain: Imports, site: Any) -> None:
    robots = (
        f"User-agent: *\nDisallow: /p/hidden\nsitemap : {site.origin}/our-map.xml\nSitemap: http://10.0.0.1/map.xml\n"
    )
    places = [f"{site.origin}/p/{name}" for name in ("one", "two", "hidden")] + ["http://169.254.169.254/p/inside"]
    site.pages = {"/robots.txt": robots, "/our-map.xml": listing(*places)}
    site.pages |= {f"/p/{name}": PAGE % (name, name) for name in ("one", "two", "hidden")}

    run = shop_of(plain, site)

    assert (run["status"], names(plain, run)) == ("ready", {"one", "two"})
    assert "/p/hidden" not in site.asked


def test_sitemaps_that_name_each_other_come_to_an_end(plain: Imports, site: Any) -> None:
    index = "<sitemapindex>" + "".join(f"<sitemap><loc>{site.origin}/m{n}.xml</loc></sitemap>" for n in range(40))
    site.pages = {f"/m{n}.xml": index for n in range(40)} | {"/sitemap.xml": index}

    run = shop_of(plain, site)

    maps = [path for path in site.asked if path.endswith(".xml")]
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "no_products")
    assert (len(maps), len(set(maps))) == (20, 20)


def test_a_robots_txt_that_is_endless_is_not_read_to_its_end_and_allows_nothing(plain: Imports, site: Any) -> None:
    site.pages = {"/robots.txt": b"# nothing\n" * 100_000, "/p/one": PAGE % ("One", "ONE")}

    run = plain.scrape("url", url=f"{site.origin}/p/one")

    assert (run["status"], run["errors"][0]["code"]) == ("failed", "too_large")
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize("wait", ["\xb2", "9" * 400, "-1"])
def test_a_wait_that_is_no_number_counts_as_none(plain: Imports, site: Any, wait: str) -> None:
    site.pages = {"/p/one": (503, {"Retry-After": wait}, b"")}

    run = plain.scrape("url", url=f"{site.origin}/p/one")

    error = plain.get(f"/jobs/{run['job_id']}")["error"]
    assert (run["status"], error) == ("failed", {"code": "source_unavailable", "detail": "The site answered 503."})


# Pages that only a browser sees


def drawn(html: str, **more: Any) -> str:
    return json.dumps({"success": True, "data": {"rawHtml": html, "metadata": {"statusCode": 200, **more}}})


def test_a_page_that_shows_no_product_is_read_as_its_scripts_draw_it(helped: Imports, site: Any) -> None:
    site.pages, site.drawn = {"/p/one": DRAWN}, [drawn(PAGE % ("Drawn", "DRAWN-1"))]

    run = helped.scrape("url", url=f"{site.origin}/p/one", dry_run=True)

    (row,) = helped.get(f"/imports/{run['id']}/diff")["items"]
    (asked,) = site.read
    assert (row["sku"], row["fields"]["name"]["after"]) == ("DRAWN-1", "Drawn")
    assert row["provenance"]["name"] == "json-ld, rendered"
    assert asked == (
        "/v1/scrape",
        f"Bearer {KEY}",
        {"url": f"{site.origin}/p/one", "formats": ["rawHtml"], "onlyMainContent": False},
    )


def test_a_page_that_shows_its_product_itself_is_not_asked_for(helped: Imports, site: Any) -> None:
    site.pages = {"/p/one": PAGE % ("One", "ONE")}

    run = helped.scrape("url", url=f"{site.origin}/p/one", dry_run=True)

    assert (run["status"], names(helped, run), site.read) == ("ready", {"One"}, [])


@pytest.mark.parametrize(
    ("robots", "page", "code"),
    [
        ("User-agent: *\nDisallow: /", DRAWN, "robots_disallowed"),
        ("", (403, {}, b""), "source_status"),
        ("", (302, {"Location": "http://169.254.169.254/"}, b""), "url_not_allowed"),
    ],
)
def test_the_page_reader_opens_nothing_that_is_closed_to_us(
    helped: Imports, site: Any, robots: str, page: Any, code: str
) -> None:
    site.pages = {"/robots.txt": robots, "/p/one": page}

    run = helped.scrape("url", url=f"{site.origin}/p/one")

    assert (run["errors"][0]["code"], site.read) == (code, [])


def test_without_a_page_reader_a_page_of_scripts_shows_nothing(plain: Imports, site: Any) -> None:
    site.pages = {"/p/one": DRAWN}

    run = plain.scrape("url", url=f"{site.origin}/p/one")

    assert (run["status"], run["errors"][0]["code"], site.read) == ("failed", "no_product", [])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((402, {}, b"{}"), "page_reader_402"),
        ((302, {"Location": "http://169.254.169.254/"}, b""), "redirect"),
        (b'{"success": false, "error": "blocked"}', "page_reader_refused"),
        (b"[]", "page_reader_refused"),
        (b'{"success": true, "data": []}', "page_reader_refused"),
        (b'{"success": true, "data": {"metadata": []}}', "no_product"),
        (drawn(DRAWN), "no_product"),
        (drawn(PAGE % ("Gone", "GONE"), statusCode=404), "no_product"),
        (b'{"success": true, "data": {"rawHtml": 7}}', "no_product"),
    ],
)
def test_what_the_page_reader_cannot_read_is_a_failure_that_says_so(
    helped: Imports, site: Any, answer: Any, code: str
) -> None:
    site.pages, site.drawn = {"/p/one": DRAWN}, [answer]

    run = helped.scrape("url", url=f"{site.origin}/p/one")

    assert (run["status"], run["errors"][0]["code"]) == ("failed", code)
    assert helped.products() == {}
    assert KEY not in json.dumps(run)


@pytest.mark.parametrize("answer", [(503, {}, b""), (429, {"Retry-After": "7"}, b""), b"<html>", b"[" * 100_000])
def test_passing_trouble_of_the_page_reader_is_waited_for(helped: Imports, site: Any, answer: Any) -> None:
    site.pages, site.drawn = {"/p/one": DRAWN}, [answer, drawn(PAGE % ("Drawn", "DRAWN-1"))]

    run = helped.scrape("url", url=f"{site.origin}/p/one")

    assert run["status"] == "applied"
    assert sorted(helped.products()) == ["DRAWN-1"]
    assert len(site.read) == 2
