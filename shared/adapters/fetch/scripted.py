"""The fetch port in memory: a function answers, everything else is as with real sockets. Unit tests use it."""

from collections.abc import Callable, Iterator, Mapping

from shared.adapters.fetch.guard import Guard
from shared.adapters.fetch.redirects import check_headers, follow
from shared.adapters.fetch.response import StreamedResponse
from shared.core.errors import Transient
from shared.core.values import dataclass, field
from shared.ports.fetch import Request, Response

__all__ = ["Answer", "ScriptedFetch"]

_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script answers; `body` is what stands on the wire, `cut` ends it too early after that."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


class ScriptedFetch:
    """Answers by a function, which may raise what the port raises; `requests` lists every hop made."""

    def __init__(self, script: Callable[[Request], Answer], guard: Guard | None = None) -> None:
        """Take the script and, if its URLs are to be checked, a guard; nothing is ever resolved."""
        self._script = script
        self._guard = guard
        self.requests: list[Request] = []

    def check(self, url: str) -> None:
        """Raise UrlNotAllowed when there is a guard and it refuses what can be seen."""
        if self._guard is not None:
            self._guard.check(url)

    def send(self, request: Request) -> Response:
        """Make the call; see the port."""
        check_headers(request)
        return follow(request, self.check, self._hop)

    def _hop(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._script(request)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return StreamedResponse(answer.status, request.url, headers, (_wire(answer), lambda: None), request.max_bytes)


def _wire(answer: Answer) -> Iterator[bytes]:
    for start in range(0, len(answer.body), _PIECE):
        yield answer.body[start : start + _PIECE]
    if answer.cut:
        raise Transient("truncated", "The answer ended early.")
