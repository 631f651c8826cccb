"""Goal 4: what the kernel costs per request: an authenticated operation that does nothing, against the platform's hello.

The token is sent again and again, as clients do, so its signature is remembered; requests that each bring a new token are
reported beside it. Limits are counted (with room enough), not switched off.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.harness import ROOT, Outcome, Server, interleaved, ratio, serving, workspace
from bench.load import Ask, load, load_by_script
from bench.ours import environment, fresh_data
from bench.yardsticks import framework, hello
from shared.app import App
from shared.core.caller import Caller, Role
from shared.core.settings import Settings
from shared.identity.tokens import Realm, TokenMint

__all__ = ["measure"]

GOAL = 1.6
ROUNDS = 5
PATH = "/api/v1/noop"
NEW_TOKENS = 4000
_SCRIPT = """
local tokens = {}
for line in io.lines(os.getenv("TOKENS")) do tokens[#tokens + 1] = line end
local at = 0
request = function()
  at = at % #tokens + 1
  return wrk.format("GET", nil, {["Authorization"] = "Bearer " .. tokens[at]})
end
"""


def measure() -> Outcome:
    """Load hello and the no-op in turns, with 1 and with 8 connections."""
    data = fresh_data("noop")
    settings = _settings(data)
    tokens = _tokens(settings)
    bearer = {"Authorization": f"Bearer {tokens[0]}"}
    with ExitStack() as running:
        bare, ours = running.enter_context(hello()), running.enter_context(_noop(settings, bearer))
        variants = {
            f"{name} @{connections}": lambda server=server, path=path, sent=sent, connections=connections: (
                load(server, Ask(path, connections, sent)).cpu_ms
            )
            for connections in (1, 8)
            for name, server, path, sent in (("hello", bare, "/", {}), ("noop", ours, PATH, bearer))
        }
        rounds = interleaved(ROUNDS, variants)
        fresh = load_by_script(ours, Ask(PATH), _script(tokens[1:])).cpu_ms
    at_1, at_8 = ratio(rounds, "noop @1", "hello @1"), ratio(rounds, "noop @8", "hello @8")
    new = fresh / min(each["hello @1"] for each in rounds)
    return Outcome(
        value=f"{at_1:.2f}x hello @1, {at_8:.2f}x @8; {new:.2f}x with a new token each time",
        goal=f"<= {GOAL}x CPU",
        passed=max(at_1, at_8) <= GOAL,
        rounds=[", ".join(f"{name} {ms * 1000:.0f} us" for name, ms in each.items()) for each in rounds],
    )


def _settings(data: Path) -> dict[str, str]:
    policies = ("IP", "USER", "LOGIN", "REFRESH", "COSTLY")
    return {**environment(data), **{f"RATE_LIMIT_{policy}": "1000000" for policy in policies}}


def _tokens(settings: dict[str, str]) -> list[str]:
    """Mint tokens with the key that the server will find in the same data folder."""
    app = App(Settings.from_env(settings))
    realm = Realm(app.settings.auth_issuer, app.settings.auth_audience)
    mint = TokenMint(lambda: app.signing_key, realm, app.clock, app.ids)
    return [mint.mint(Caller(f"usr_{n}", f"bench{n}", Role.VIEWER)) for n in range(NEW_TOKENS + 1)]


@contextmanager
def _noop(settings: dict[str, str], bearer: dict[str, str]) -> Iterator[Server]:
    line = framework(ROOT / "bench/noop_function/main.py")
    env = {**settings, "PYTHONPATH": str(ROOT)}
    with serving(line, ready=PATH, headers=bearer, env=env) as server:
        yield server


def _script(tokens: list[str]) -> Path:
    listed, script = workspace() / "tokens.txt", workspace() / "tokens.lua"
    listed.write_text("\n".join(tokens))
    script.write_text(_SCRIPT.replace('os.getenv("TOKENS")', json.dumps(os.fspath(listed))))
    return script
