"""Local control (`/__local/...`): time, the queue and the simulators in the hands of an admin; 404 anywhere but locally."""

import threading
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from shared.core.errors import NotFound, ValidationFailed
from shared.http.context import Context
from shared.http.router import Router

if TYPE_CHECKING:
    from local.simulators import Simulator

__all__ = ["Running", "router"]

_PATIENCE_S = 60.0
"""How long a fault waits for its simulator, which starts after the first answers."""


class Running(Protocol):
    """What the control paths steer: the running product."""

    app: Any
    clock: Any
    simulators: "dict[str, Simulator]"
    begun: threading.Event

    def state(self) -> dict[str, Any]:
        """Return time, queue and schedules."""
        ...

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is due."""
        ...


class Advance(BaseModel, defer_build=True):
    """How far to move time."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: Annotated[float, Field(ge=0, le=10 * 366 * 86400, allow_inf_nan=False)]


class Drain(BaseModel, defer_build=True):
    """How long to wait."""

    model_config = ConfigDict(extra="forbid")

    timeout_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 30


class Spoil(BaseModel, defer_build=True):
    """A fault to script; `none` clears all."""

    model_config = ConfigDict(extra="forbid")

    fault: Annotated[str, Field(max_length=50)]
    times: Annotated[int | None, Field(ge=1)] = None
    after: Annotated[int, Field(ge=0)] = 0
    path: Annotated[str, Field(max_length=200)] = ""


def router(product: Running) -> Router:
    """Return the operations over one running product."""
    made = Router("local")

    @made.get("/__local/state", access="admin", etag=False)
    def state(ctx: Context[Any]) -> dict[str, Any]:  # noqa: ARG001 - every handler takes it
        """Say what time it is, what the queue holds and when schedules fire."""
        return product.state()

    @made.post("/__local/clock", access="admin", atomic=False, idempotent=False)
    def clock(ctx: Context[Any], body: Advance) -> dict[str, Any]:  # noqa: ARG001 - every handler takes it
        """Move everything the product reads as time."""
        product.clock.advance(body.advance_seconds)
        return product.state()

    @made.post("/__local/drain", access="admin", atomic=False, idempotent=False)
    def drain(ctx: Context[Any], body: Drain) -> dict[str, bool]:  # noqa: ARG001 - every handler takes it
        """Wait until no task is due and everything written is in the reports."""
        return {"drained": product.drain(body.timeout_seconds)}

    @made.post("/__local/simulators/{name}", access="admin", atomic=False, idempotent=False)
    def simulators(ctx: Context[Any], name: str, body: Spoil) -> dict[str, Any]:  # noqa: ARG001 - every handler takes it
        """Script a fault of a simulator."""
        from local.simulators import known_faults

        product.begun.wait(_PATIENCE_S)
        simulator = product.simulators.get(name)
        if simulator is None:
            detail = "No simulator of this name runs here."
            raise NotFound(detail, resource="simulator")
        if body.fault == "none":
            simulator.clear_faults()
        elif body.fault not in known_faults(name):
            raise ValidationFailed.at("/fault", "unknown_value", "This simulator does not know this fault.")
        else:
            simulator.add_fault(body.fault, body.times, body.after, body.path)
        return {"name": name, "faults": simulator.faults()}

    return made
