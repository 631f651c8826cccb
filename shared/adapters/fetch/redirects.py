"""Following redirects by hand: every hop passes the guard, and nothing private travels to another origin."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urldefrag, urljoin, urlsplit

from shared.adapters.fetch.guard import refused
from shared.core.errors import Terminal
from shared.ports.fetch import Request, Response

__all__ = ["check_headers", "follow"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST = 3
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_OF_A_BODY = frozenset({"content-type", "content-length", "content-encoding", "transfer-encoding"})


def follow(request: Request, check: Callable[[str], None], hop: Callable[[Request], Response]) -> Response:
    """Make the call and at most the allowed redirects; raise Terminal `redirect` beyond them."""
    left = min(request.redirects, _MOST)
    while True:
        check(request.url)
        answer = hop(request)
        if answer.status not in _REDIRECTS:
            return answer
        answer.close()
        if left <= 0:
            raise Terminal("redirect", f"The other side answered {answer.status}, a redirect we do not follow.")
        left -= 1
        request = _redirected(request, answer)


def check_headers(request: Request) -> None:
    """Raise Terminal for a header that cannot be sent, without quoting it: it may be a credential."""
    for name, value in request.headers.items():
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise Terminal("bad_header", "A header has a name that cannot be sent.")
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            raise Terminal("bad_header", f"The header {name} has a value that cannot be sent.")


def _redirected(request: Request, answer: Response) -> Request:
    location = answer.headers.get("location", "")
    if not location:
        raise Terminal("redirect", "The other side redirects without saying where to.")
    try:
        target = urldefrag(urljoin(request.url, location)).url
        before, after = urlsplit(request.url), urlsplit(target)
    except ValueError:
        raise refused("host") from None
    if before.scheme == "https" and after.scheme == "http":
        raise refused("downgrade")
    headers = dict(request.headers)
    if (before.scheme, before.netloc) != (after.scheme, after.netloc):
        headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
    changed = replace(request, url=target, headers=headers)
    return _as_get(changed) if _becomes_get(request.method, answer.status) else changed


def _becomes_get(method: str, status: int) -> bool:
    return method not in {"GET", "HEAD"} and (status == 303 or (status in {301, 302} and method == "POST"))  # noqa: PLR2004 (See Other)


def _as_get(request: Request) -> Request:
    kept = {name: value for name, value in request.headers.items() if name.lower() not in _OF_A_BODY}
    return replace(request, method="GET", body=None, headers=kept)
