"""Goal 3: `make run` with data present, from its start until every function group answers.

Yardsticks: the platform's hello, and the runner a team would write first: one process per function, each with every Google
client imported at its top, all started at once. Simulators and the first refresh may follow the answers.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.coldstart import READY
from bench.harness import Outcome, Server, Void, fetch, interleaved, ratio, serving, workspace
from bench.ours import BASIC, environment, fresh_data, laid_out
from bench.yardsticks import framework, hello
from local.bundle import function_names

__all__ = ["measure"]

TO_HELLO, TO_EAGER = 3.0, 0.65
ROUNDS = 5
POLL_S, PATIENCE_S = 0.002, 60.0


def measure() -> Outcome:
    """Start everything in turns."""
    groups = {name: path for name, path in READY.items() if name in function_names()}
    present = _with_data(groups)
    variants = {
        "hello": _hello,
        "run": lambda: _run(_copy(present), groups),
        "eager": _eager(groups),
    }
    rounds = interleaved(ROUNDS, variants)
    to_hello, to_eager = ratio(rounds, "run", "hello"), ratio(rounds, "run", "eager")
    return Outcome(
        value=f"{to_hello:.2f}x hello, {to_eager:.2f}x the eager runner, {len(groups)} groups",
        goal=f"<= {TO_HELLO:.0f}x hello, <= {TO_EAGER}x eager",
        passed=to_hello <= TO_HELLO and to_eager <= TO_EAGER,
        rounds=[", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in each.items()) for each in rounds],
    )


def _hello() -> float:
    with hello() as server:
        return server.start_s


def _run(data: Path, groups: Mapping[str, str]) -> float:
    """Return the seconds until all groups of the local run answer."""
    began = time.perf_counter()
    with serving([sys.executable, "-m", "local"], ready="/health", env=environment(data)) as server:
        _answering(server, groups.values())
        return time.perf_counter() - began


def _eager(groups: Mapping[str, str]) -> Callable[[], float]:
    """Return the start of one eager process per function, all at once: the time until the last of them answers."""
    sources = {name: laid_out(name, eager=True) for name in groups}

    def start() -> float:
        with ThreadPoolExecutor(len(groups)) as pool:
            return max(pool.map(lambda name: _eager_start(sources[name], groups[name]), groups))

    return start


def _eager_start(source: Path, path: str) -> float:
    data = fresh_data(f"run-{source.parent.name}")
    with serving(framework(source), ready=path, headers=BASIC, env=environment(data)) as server:
        return server.start_s


def _with_data(groups: Mapping[str, str]) -> Path:
    """Return a data folder that a first start has filled and given back."""
    data = fresh_data("run-original")
    with serving([sys.executable, "-m", "local"], ready="/health", env=environment(data)) as server:
        _answering(server, groups.values())
        _answering(server, ["/api/last-refresh-time"])
    return data


def _copy(data: Path) -> Path:
    copy = workspace() / "data-run"
    shutil.rmtree(copy, ignore_errors=True)
    return shutil.copytree(data, copy)


def _answering(server: Server, paths: Iterable[str]) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    for path in paths:
        while fetch(server.url + path, headers=BASIC).status != 200:
            if time.perf_counter() > deadline:
                raise Void(f"{path} does not answer 200")
            time.sleep(POLL_S)
