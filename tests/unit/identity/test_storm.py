"""T07: 32 logins at once. Memory is measured in a process of its own, because threads leave theirs behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.jobs.volume import sized

ROOT = Path(__file__).resolve().parents[3]
MOST_MIB = 150
STORM = """
import threading
from concurrent.futures import ThreadPoolExecutor
from shared.adapters.argon2 import Argon2
from shared.core.errors import Unavailable
from shared.identity.passwords import Passwords

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

hasher = Argon2()
hashed = hasher.hash("password")
gate = threading.Barrier(32)

def verified(_):
    gate.wait(10)
    try:
        return {verify}(hashed, "password")
    except Unavailable:
        return None

before = peak()
with ThreadPoolExecutor(32) as pool:
    answers = list(pool.map(verified, range(32)))
print(peak() - before, answers.count(True), answers.count(None))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the process from /proc")
@pytest.mark.parametrize("run", range(sized(1, 10)))
def test_thirty_two_logins_at_once_stay_below_150_mib(run: int) -> None:
    grown, right, sent_away = _storm("Passwords(hasher).verify")

    print(f"grew by {grown} MiB; {right} answered, {sent_away} sent away")
    assert grown < MOST_MIB
    assert right + sent_away == 32
    assert right > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the process from /proc")
def test_control_without_slots_they_do_not() -> None:
    grown, right, _ = _storm("hasher.verify")

    print(f"grew by {grown} MiB")
    assert right == 32
    assert grown > MOST_MIB


def _storm(verify: str) -> tuple[int, ...]:
    code = STORM.replace("{verify}", "verify").replace("def verified", f"verify = {verify}\n\ndef verified")
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return tuple(map(int, done.stdout.split()))
