"""Goal 9: 64 simultaneous buyers of 10 units, 20 rounds on an SQLite file and 20 on the official Firestore emulator."""

import time
from contextlib import ExitStack
from statistics import median
from tempfile import TemporaryDirectory

from bench.harness import Missing, Outcome
from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import SystemClock
from shared.ports.documents import Documents
from shared.ports.store import Store
from tests.contract.documents.buyers import buy_within, check_ledger, outcomes, stocked
from tests.google.firestore.emulator import NotPresent, running_emulator

__all__ = ["measure"]

ROUNDS, UNITS, EMULATOR_GOAL_S = 20, 10, 2.0
_BUYERS = [f"buyer-{number:02}" for number in range(64)]
_EXPECTED = {"sold": UNITS, "short": len(_BUYERS) - UNITS}


def measure() -> Outcome:
    """Sell out, round after round; compare the ledger each time."""
    lines: list[str] = []
    with ExitStack() as running:
        folder = running.enter_context(TemporaryDirectory())
        try:
            address = running.enter_context(running_emulator())
        except NotPresent as reason:
            raise Missing(f"the Firestore emulator ({reason})") from reason
        files = [_round(SqliteDocuments(f"{folder}/{n}.db", Shapes()), "sqlite", lines) for n in range(ROUNDS)]
        shops = [f"firestore://oversell-{number}/(default)" for number in range(ROUNDS)]
        clouds = [_round(FirestoreDocuments(url, Shapes(), emulator=address), "emulator", lines) for url in shops]
    right = [sum(well for well, _ in each) for each in (files, clouds)]
    seconds = [median(took for _, took in each) for each in (files, clouds)]
    return Outcome(
        value=f"sqlite {right[0]}/{ROUNDS} rounds right, {seconds[0]:.2f} s; emulator {right[1]}/{ROUNDS}, {seconds[1]:.2f} s",
        goal=f"exactly {UNITS} sold and 54 refused in {ROUNDS} of {ROUNDS}, emulator median <= {EMULATOR_GOAL_S:.0f} s",
        passed=right == [ROUNDS, ROUNDS] and seconds[1] <= EMULATOR_GOAL_S,
        rounds=lines,
    )


def _round(documents: Documents, name: str, lines: list[str]) -> tuple[bool, float]:
    stocked(documents, UNITS)
    began = time.perf_counter()
    fared = outcomes(Store(documents, SystemClock()), _BUYERS, buy_within)
    took = time.perf_counter() - began
    check_ledger(documents, UNITS)
    documents.close()
    lines.append(f"{name}: {dict(fared)} in {took:.2f} s")
    return fared == _EXPECTED, took
