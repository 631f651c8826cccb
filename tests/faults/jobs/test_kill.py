"""The local queue and `kill -9`: what was accepted is delivered, what was delivered twice had one effect."""

import subprocess
import sys
from pathlib import Path

from shared.adapters.local_queue import Claimed, Dispatcher, SqliteTasks
from shared.adapters.local_queue.dispatcher import Called
from shared.core.clock import ManualClock
from tests.faults.jobs.volume import sized

ROOT = Path(__file__).parents[3]
_FEEDER = """
import sys
from shared.adapters.local_queue import Dispatcher, SqliteTasks
from shared.adapters.local_queue.dispatcher import Called
from shared.core.clock import ManualClock
from shared.ports.tasks import Task

tasks, clock, base = SqliteTasks(sys.argv[1], ManualClock()), ManualClock(), int(sys.argv[2])

def deliver(claimed):
    print("delivered", claimed.task.name, flush=True)
    return Called(200)

dispatcher = Dispatcher(tasks, deliver, clock)
for number in range(100_000):
    tasks.enqueue(Task("count", "refresh", f"t{base + number}", {}))
    print("accepted", f"t{base + number}", flush=True)
    if number % 3 == 0:
        dispatcher.run_due(2)
"""


def test_nothing_accepted_is_lost_by_kill_9(tmp_path: Path) -> None:
    accepted: set[str] = set()
    delivered: list[str] = []
    for kill in range(sized(4, 50)):
        line = [sys.executable, "-c", _FEEDER, str(tmp_path / "queue.db"), str(kill * 100_000)]
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as feeder:
            assert feeder.stdout is not None
            for _, said in zip(range(40 + 17 * kill), feeder.stdout, strict=False):
                _note(said, accepted, delivered)
            feeder.kill()
            for said in feeder.stdout:
                _note(said, accepted, delivered)

    tasks = SqliteTasks(tmp_path / "queue.db", ManualClock())
    before = tasks.state()
    Dispatcher(tasks, lambda claimed: _deliver(claimed, delivered), ManualClock()).run_due()
    print(f"{len(accepted)} accepted, {len(delivered)} deliveries, {before.queued} left after the last kill")

    assert len(accepted) > 80
    assert accepted <= set(delivered)
    assert len(delivered) - len(set(delivered)) <= sized(4, 50)  # at most the one being delivered at each kill


def _note(said: str, accepted: set[str], delivered: list[str]) -> None:
    word, _, name = said.strip().partition(" ")
    if said.endswith("\n"):
        accepted.add(name) if word == "accepted" else delivered.append(name)


def _deliver(claimed: Claimed, delivered: list[str]) -> Called:
    delivered.append(claimed.task.name)
    return Called(200)
