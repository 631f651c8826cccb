"""Goal 8 for stock by hand: one unit off a level, with ledger, sums, outbox and idempotency record, against the peer's purchase.

Both take one unit of row 2 + (7 n mod 900) again and again, of which there are plenty. Afterwards every level of ours is what its
movements say, and as many movements were made as requests were answered.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.harness import Outcome, Server, Void, interleaved, ratio, workspace
from bench.load import Ask, Load, load_by_script
from bench.ours import BASIC, environment, function
from bench.stock_data import stocked, store_id
from bench.yardsticks import bearer, peer
from shared.app import App
from shared.core.settings import Settings
from shared.ports.documents import Query

__all__ = ["measure"]

ROUNDS = 5
CONNECTIONS = (1, 8, 32)
GOAL, P99_GOAL = 2.5, 0.3
_OURS = """
local n, run = 0, "%(run)s"
local stores = {[0] = "%(one)s", [1] = "%(zero)s"}
request = function()
  n = n + 1
  local row = 2 + (7 * n) %% 900
  local body = string.format('{"product_id":"prd_%%06d","store_id":"%%s","quantity":-1}', math.floor((row + 1) / 2), stores[row %% 2])
  return wrk.format("POST", "/api/v1/inventory/adjust", {
    ["Authorization"] = "%(authorization)s", ["Content-Type"] = "application/json", ["Idempotency-Key"] = run .. n,
  }, body)
end
"""
_THEIRS = """
local n = 0
request = function()
  n = n + 1
  local body = string.format('{"inventory_id":%%d,"quantity":1}', 2 + (7 * n) %% 900)
  return wrk.format("POST", "/purchases", {["Authorization"] = "%(authorization)s", ["Content-Type"] = "application/json"}, body)
end
"""


def measure() -> Outcome:
    """Load ours and the peer in turns, then audit."""
    data = stocked("adjust")
    stores = {"one": store_id(data, "store-1"), "zero": store_id(data, "store-0")}
    before = _movements(data)
    with ExitStack() as running:
        theirs = running.enter_context(peer("peer"))
        ours = running.enter_context(function("inventory", "/api/v1/stores", data=data))
        variants: dict[str, Callable[[], Load]] = {}
        for connections in CONNECTIONS:
            variants[f"ours @{connections}"] = partial(_loaded, ours, connections, (_OURS, {**BASIC, **stores}))
            variants[f"peer @{connections}"] = partial(_loaded, theirs, connections, (_THEIRS, bearer()))
        rounds = interleaved(ROUNDS, variants)
    made, differences = _movements(data) - before, _differences(data)
    answered = sum(one.requests for each in rounds for name, one in each.items() if name.startswith("ours"))
    return _outcome(
        rounds, right=differences == 0 and made >= answered, ledger=f"{made} movements, {differences} differences"
    )


def _outcome(rounds: list[dict[str, Load]], *, right: bool, ledger: str) -> Outcome:
    if any(one.requests == 0 for each in rounds for one in each.values()):
        raise Void("somebody answered nothing within a run: the machine is too busy")
    speed = [{name: one.per_second for name, one in each.items()} for each in rounds]
    tail = [{name: one.p99_ms for name, one in each.items()} for each in rounds]
    times = {n: ratio(speed, f"ours @{n}", f"peer @{n}") for n in CONNECTIONS}
    late = {n: ratio(tail, f"ours @{n}", f"peer @{n}") for n in CONNECTIONS}
    return Outcome(
        value=", ".join(f"{times[n]:.1f}x @{n} (p99 {late[n]:.2f}x)" for n in CONNECTIONS) + f"; {ledger}",
        goal=f">= {GOAL}x @8 and @32, p99 <= {P99_GOAL}x, no difference",
        passed=right and all(times[n] >= GOAL and late[n] <= P99_GOAL for n in (8, 32)),
        rounds=[
            ", ".join(
                f"{name} {one.per_second:.0f}/s {one.p99_ms:.1f} ms {one.cpu_ms:.2f} CPU" for name, one in each.items()
            )
            for each in rounds
        ],
    )


def _loaded(server: Server, connections: int, told: tuple[str, Mapping[str, str]]) -> Load:
    """Run a script whose keys are new in each run."""
    template, values = told
    script = workspace() / "adjust.lua"
    number = int((workspace() / "adjust.run").read_text()) + 1 if (workspace() / "adjust.run").exists() else 1
    (workspace() / "adjust.run").write_text(str(number))
    filled = {"authorization": values["Authorization"], "run": f"run-{number}-", **values}
    script.write_text(template % filled)
    return load_by_script(server, Ask("/", connections), script)


def _movements(data: Path) -> int:
    app = App(Settings.from_env(environment(data)))
    found: int = app.store.count(Query("movements"))
    app.close()
    return found


def _differences(data: Path) -> int:
    app = App(Settings.from_env(environment(data)))
    found = len(app.stock_audit.check().differences)
    app.close()
    return found
