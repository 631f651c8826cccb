"""The packages of Google's clients that are only made ready are whole for whoever asks for more."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.adapters.google_packages import client_module

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = [
    ("google.cloud.firestore_v1", "firestore", "Firestore"),
    ("google.cloud.tasks_v2", "cloud_tasks", "CloudTasks"),
]


def _told(source: str) -> list[str]:
    line = [sys.executable, "-c", source]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)}, timeout=60)
    return done.stdout.splitlines()


@pytest.mark.parametrize(("package", "service", "name"), CLIENTS)
def test_a_client_is_loaded_without_the_rest_of_its_package(package: str, service: str, name: str) -> None:
    rest = f"{package}.services.{service}.async_client"
    told = _told(f"""
import sys
from shared.adapters.google_packages import client_module
print(client_module("{package}", "{service}").{name}Client.__name__, "{package}" in sys.modules, "{rest}" in sys.modules)
import {package} as whole
print(whole.types is sys.modules["{package}.types"], "{rest}" in sys.modules)
""")

    assert told == [f"{name}Client True False", "True False"]


@pytest.mark.parametrize(("package", "service", "name"), CLIENTS)
def test_a_package_that_was_made_ready_is_the_same_as_an_imported_one(package: str, service: str, name: str) -> None:
    """Every public name, of the same module, and the names it does not have."""
    asked = f"""
import {package} as whole
kinds = [(name, type(getattr(whole, name)).__name__, getattr(getattr(whole, name), "__module__", "")) for name in whole.__all__]
print(sorted(kinds), hasattr(whole, "nothing_of_this_name"), whole.__version__)
from {package}.services.{service} import {name}Client, {name}AsyncClient
print({name}Client.__module__, {name}AsyncClient.__module__)
"""
    ready = f'from shared.adapters.google_packages import client_module\nclient_module("{package}", "{service}")\n'

    ours, theirs = _told(f"{ready}{asked}"), _told(asked)

    assert ours == theirs
    assert len(ours[0]) > 500


def test_threads_that_ask_for_the_whole_at_once_all_get_it() -> None:
    told = _told("""
import threading
from shared.adapters.google_packages import client_module
client_module("google.cloud.tasks_v2", "cloud_tasks")
import google.cloud.tasks_v2 as whole
got, begun = [], threading.Barrier(8)
def ask():
    begun.wait()
    got.append((whole.CreateTaskRequest.__name__, whole.CloudTasksAsyncClient.__name__))
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(got), set(got))
""")

    assert told == ["8 {('CreateTaskRequest', 'CloudTasksAsyncClient')}"]


def test_an_unknown_package_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing_v1"):
        client_module("google.cloud.nothing_v1", "nothing")
