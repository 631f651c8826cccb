"""Calling a vendor's JSON API: one origin, a credential that goes nowhere else, pacing, short retries, named failures.

    Transient   connection trouble, timeouts, 408, 425, 429, 5xx, a body that is cut, empty, no JSON or of the wrong shape
    Terminal    `credentials_rejected` for 401, `foreign_link`, redirects, every other 4xx

Short waits are slept here; a longer one is raised with `wait_s`, so that the job saves its cursor and comes back.
"""

import json
import random
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic_core import from_json

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.waits import asked_wait_s
from shared.core.clock import Clock
from shared.core.errors import Problem, Terminal, Transient
from shared.core.retry import Backoff
from shared.core.values import dataclass, field
from shared.ports.fetch import Fetch, Request, Response

__all__ = ["Link", "Profile", "Reply", "VendorApi", "encode", "parse_json"]

_BACKOFF = Backoff(base_s=0.5, cap_s=30.0, deadline_s=60.0)
_PASSING = frozenset({408, 425, 429})
_REMAINING = ("x-remaining-calls", "x-ratelimit-remaining")
_VERSION = re.compile(r"/(\d{4}-\d\d|\d\.\d|experimental)(/|$)", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OK, _BAD, _UNAUTHORISED, _RATE_LIMITED, _SERVER_ERROR = 200, 300, 401, 429, 500
Failure = Callable[[int, Mapping[str, Any], str], Exception]
_SHOWN = 200
_TELLING = 6


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom to call and with how much patience; `base_url` holds scheme, host and the path all calls begin with.

    `patience_s` bounds one wait, `retry_s` the time after which a call is not tried again, `total_s` each try.
    """

    name: str
    base_url: str
    token: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tries: int = 3
    patience_s: float = 5.0
    retry_s: float = 20.0
    total_s: float = 25.0


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the vendor's, found to lead to its own origin: a path below the base, and the query."""

    path: str
    query: str

    def parameter(self, name: str) -> str | None:
        """Return a query parameter's value, its name compared without case."""
        return next((value for key, value in parse_qsl(self.query) if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: parsed JSON (None for an empty answer to a POST) and headers (names in lower case)."""

    body: Any
    headers: Mapping[str, str]
    status: int = 200

    def number(self, name: str) -> int | None:
        """Return a header that is a plain number, else None."""
        text = self.headers.get(name, "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None  # noqa: PLR2004 (no sane count is longer)


class VendorApi:
    """Calls to one vendor account. Safe to share between threads. `told` keeps the quota headers of each path's last answer."""

    def __init__(self, profile: Profile, fetch: Fetch, clock: Clock, rng: random.Random, pace: Pace) -> None:
        """Take whom to call, the way out, time, randomness for the waits, and the account's pace."""
        self._profile, self._fetch, self._clock, self._rng, self._pace = profile, fetch, clock, rng, pace
        self._base = urlsplit(profile.base_url.rstrip("/"))
        self.told: dict[str, Mapping[str, str]] = {}

    def get(self, path: str, query: str, where: str) -> Reply:
        """Return the JSON of `path` (below the base) or raise Transient or Terminal, both naming `where`."""
        started = self._clock.monotonic()
        for number in range(self._profile.tries):
            try:
                return self._once(path, query)
            except Transient as trouble:
                wait_s = self._wait_s(trouble, number, started)
                if wait_s is None:
                    raise self._named(trouble, where) from None
                self._clock.sleep(wait_s)
            except Terminal as failure:
                raise Terminal(failure.code, self._placed(where, failure.detail)) from None
        raise AssertionError("the last try returns or raises")

    def post(self, path: str, body: Mapping[str, Any], where: str, failure: Failure) -> Reply:
        """Send JSON once and return the answer: what a POST has done is for the caller to find out before a repetition.

        Raise what `failure(status, body, where)` makes of an error, Transient and Terminal for trouble on the way.
        """
        self._pace.wait()
        headers = {**self._headers(), "Content-Type": "application/json"}
        request = Request("POST", self._base.geturl() + path, headers, json.dumps(body).encode())
        try:
            answer = self._fetch.send(request)
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None
        try:
            content = answer.read()
        finally:
            answer.close()
        try:
            said = parse_json(content) if content.strip() else None
        except (ValueError, RecursionError):
            said = None
        if answer.status >= _BAD:
            raise failure(answer.status, said if isinstance(said, dict) else {}, where)
        if said is None and content.strip():
            raise Transient("not_json", self._placed(where, "answered with something other than JSON"))
        return Reply(said, answer.headers, answer.status)

    def transient(self, code: str, where: str, detail: str) -> Transient:
        """Return a failure that may pass, named like those of `get`."""
        return Transient(code, self._placed(where, detail))

    def link(self, text: str, where: str) -> Link:
        """Read a link found in an answer; raise Terminal `foreign_link` when it leads to another origin."""
        parts = self._parts(text, where)
        if (parts.scheme or parts.netloc) and _origin(parts, self._base.scheme) != _origin(self._base, ""):
            raise self._foreign(where)
        path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
        below = self._base.path
        if below and (path == below or path.startswith(f"{below}/")):
            path = path.removeprefix(below)
        elif below and (parts.netloc or _VERSION.match(path)):
            raise self._foreign(where)
        return Link(path, parts.query)

    def _parts(self, text: str, where: str) -> SplitResult:
        if "\\" in text or any(ord(char) <= 0x20 for char in text):  # noqa: PLR2004 (ASCII blank)
            raise self._foreign(where)
        try:
            return urlsplit(text)
        except ValueError:
            raise self._foreign(where) from None

    def _foreign(self, where: str) -> Terminal:
        return Terminal("foreign_link", self._placed(where, "a link leads away from the configured address"))

    def _once(self, path: str, query: str) -> Reply:
        self._pace.wait()
        url = f"{self._base.geturl()}{path}" + (f"?{query}" if query else "")
        try:
            answer = self._fetch.send(Request("GET", url, self._headers(), total_s=self._profile.total_s))
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None
        self._pace.told(_remaining(answer))
        self._note(path, answer.headers)
        if answer.status != _OK:
            raise self._failure(answer)
        return Reply(_json_of(answer), answer.headers)

    def _note(self, path: str, headers: Mapping[str, str]) -> None:
        quota = {name: value for name, value in headers.items() if name.startswith("x-ratelimit-")}
        if quota:
            self.told[path] = quota

    def _headers(self) -> dict[str, str]:
        own = {"Accept": "application/json", "Authorization": f"Bearer {self._profile.token}"}
        return {**self._profile.headers, **own}

    def _failure(self, answer: Response) -> Transient | Terminal:
        status = answer.status
        if status in _PASSING or status >= _SERVER_ERROR:
            text = _small_body(answer)
            wait_s = asked_wait_s(answer.headers, text if status == _RATE_LIMITED else "", self._clock.now())
            limited = status == _RATE_LIMITED
            code = "rate_limited" if limited else f"http_{status}"
            return Transient(code, f"answered {status}", wait_s=wait_s, rate_limited=limited)
        if status == _UNAUTHORISED:
            answer.close()
            return Terminal("credentials_rejected", "the credentials were refused (401)")
        return Terminal(f"http_{status}", f"answered {status}{self._words(_small_body(answer))}")

    def _words(self, text: str) -> str:
        """Return the vendor's own explanation, short and printable; nothing for HTML or when it quotes our credential."""
        plain = "".join(char if char.isprintable() else " " for char in text).strip()
        if not plain or plain.startswith("<") or self._profile.token[:_TELLING] in plain:
            return ""
        return f": {plain[:_SHOWN]}"

    def _wait_s(self, trouble: Transient, number: int, started: float) -> float | None:
        """Return how long to sleep before the next try; None when the trouble is to be raised."""
        wait_s = _BACKOFF.wait_s(number, self._rng) if trouble.wait_s is None else trouble.wait_s
        spent = self._clock.monotonic() - started
        last = number + 1 >= self._profile.tries
        return None if last or wait_s > self._profile.patience_s or spent + wait_s > self._profile.retry_s else wait_s

    def _named(self, trouble: Transient, where: str) -> Transient:
        detail = self._placed(where, trouble.detail)
        return Transient(trouble.code, detail, wait_s=trouble.wait_s, rate_limited=trouble.rate_limited)

    def _placed(self, where: str, detail: str) -> str:
        return f"{self._profile.name}, {where}: {detail}"


def encode(parameters: list[tuple[str, str]], *, plain: str = "") -> str:
    """Write a query; the characters of `plain` stay unescaped."""
    return urlencode(parameters, safe=plain)


def _origin(parts: SplitResult, scheme: str) -> tuple[str, str, int | None]:
    kind = parts.scheme or scheme
    try:
        port = parts.port or _DEFAULT_PORTS.get(kind)
    except ValueError:
        port = None
    name = parts.netloc if "@" in parts.netloc else (parts.hostname or "")
    return kind, name, port


def _remaining(answer: Response) -> int | None:
    for name in _REMAINING:
        text = answer.headers.get(name, "").strip()
        if text.isascii() and text.isdigit():
            return min(int(text[:9]), 10**6)
    return None


def _small_body(answer: Response) -> str:
    """Return the beginning of an error's body as text; trouble while reading it is no further error."""
    found = b""
    try:
        for piece in answer.stream(4096):
            found += piece
            if len(found) >= 4096:  # noqa: PLR2004 (as asked for)
                break
    except (Transient, Terminal):
        return ""
    finally:
        answer.close()
    return found.decode("utf-8", "replace")


def _json_of(answer: Response) -> Any:
    body = answer.read()
    kind = answer.headers.get("content-type", "")
    if not body.strip():
        raise Transient("empty_body", "answered 200 with an empty body")
    if kind and "json" not in kind.lower():
        raise Transient("not_json", "answered 200 with something other than JSON")
    try:
        return parse_json(body)
    except (ValueError, RecursionError):
        raise Transient("truncated", "answered with JSON that is damaged or ends early") from None


def parse_json(body: bytes) -> Any:
    """Read JSON; numbers that are none (NaN, Infinity) become null; raise ValueError or RecursionError.

    The fast parser takes what is strict JSON; what it refuses is read again by the patient one, which decides.
    """
    with suppress(ValueError):
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    try:
        return json.loads(body, parse_constant=_nothing)
    except ValueError as problem:
        if isinstance(problem, (json.JSONDecodeError, UnicodeDecodeError)):
            raise
        return json.loads(body, parse_constant=_nothing, parse_int=_digits)


def _nothing(_: str) -> None:
    return None


def _digits(text: str) -> int | str:
    """Keep a number as text that has more digits than Python converts."""
    return int(text) if len(text) <= 400 else text  # noqa: PLR2004 (far above any count, far below the limit)
