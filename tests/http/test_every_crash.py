"""I03 and I04 on every unsafe route that heeds an Idempotency-Key: the process dies, and the same request comes again.

An atomic operation commits effect and record at once: dying before it leaves nothing, and a retry is free to begin anew at
once; dying after it leaves the answer. What works outside the store takes the key first: dying then leaves nothing but the claim
until the lease ends. Either way the retry ends in one effect and one answer.
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.http.idempotency import LEASE
from shared.http.router import Operation
from tests.client import Answered, Client
from tests.http.product import tokens
from tests.http.test_every_repeat import FEWEST_EFFECTS, ROUTES, SILENT, SOME, TRIES, House, Sent, is_kept
from tests.http.test_idempotency_crashes import Killed, Mortal

UNDONE = (1, True)
DONE = (1, False)
CLAIMED = (1, False)
WORKED = (2, True)
FINISHED = (2, False)
DEATHS = {True: (UNDONE, DONE), False: (CLAIMED, WORKED, FINISHED)}
"""At which commit of an operation that is atomic, or not, its process dies, and whether before it."""
PATIENCE = 8
"""How many times the tries for a route that refuses everything before its key is claimed."""


class Came(NamedTuple):
    """What came of a request whose process died: documents written until then, and the answers to it later."""

    written: tuple[int, int]
    before_lease: Answered
    retry: Answered
    again: Answered
    rewritten: bool


def died(house: House, sent: Sent, death: tuple[int, bool]) -> Came | None:
    """Let the process die at a commit of the request, and send it again; None when it came to no such commit."""
    real, before = house.app.documents, house.written()
    Mortal(house.app, death[0], before=death[1])  # type: ignore[arg-type]
    try:
        sent.by(house.admin)
    except Killed:
        pass
    else:
        return None
    finally:
        house.app.store.documents = real
    after = house.written()
    early = sent.by(house.admin)
    house.app.clock.advance(LEASE.total_seconds())  # type: ignore[attr-defined]
    house.admin = Client(house.handle).as_(f"Bearer {tokens(house.app)['admin']}")
    retry = sent.by(house.admin)
    written = house.written()
    again = sent.by(house.admin)
    return Came((after[0] - before[0], after[1] - before[1]), early, retry, again, house.written() != written)


def faults_of(operation: Operation, death: tuple[int, bool], came: Came) -> list[str]:
    """Return what is wrong with what came of it."""
    replayed = "Idempotency-Replayed" in came.retry.headers
    found = {
        "the retry fails": came.retry.status >= 500,
        "another answer": is_kept(came.retry)
        and (came.again.status, came.again.body) != (came.retry.status, came.retry.body),
        "written again": is_kept(came.retry) and came.rewritten,
    }
    if operation.atomic:
        # The caller's own account may have been the one that was changed: then the first retry finds the session ended.
        ended = came.before_lease.status in {401, 403}
        found["not answered at once"] = not ended and is_kept(came.retry) and came.before_lease.body != came.retry.body
        found["something is left"] = death == UNDONE and came.written != (0, 0)
        at_once = "Idempotency-Replayed" in came.before_lease.headers
        found["done twice"] = death == DONE and is_kept(came.retry) and not ((at_once or ended) and replayed)
        found["not done"] = death == UNDONE and at_once
    elif death != FINISHED:
        in_flight = came.before_lease.status == 409 and b"IdempotencyInFlight" in came.before_lease.body
        found["not in flight"] = not in_flight
    return [fault for fault, so in found.items() if so]


class Seen:
    """What deaths on all routes showed."""

    def __init__(self, house: House, routes: Any = ROUTES) -> None:
        self.faults: Counter[str] = Counter()
        self.died: set[str] = set()
        self.effects: set[str] = set()
        for operation, pattern in routes:
            label = f"{operation.method} {pattern}"
            house.look()
            for death in DEATHS[operation.atomic]:
                self._try(house, operation, pattern, (label, death))
        print(f"{len(routes)} routes, {len(self.died)} on which processes died, {len(self.effects)} with an effect")

    def _try(self, house: House, operation: Operation, pattern: str, named: tuple[str, tuple[int, bool]]) -> None:
        """Let processes die until one of the requests had an effect in the end."""
        label, death = named
        deaths = 0
        for _ in range(TRIES * PATIENCE):
            came = died(house, house.request(operation, pattern), death)
            if came is None:
                continue
            deaths += 1
            self.died.add(label)
            self.faults.update(f"{label}: {fault} after {death}" for fault in faults_of(operation, death, came))
            if came.retry.status < 300:
                self.effects.add(label)
                return
            if deaths >= TRIES:
                return


@pytest.mark.serial
def test_a_death_at_any_commit_leaves_one_effect_on_every_route(tmp_path: Path) -> None:
    seen = Seen(House(tmp_path))

    assert seen.faults == {}
    assert {f"{each.method} {path}" for each, path in ROUTES} - seen.died - SILENT.keys() == set()
    assert len(seen.effects) >= FEWEST_EFFECTS


@pytest.mark.serial
def test_control_a_record_in_a_commit_of_its_own_lets_effects_happen_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: the effect is committed first, the record after it."""
    monkeypatch.setattr("shared.http.run._committed", _recorded_late)

    seen = Seen(House(tmp_path), SOME)

    twice = {fault.partition(": ")[0] for fault in seen.faults if "done twice" in fault}
    assert len(twice) >= len(SOME) // 3


def _recorded_late(ctx: Any, work: Any, attempt: Any) -> Any:
    answer = ctx.app.store.atomically(work, first=attempt.first)
    ctx.app.store.documents.commit([attempt.final(answer)])
    return answer
