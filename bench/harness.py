"""How everything here is measured: fresh processes, interleaved rounds, ratios per round, CPU of the whole process tree.

A goal is passed or failed on the ratio to a yardstick that ran in the same minutes. One answer that is not the expected
one voids the whole run (`Void`). What a machine lacks (wrk, Java, data) is reported as missing, never as passed.
"""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

__all__ = [
    "BENCH_PYTHON",
    "ROOT",
    "Answer",
    "Missing",
    "Outcome",
    "Server",
    "Void",
    "fetch",
    "interleaved",
    "need",
    "ratio",
    "serving",
    "workspace",
]

ROOT = Path(__file__).resolve().parent.parent
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
POLL_S = 0.002
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# Above lies the ephemeral range, where the load generator's own sockets live.
PORTS = range(20000, 32000)
T = TypeVar("T")


class Missing(Exception):
    """Something that the measurement needs is not on this machine."""


class Void(Exception):
    """An answer was not the expected one: the run measures nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bench says: one value against one goal, passed or not, and its rounds for the curious."""

    value: str
    goal: str
    passed: bool
    rounds: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """A running process tree that answers at `url`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    start_s: float = 0.0
    start_cpu_s: float = field(default=0.0)

    def cpu_s(self) -> float:
        """Return user + system seconds of the whole tree so far, ended and awaited children included."""
        return sum(_ticks(pid) for pid in _tree(self.process.pid)) * TICK_S

    def stop(self) -> None:
        """End the tree and wait for it."""
        pids = _tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in pids:
                _kill(pid)
            self.process.wait(timeout=5)


def need(tool: str) -> str:
    """Return the path of a program; raise Missing when it is not installed."""
    path = shutil.which(tool)
    if path is None:
        raise Missing(tool)
    return path


@contextmanager
def serving(
    line: Sequence[str | Path],
    *,
    ready: str | tuple[str, int],
    env: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> Iterator[Server]:
    """Start a server, wait until `ready` answers 200, or the status beside it (asked every 2 ms), and end it afterwards.

    `{port}` in the line is replaced by a free port, which also stands in PORT.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = workspace() / f"server-{port}.log"
    words = [str(word).replace("{port}", str(port)) for word in line]
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=cwd, env=_environment(port, env), stdout=out, stderr=out)
    server = Server(process, url, log)
    try:
        path, status = (ready, 200) if isinstance(ready, str) else ready
        _wait(server, path, headers or {}, status)
        server.start_s = time.perf_counter() - began
        server.start_cpu_s = server.cpu_s()
        yield server
    finally:
        server.stop()


def fetch(url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Return one answer, whatever its status."""
    request = Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - our own servers on 127.0.0.1
    try:
        with urlopen(request, timeout=60) as reply:  # noqa: S310 - the same
            return Answer(reply.status, dict(reply.headers), reply.read())
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, dict(refused.headers), refused.read())


def interleaved(rounds: int, variants: Mapping[str, Callable[[], T]]) -> list[dict[str, T]]:
    """Run every variant once per round, A B C A B C ..., and return the rounds."""
    return [{name: run() for name, run in variants.items()} for _ in range(rounds)]


def ratio(rounds: Sequence[Mapping[str, float]], name: str, yardstick: str) -> float:
    """Return the median over the rounds of one variant's value divided by the yardstick's of the same round."""
    return median(each[name] / each[yardstick] for each in rounds)


def workspace() -> Path:
    """Return the folder for logs, bundles and database copies of the benches."""
    folder = ROOT / ".data" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _environment(port: int, extra: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PORT": str(port), "HOST": "127.0.0.1", **(extra or {})}


def _free_port() -> int:
    for port in random.SystemRandom().sample(PORTS, 200):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise Missing("a free port below 32000")


def _wait(server: Server, ready: str, headers: Mapping[str, str], status: int) -> None:
    deadline = time.perf_counter() + 60
    while time.perf_counter() < deadline:
        if server.process.poll() is not None:
            break
        try:
            answer = fetch(server.url + ready, headers=headers)
        except OSError:
            time.sleep(POLL_S)
            continue
        if answer.status == status:
            return
        raise Void(f"{ready} answered {answer.status} at the start: {answer.body[:300]!r}")
    raise Void(f"the server did not start: {server.log.read_text(errors='replace')[-800:]}")


def _tree(root: int) -> list[int]:
    """Return a process and all its living descendants."""
    parents = {pid: int(stat[1]) for pid, stat in _stats()}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _stats() -> Iterator[tuple[int, list[str]]]:
    if not Path("/proc/self/stat").exists():
        raise Missing("/proc (the CPU of a process tree is read from it)")
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue
            yield int(folder.name), text.rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    """Return the clock ticks of one process: its own and those of children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(number) for number in fields[11:15])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
