"""How the peer and the floors are started, each on its own fresh copy of the same seeded data."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.harness import BENCH_PYTHON, ROOT, Missing, Server, serving, workspace

__all__ = ["SECRET", "bearer", "documents", "framework", "hello", "peer", "peer_of_feed", "python", "same_schema"]

SECRET = "a-secret-of-the-peer-that-is-long-enough"  # noqa: S105 - of the yardstick, on 127.0.0.1
_LOAD_PEER = "import sys; from sqlalchemy import create_engine; from bench.peer.schema import load; \
load(create_engine('sqlite:///' + sys.argv[1]), indexed=sys.argv[2] == 'indexed')"
_LOAD_DOCUMENTS = (
    "import os, sys; os.environ['PEER_DATABASE'] = sys.argv[1]; sys.path.insert(0, 'bench/floor/documents'); \
import main; from bench.peer.schema import seed; main.load(*seed())"
)
_MINT = "import jwt, sys; print(jwt.encode({'sub': 'bench'}, sys.argv[1], algorithm='HS256'))"


def python(*words: str) -> str:
    """Run Python in the benches' own environment and return what it printed."""
    if not BENCH_PYTHON.exists():
        raise Missing(".venv-bench (make bench creates it)")
    done = subprocess.run([BENCH_PYTHON, *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


def bearer() -> dict[str, str]:
    """Return the header that peer and floors accept."""
    return {"Authorization": f"Bearer {python('-c', _MINT, SECRET)}"}


def framework(source: Path, target: str = "main") -> Sequence[str | Path]:
    """Return the command line by which the framework serves a function."""
    return [BENCH_PYTHON.with_name("functions-framework"), f"--source={source}", f"--target={target}"]


@contextmanager
def hello() -> Iterator[Server]:
    """Serve the function that only says hello."""
    with serving(framework(ROOT / "bench/floor/hello/main.py"), ready="/") as server:
        yield server


@contextmanager
def peer(variant: str) -> Iterator[Server]:
    """Serve the peer: naive, peer or indexed."""
    seeded = _seeded(f"peer-{'indexed' if variant == 'indexed' else 'plain'}", _LOAD_PEER, variant)
    with _uvicorn("bench.peer.app:app", "/hello", {"PEER_DATABASE": str(seeded), "PEER_VARIANT": variant}) as server:
        yield server


@contextmanager
def peer_of_feed(rows: Path) -> Iterator[Server]:
    """Serve the peer's feed from a JSON file of rows."""
    with _uvicorn("bench.peer.oos:app", "/openapi.json", {"PEER_ROWS": str(rows)}) as server:
        yield server


@contextmanager
def same_schema() -> Iterator[Server]:
    """Serve the floor on the peer's own tables."""
    env = {"PEER_DATABASE": str(_seeded("peer-plain", _LOAD_PEER, "peer"))}
    source = ROOT / "bench/floor/same_schema/main.py"
    with serving(framework(source), ready="/inventory?limit=1", headers=bearer(), env=env) as server:
        yield server


@contextmanager
def documents() -> Iterator[Server]:
    """Serve the floor on JSON documents."""
    env = {"PEER_DATABASE": str(_seeded("documents", _LOAD_DOCUMENTS))}
    source = ROOT / "bench/floor/documents/main.py"
    with serving(framework(source), ready="/inventory?store=store-0&limit=1", headers=bearer(), env=env) as server:
        yield server


@contextmanager
def _uvicorn(app: str, ready: str, env: dict[str, str]) -> Iterator[Server]:
    line: list[str | Path] = [
        BENCH_PYTHON,
        "-m",
        "uvicorn",
        app,
        "--port={port}",
        "--no-access-log",
        "--log-level=warning",
    ]
    with serving([*line, "--loop=uvloop", "--http=httptools"], ready=ready, env=env) as server:
        yield server


def _seeded(name: str, code: str, *words: str) -> Path:
    """Return a fresh copy of a database that is seeded once per checkout."""
    original = workspace() / f"{name}.db"
    if not original.exists():
        python("-c", code, str(original.with_suffix(".new")), *words)
        original.with_suffix(".new").rename(original)
    copy = workspace() / f"{name}-run.db"
    for suffix in ("", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    shutil.copy(original, copy)
    return copy
