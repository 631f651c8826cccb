"""Load on a running server by wrk: one thread, keep-alive, a second of warm-up, the answer checked before and after."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Answer, Server, Void, fetch, need

__all__ = ["Ask", "Load", "load", "load_by_script"]

WARM_UP_S = 1
LOAD_S = 3
PATIENCE_S = 60
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}
_SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET, as it is sent again and again, and the status that every answer must have.

    `steady` says that the answer is the same at the end of the run; one with a cursor in it is not.
    """

    path: str
    connections: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    seconds: int = LOAD_S
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw, and what the server's process tree spent on it."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    bytes_each: float


def load(server: Server, asked: Ask) -> Load:
    """Drive one GET for some seconds; raise Void when any answer was not the expected one."""
    before = _expected(server, asked)
    words = [word for name, value in asked.headers.items() for word in ("-H", f"{name}: {value}")]
    _wrk(server, asked, words, WARM_UP_S)
    spent = server.cpu_s()
    text = _wrk(server, asked, words, asked.seconds)
    spent = server.cpu_s() - spent
    if asked.steady and before.body != _expected(server, asked).body:
        raise Void(f"{asked.path} changed its answer during the run")
    return _read(text, spent)


def load_by_script(server: Server, asked: Ask, script: Path) -> Load:
    """Drive what a Lua script asks for, once, without warm-up; raise Void when an answer was not 2xx or 3xx."""
    spent = server.cpu_s()
    text = _wrk(server, asked, ["-s", str(script)], asked.seconds)
    return _read(text, server.cpu_s() - spent)


def _expected(server: Server, asked: Ask) -> Answer:
    answer = fetch(server.url + asked.path, headers=asked.headers)
    if answer.status != asked.status:
        raise Void(f"{asked.path} answered {answer.status}, not {asked.status}: {answer.body[:200]!r}")
    return answer


def _wrk(server: Server, asked: Ask, words: list[str], seconds: int) -> str:
    line = [need("wrk"), "-t1", f"-c{asked.connections}", f"-d{seconds}s", "--latency", f"--timeout={PATIENCE_S}s"]
    line += [*words, server.url + asked.path]
    done = subprocess.run(line, capture_output=True, text=True, timeout=seconds + PATIENCE_S, check=False)
    if done.returncode != 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Void(f"{asked.path}: {done.stdout[-400:]}{done.stderr[-200:]}")
    return done.stdout


def _read(text: str, cpu_s: float) -> Load:
    requests = int(_find(r"(\d+) requests in", text)[0])
    size, unit = _find(r"requests in [\d.]+\w+, ([\d.]+)([KMG]?B) read", text)
    p50, p99 = (_millis(_find(rf"{share}%\s+([\d.]+)(us|ms|s|m)\b", text)) for share in (50, 99))
    return Load(
        requests=requests,
        per_second=float(_find(r"Requests/sec:\s+([\d.]+)", text)[0]),
        p50_ms=p50,
        p99_ms=p99,
        cpu_ms=cpu_s * 1000 / max(1, requests),
        bytes_each=float(size) * _SIZES[unit] / max(1, requests),
    )


def _find(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    if found is None:
        raise Void(f"wrk said nothing of {pattern}: {text[-400:]}")
    return found.groups()


def _millis(found: tuple[str, ...]) -> float:
    return float(found[0]) * _UNITS[found[1]]
