"""What every simulator shares: the server, the faults, the switches, the scripts, the journal and the control side.

A vendor's simulator says how its routes answer (`serve`) and how it words the refusals that faults ask for. One lock makes
a request and a change of the world exclude each other; waiting and sending happen outside it.
"""

import gzip
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Self

from local.simulators import control
from local.simulators.faults import CLEAR, LISTING, Fault, FaultQueue, check, matches_path
from local.simulators.journal import Journal
from local.simulators.rate import RateWindow
from local.simulators.server import HOST, SocketServer
from local.simulators.wire import Answer, Request
from local.simulators.world import Setting, World
from shared.core.clock import Clock, instant
from shared.core.values import dataclass

__all__ = ["Change", "Options", "Simulator", "json_answer"]

Change = Mapping[str, Any] | Callable[[], object]
_HTML = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad Gateway</h1><p>Please stand by.</p></body></html>"
_SPOILED = frozenset({"reset_in_body", "slow_headers", "slow_body"})


@dataclass(frozen=True, slots=True)
class Options:
    """How a simulator is set up.

    `anchor` is the virtual time its data set was made for (default: the clock's now): a runner that keeps it over
    restarts gets the same world again. `living` lets the world change by itself. `advance` moves the clock when the clock
    itself cannot. `slow_s` is how long slow answers wait, in real seconds.
    """

    seed: int = 1
    size: int = 10_400
    scenario: str = "default"
    port: int = 0
    living: bool = False
    anchor: datetime | None = None
    slow_s: float = 12.0
    advance: Callable[[float], None] | None = None


@dataclass(slots=True)
class _Script:
    route: str
    left: int
    do: Sequence[Change]


class Simulator(ABC):
    """One vendor on a real socket; use as a context manager or with start and stop."""

    name: ClassVar[str]
    listing: ClassVar[str]
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {}

    def __init__(self, clock: Clock, options: Options | None = None) -> None:
        """Bind the port; nothing is served before `start`."""
        self.options = options or Options()
        self.clock = clock
        self._setting = Setting(clock, self.options.advance or getattr(clock, "advance", None) or _immovable)
        self.rate = RateWindow(clock, None)
        self.journal = Journal()
        self.switches = self._default_switches()
        self._faults = FaultQueue()
        self._scripts: list[_Script] = []
        self._server = SocketServer(self.handle, port=self.options.port, slow_s=self.options.slow_s)

    def start(self) -> Self:
        """Serve in the background."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving and give the port back."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Return the port served."""
        return self._server.port

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """Return what the product's setting of this vendor's address takes."""
        return self.origin

    @property
    @abstractmethod
    def world(self) -> World[Any]:
        """Return the orders and the stock."""

    @abstractmethod
    def rebuild(self, options: Options) -> None:
        """Make the world anew."""

    @abstractmethod
    def serve(self, request: Request) -> Answer:
        """Answer a request of the vendor's surface; `request.quirk` is the listing fault in force, if any."""

    @abstractmethod
    def route_of(self, request: Request) -> str:
        """Return the vendor-neutral name of the route asked for, as scripts and the journal use it."""

    @abstractmethod
    def too_many(self, wait_s: int) -> Answer:
        """Return the vendor's refusal for too many calls."""

    @abstractmethod
    def unauthorised(self) -> Answer:
        """Return the vendor's refusal of a credential."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Return the environment variables with which the product talks to this simulator."""

    @abstractmethod
    def warm(self) -> None:
        """Make every answer's parts ready, so that the first pages cost no more than the later ones."""

    def truth(self, statuses: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return the open held set, one entry per grain, counted from the world alone."""
        with self._setting.lock:
            return self.world.truth(statuses)

    def fault(self, fault: str, times: int | None = None, after: int = 0, path: str = "") -> None:
        """Put a fault in force (`none` clears all); an unbounded `refused` shuts the port itself. Unknown: ValueError."""
        self.add_fault(fault, times, after, path)
        self._open_or_shut()

    def add_fault(self, fault: str, times: int | None = None, after: int = 0, path: str = "") -> None:
        """Put a fault in force but leave the port open, so that the control side stays within reach."""
        if fault == CLEAR:
            self._faults.clear()
            return
        check(self.name, fault)
        self._faults.add(Fault(fault, times, after, path))

    def clear_faults(self) -> None:
        """Take all faults away and open the port."""
        self.fault(CLEAR)

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults in force as `{fault, times, after, path}`."""
        return self._faults.listed()

    def _open_or_shut(self) -> None:
        if self._faults.closed():
            self._server.shut()
        else:
            self._server.open()

    def switch(self, **chosen: Any) -> None:
        """Choose among contradictory behaviours; raise ValueError listing what there is."""
        for name, value in chosen.items():
            allowed = self.known_switches.get(name)
            if allowed is None:
                message = f"{self.name} has no switch {name!r}; it has {', '.join(sorted(self.known_switches))}"
                raise ValueError(message)
            if type(value) is not type(allowed[0]) or (len(allowed) > 1 and value not in allowed):
                message = f"switch {name} takes {' or '.join(map(repr, allowed))}, not {value!r}"
                raise ValueError(message)
        self.switches.update(chosen)

    def script(self, route: str, before_request: int, *do: Change) -> None:
        """Bind changes to just before the n-th request of a route, counted from now: `{"op": ...}` or a callable."""
        with self._setting.lock:
            self._scripts.append(_Script(route, before_request, do))

    def change(self, change: Change) -> Any:
        """Make one change: of the world, or `fault`, `switch`, `advance` and `revoke_token` of the simulator."""
        if callable(change):
            return change()
        arguments = {name: value for name, value in change.items() if name != "op"}
        own: dict[Any, Callable[..., object]] = {
            "fault": self.add_fault,
            "switch": self.switch,
            "advance": self.world.advance,
            "revoke_token": self.revoke_token,
        }
        made = own.get(change.get("op"))
        return made(**arguments) if made else self.world.apply(change)

    @abstractmethod
    def revoke_token(self) -> None:
        """Refuse the token from now on."""

    def reset(self, seed: int | None = None, scenario: str | None = None, size: int | None = None) -> None:
        """Start over: data set, journal, faults, scripts, switches and rate window."""
        was = self.options
        with self._setting.lock:
            self.options = replace(
                was,
                seed=was.seed if seed is None else seed,
                scenario=scenario or was.scenario,
                size=was.size if size is None else size,
            )
            self.rebuild(self.options)
            self.journal.clear()
            self.rate.clear()
            self._scripts.clear()
            self.switches = self._default_switches()
        self.clear_faults()

    def over_rate(self) -> Answer | None:
        """Count a call against the rate; return the refusal when there were too many."""
        self.rate.limit = self.switches["rate_limit"] or None
        wait_s = self.rate.enter()
        return self.too_many(wait_s) if wait_s else None

    def _default_switches(self) -> dict[str, Any]:
        return {name: allowed[0] for name, allowed in self.known_switches.items()}

    def handle(self, request: Request) -> Answer:
        """Answer one request as it came from the socket."""
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        with self._setting.lock:
            request.route = self.route_of(request)
            self._run_scripts(request.route)
            if self.options.living:
                self.world.live()
            word = self._faults.next(lambda fault: self._strikes(fault, request))
            answer = self._spoiled(request, word) if word else self.serve(request)
            status = None if answer.manner == "reset" else answer.status
            self.journal.record(request, status, word, instant(self.clock.now()))
        return self._packed(request, answer)

    def _run_scripts(self, route: str) -> None:
        for script in [script for script in self._scripts if script.route.strip("/") == route.strip("/")]:
            script.left -= 1
            if script.left <= 0:
                self._scripts.remove(script)
                for change in script.do:
                    self.change(change)

    def _strikes(self, fault: Fault, request: Request) -> bool:
        if fault.fault in LISTING and not fault.path:
            return request.route == self.listing
        return matches_path(fault, self.targets(request))

    def targets(self, request: Request) -> Sequence[str]:
        """Return the texts a fault's path may be the beginning of."""
        return (request.target, request.route + ("?" + request.raw_query if request.raw_query else ""))

    def _spoiled(self, request: Request, word: str) -> Answer:
        html = {"Content-Type": "text/html"}
        makers: dict[str, Callable[[], Answer]] = {
            "refused": lambda: Answer(manner="reset"),
            "reset": lambda: Answer(manner="reset"),
            "rate_limited": lambda: self.too_many(self.switches["wait_s"]),
            "token_revoked": self.unauthorised,
            "redirect": lambda: Answer(302, b"", {"Location": self.switches["foreign_origin"] + request.target}),
            "html_error": lambda: Answer(503, _HTML, html),
            "html_ok": lambda: Answer(200, _HTML, html),
        }
        if word in makers:
            return makers[word]()
        if word.startswith("http_"):
            status = int(word.removeprefix("http_"))
            return json_answer({"message": "The server is not able to answer."}, status)
        return self._served_with(request, word)

    def _served_with(self, request: Request, word: str) -> Answer:
        if word in LISTING:
            request.quirk = word
            return self.serve(request)
        answer = self.serve(request)
        if word in _SPOILED:
            return replace(answer, manner=word)
        if word == "empty_body":
            return replace(answer, body=b"")
        if word == "wrong_type":
            return replace(answer, headers={**answer.headers, "Content-Type": "text/html; charset=utf-8"})
        if self.switches["truncated"] == "short":
            return replace(answer, manner="short")
        return replace(answer, body=answer.body[: len(answer.body) // 2])

    def _packed(self, request: Request, answer: Answer) -> Answer:
        accepted = "gzip" in request.headers.get("accept-encoding", "")
        if self.switches["gzip"] == "always" or (self.switches["gzip"] == "accepted" and accepted):
            return replace(
                answer,
                body=gzip.compress(answer.body, 1, mtime=0),
                headers={**answer.headers, "Content-Encoding": "gzip"},
            )
        return answer


COMMON_SWITCHES: Mapping[str, tuple[Any, ...]] = {
    "truncated": ("reframed", "short"),
    "gzip": ("off", "accepted", "always"),
    "wait_s": (2,),
    "rate_limit": (150,),
    "foreign_origin": ("https://elsewhere.invalid",),
}


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of JSON."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, data, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def _immovable(_: float) -> None:
    message = "this clock cannot be moved from here; give Options(advance=...)"
    raise ValueError(message)
