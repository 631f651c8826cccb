"""T04's time: what refusing a forged token costs each function, as CPU, since waiting for others is not the refusal's doing.

Every forged token of the tests goes to the guarded route of every function, through the whole kernel in this process. The
figure is the worst pair of token and function, each the median of its rounds.
"""

import time
from statistics import median

from bench.harness import Outcome, Void
from bench.ours import fresh_data
from tests.client import Client
from tests.http.test_tokens_everywhere import GUARDED, Guarded, House, sendable
from tests.unit.identity.test_tokens import FORGED

__all__ = ["measure"]

GOAL_MS = 20.0
ROUNDS = 5


def measure() -> Outcome:
    """Refuse everything in rounds; take the middle of each pair."""
    house = House(fresh_data("refusal"))
    clients = {each.function: house.client(each.function) for each in GUARDED}
    spent: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for name, token in FORGED.items():
            for each in GUARDED:
                took = _refused(clients[each.function], each, sendable(token))
                spent.setdefault((name, each.function), []).append(took)
    house.app.close()
    middles = {pair: median(times) for pair, times in spent.items()}
    (token, function), worst = max(middles.items(), key=lambda item: item[1])
    return Outcome(
        value=f"{worst:.2f} ms CPU at worst, {median(middles.values()):.2f} ms in the middle of {len(middles)} pairs",
        goal=f"< {GOAL_MS:.0f} ms",
        passed=worst < GOAL_MS,
        rounds=[f"the worst: {token} at {function}"],
    )


def _refused(client: Client, guarded: Guarded, token: str) -> float:
    """Send one forged token; return the milliseconds of CPU until its 401."""
    bearer = client.as_(f"Bearer {token}")
    began = time.process_time()
    answer = bearer.send(guarded.method, guarded.path, {} if guarded.method != "GET" else b"")
    took = (time.process_time() - began) * 1000
    if answer.status != 401:
        raise Void(f"{guarded.function} answered a forged token with {answer.status}")
    return took
