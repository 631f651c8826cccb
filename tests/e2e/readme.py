"""Reading the README's commands, and running the whole product as a person would."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

__all__ = ["commands", "free_ports", "running", "shell"]

ROOT = Path(__file__).resolve().parents[2]
SIMULATORS = 5
START_S = 120
POLL_S = 0.05
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return every command line of the README's shell blocks, in order."""
    return [line for block in _BLOCK.findall((ROOT / "README.md").read_text()) for line in block.splitlines()]


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Start what `make run` starts, on free ports and with data of its own; end it as Ctrl-C does."""
    port = free_ports(1 + SIMULATORS)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    said = data / "said.log"
    data.mkdir(parents=True, exist_ok=True)
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local"],
            cwd=ROOT,
            env={**kept, "PORT": str(port), "DATA_DIR": str(data)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, port, said)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def shell(lines: list[str]) -> list[str]:
    """Run lines in one shell that stops at the first failure; return what each printed."""
    mark = "--8<--"
    script = "set -euo pipefail\n" + "\n".join(f"{line}\nprintf '\\n{mark}\\n'" for line in lines)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [part.strip() for part in done.stdout.split(mark)[:-1]]


def free_ports(count: int) -> int:
    """Return the first of so many free ports in a row."""
    for _ in range(100):
        with ExitStack() as held:
            first = held.enter_context(_bound(0)).getsockname()[1]
            try:
                for port in range(first + 1, first + count):
                    held.enter_context(_bound(port))
            except (OSError, OverflowError):
                continue
            return int(first)
    raise AssertionError(f"no {count} free ports in a row")


def _bound(port: int) -> socket.socket:
    one = socket.socket()
    try:
        one.bind(("127.0.0.1", port))
    except BaseException:
        one.close()
        raise
    return one


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    """Ask /ready until it answers 200; this is a real process, so real time passes."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(POLL_S)
    raise AssertionError(f"not ready: {said.read_text(errors='replace')[-3000:]}")


def wait_until_read(address: str) -> None:
    """Wait for the first refresh of both sources, as a person watching the progress lines would."""
    pair = base64.b64encode(b"demo:demo-password-1").decode()
    asked = Request(f"{address}/api/v1/refresh/status", headers={"Authorization": f"Basic {pair}"})  # noqa: S310 - our own address
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own address
            sources = json.load(answer)["sources"]
        if all(source["last_success_at"] for source in sources):
            return
        time.sleep(1)
    message = "the first refresh did not end in time"
    raise AssertionError(message)
