"""The control side, `/_sim/`: what a person or a test in another process does to a simulator."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.simulators.wire import Answer, Request
from shared.core.clock import instant

if TYPE_CHECKING:
    from local.simulators.base import Simulator

__all__ = ["PREFIX", "answer"]

PREFIX = "/_sim/"


def answer(simulator: "Simulator", request: Request) -> Answer:
    """Answer a control request: 404 for an unknown one, 400 with the reason for a wrong one."""
    made = _CALLS.get((request.method, request.path.removeprefix(PREFIX)))
    if made is None:
        return _json({"message": "unknown", "known": [f"{verb} {PREFIX}{name}" for verb, name in _CALLS]}, 404)
    try:
        body = json.loads(request.body) if request.body else {}
        return _json(made(simulator, request, body), 200)
    except (ValueError, TypeError, KeyError, AttributeError, LookupError) as problem:
        return _json({"message": str(problem)}, 400)


def _reset(simulator: "Simulator", _: Request, body: Any) -> Any:
    simulator.reset(body.get("seed"), body.get("scenario"), body.get("size"))
    return {"orders": len(simulator.world.orders), "held": len(simulator.truth())}


def _clock(simulator: "Simulator", _: Request, body: Any) -> Any:
    simulator.world.setting.advance(float(body["advance_s"]))
    return {"now": instant(simulator.clock.now())}


def _script(simulator: "Simulator", _: Request, body: Any) -> Any:
    for entry in body if isinstance(body, list) else [body]:
        simulator.script(entry["route"], int(entry["before_request"]), *entry["do"])
    return {"scripts": "set"}


def _add_faults(simulator: "Simulator", _: Request, body: Any) -> Any:
    for entry in body if isinstance(body, list) else [body]:
        word = entry.get("fault") or entry["kind"]
        simulator.add_fault(
            word, entry.get("times"), entry.get("after", 0), entry.get("path") or entry.get("route", "")
        )
    return {"faults": simulator.faults()}


def _faults(simulator: "Simulator", _: Request, __: Any) -> Any:
    return {"faults": simulator.faults()}


def _switch(simulator: "Simulator", _: Request, body: Any) -> Any:
    simulator.switch(**body)
    return simulator.switches


def _switches(simulator: "Simulator", _: Request, __: Any) -> Any:
    return {"switches": simulator.switches, "known": simulator.known_switches}


def _change(simulator: "Simulator", _: Request, body: Any) -> Any:
    changes = body if isinstance(body, list) else [body]
    return {"results": [simulator.change(change) for change in changes]}


def _journal(simulator: "Simulator", _: Request, __: Any) -> Any:
    return simulator.journal.entries()


def _truth(simulator: "Simulator", request: Request, _: Any) -> Any:
    statuses = dict(request.query).get("statuses")
    return simulator.truth(statuses.split(",") if statuses else None)


_CALLS: dict[tuple[str, str], Callable[["Simulator", Request, Any], Any]] = {
    ("POST", "reset"): _reset,
    ("POST", "clock"): _clock,
    ("POST", "script"): _script,
    ("POST", "faults"): _add_faults,
    ("GET", "faults"): _faults,
    ("POST", "switches"): _switch,
    ("GET", "switches"): _switches,
    ("POST", "change"): _change,
    ("GET", "journal"): _journal,
    ("GET", "truth"): _truth,
}


def _json(body: Any, status: int) -> Answer:
    data = json.dumps(body, ensure_ascii=False, default=str).encode()
    return Answer(status, data, {"Content-Type": "application/json; charset=utf-8"})
