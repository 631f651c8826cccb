"""Load on a running server by wrk: one thread, keep-alive, a second of warm-up, the answer checked before and after."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.harness import Answer, Server, Void, fetch, need

__all__ = ["Load", "load", "load_by_script"]

WARM_UP_S = 1
LOAD_S = 3
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}
_SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw, and what the server's process tree spent on it."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    bytes_each: float


def load(
    server: Server,
    path: str,
    *,
    connections: int = 1,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Load:
    """Drive one GET for some seconds; raise Void when any answer was not the expected one."""
    before = _expected(server, path, headers, status)
    _wrk(server, path, connections, headers, WARM_UP_S)
    spent = server.cpu_s()
    text = _wrk(server, path, connections, headers, LOAD_S)
    spent = server.cpu_s() - spent
    after = _expected(server, path, headers, status)
    if before.body != after.body:
        raise Void(f"{path} changed its answer during the run")
    return _read(text, spent)


def load_by_script(server: Server, path: str, script: Path, *, connections: int = 1) -> Load:
    """Drive what a Lua script asks for, once, without warm-up; raise Void when an answer was not 2xx or 3xx."""
    spent = server.cpu_s()
    text = _run_wrk(server, path, ["-s", str(script)], connections, LOAD_S)
    return _read(text, server.cpu_s() - spent)


def _expected(server: Server, path: str, headers: Mapping[str, str] | None, status: int) -> Answer:
    answer = fetch(server.url + path, headers=headers)
    if answer.status != status:
        raise Void(f"{path} answered {answer.status}, not {status}: {answer.body[:200]!r}")
    return answer


def _wrk(server: Server, path: str, connections: int, headers: Mapping[str, str] | None, seconds: int) -> str:
    words = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    return _run_wrk(server, path, words, connections, seconds)


def _run_wrk(server: Server, path: str, words: list[str], connections: int, seconds: int) -> str:
    line = [need("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *words, server.url + path]
    done = subprocess.run(line, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Void(f"{path}: {done.stdout[-400:]}{done.stderr[-200:]}")
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
