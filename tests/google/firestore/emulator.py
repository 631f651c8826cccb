"""The official Firestore emulator, where this machine has it: found, started on a free port, ended with the tests."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NotPresent", "running_emulator"]

_JAR = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_START_S = 60.0


class NotPresent(Exception):
    """The emulator cannot be used here; the text says why."""


@contextmanager
def running_emulator() -> Iterator[str]:
    """Run the emulator; yield its host:port; raise NotPresent with the reason when it cannot be had."""
    command = [*_tied_to_us(), _java(), "-Xmx512m", "-cp", str(_jar()), _MAIN, "start", "--host=127.0.0.1"]
    port = _free_port()
    with subprocess.Popen(
        [*command, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as process:
        try:
            _wait_until_it_answers(process, port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise NotPresent("there is no java on the path")
    return java


def _jar() -> Path:
    named = os.environ.get("FIRESTORE_EMULATOR_JAR")
    gcloud = shutil.which("gcloud")
    places = [Path(named)] if named else []
    places += [Path(gcloud).resolve().parent.parent / _JAR] if gcloud else []
    places += [Path("/usr/lib/google-cloud-sdk") / _JAR]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise NotPresent(
            "no emulator jar: neither FIRESTORE_EMULATOR_JAR nor a gcloud SDK with cloud-firestore-emulator"
        )
    return found


def _tied_to_us() -> list[str]:
    """Return the prefix that lets the emulator die with a killed test run, where the machine offers it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise NotPresent(f"the emulator ended at once with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise NotPresent(f"the emulator did not answer within {_START_S:.0f} s")
