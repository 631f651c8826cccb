"""Starting the framework's own command on a free port, for tests that want a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

__all__ = ["clean_environment", "get", "serving"]

_LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")


def clean_environment(data: Path) -> dict[str, str]:
    """Return an environment without PYTHONPATH, whose embedded backends live in a folder of the test's own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(data), "HOST": "127.0.0.1", "PORT": "0", "GUNICORN_LOG_LEVEL": "info"}


@contextmanager
def serving(source: Path, target: str, environment: Mapping[str, str], said: list[str] | None = None) -> Iterator[str]:
    """Serve a function by `functions-framework` from another folder than the repository; yield its address.

    What it writes while it serves is added to `said` at the end.
    """
    command = Path(sys.executable).with_name("functions-framework")
    process = subprocess.Popen(
        [command, f"--source={source}", f"--target={target}"],
        cwd=source.parent,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        written, _ = process.communicate(timeout=30)
        (said if said is not None else []).extend(written.splitlines())


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Return status and body of one GET."""
    try:
        with urlopen(Request(url, headers=dict(headers or {})), timeout=30) as reply:  # noqa: S310 - our own server
            return reply.status, reply.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def _address(process: subprocess.Popen[str]) -> str:
    said = []
    for line in process.stdout or ():
        said.append(line)
        found = _LISTENING.search(line)
        if found:
            return found[1]
    raise AssertionError(f"the server ended: {''.join(said)[-2000:]}")
