"""A page reader that runs a page's scripts, behind any server that speaks Firecrawl's scrape API."""

import json
from contextlib import closing
from typing import Any

from shared.adapters.fetch.waits import asked_wait_s
from shared.core.clock import Clock
from shared.core.errors import Problem, Terminal, Transient
from shared.ports.fetch import Fetch, Request, Response

__all__ = ["FirecrawlPages"]

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_PASSING = frozenset({408, 409, 425, _TOO_MANY})
_MOST_BYTES = 60 * 2**20
_TOTAL_S = 60.0


class FirecrawlPages:
    """Asks for the HTML of a page as a browser sees it."""

    def __init__(self, fetch: Fetch, clock: Clock, base_url: str, key: str) -> None:
        """Take the way out, time, the address of the server, and its key."""
        self._fetch, self._clock = fetch, clock
        self._url, self._key = f"{base_url.rstrip('/')}/v1/scrape", key

    def __call__(self, url: str) -> str | None:
        """Return a page's HTML, None where the reader saw none; raise Transient or Terminal `page_reader...`."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        asked = json.dumps({"url": url, "formats": ["rawHtml"], "onlyMainContent": False}).encode()
        request = Request("POST", self._url, headers, asked, max_bytes=_MOST_BYTES, read_s=_TOTAL_S, total_s=_TOTAL_S)
        try:
            answer = self._fetch.send(request)
        except Problem as refusal:
            raise Terminal("page_reader_not_allowed", refusal.detail) from None
        with closing(answer):
            if answer.status != _OK:
                raise self._failure(answer)
            return _html(answer.read())

    def _failure(self, answer: Response) -> Transient | Terminal:
        said, code = f"The page reader answered {answer.status}.", f"page_reader_{answer.status}"
        if answer.status not in _PASSING and answer.status < _SERVER_ERROR:
            return Terminal(code, said)
        wait_s = asked_wait_s(answer.headers, "", self._clock.now())
        return Transient(code, said, wait_s=wait_s, rate_limited=answer.status == _TOO_MANY)


def _html(body: bytes) -> str | None:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Transient("page_reader_not_json", "The page reader answered with something other than JSON.") from None
    if not isinstance(told, dict) or told.get("success") is not True or not isinstance(told.get("data"), dict):
        raise Terminal("page_reader_refused", "The page reader could not read the page.")
    data = told["data"]
    metadata = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
    html = data.get("rawHtml") or data.get("html")
    return html if isinstance(html, str) and metadata.get("statusCode", _OK) == _OK else None
