"""`make deploy` and `make destroy` as a person runs them, but for the cloud: the schema provider and a server of ours stand in for it."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.deploy import main
from tests.house.infra.terraform import NOT_HERE, Workspace, present, workspace

pytestmark = [
    pytest.mark.serial,
    pytest.mark.xdist_group("terraform"),
    pytest.mark.skipif(not present(), reason=NOT_HERE),
]
RUN = "import sys; from pathlib import Path; from local.deploy import main; sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
ROOT = Path(__file__).resolve().parents[3]


class Deployed(BaseHTTPRequestHandler):
    """Answers as deployed functions do: `meta` is ready, nobody knows other paths."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/ready" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def deployed() -> Iterator[str]:
    """Serve what answers for every deployed function."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Deployed)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def filled(deployed: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a tree whose dev is filled in, whose state lies in a file, and whose functions have addresses here."""
    made = workspace(tmp_path_factory.mktemp("deploy"))
    (made.infra / "env" / "dev.backend").write_text('path = "dev.tfstate"\n')
    settings = made.infra / "env" / "dev.tfvars"
    settings.write_text(settings.read_text().replace("change-me-onhand-dev", "onhand-dev"))
    addresses = f'{{ for name, call in local._calls : name => "{deployed}" if call.facts.public }}'
    (made.infra / "outputs_override.tf").write_text(f'output "functions" {{\n  value = {addresses}\n}}\n')
    return made


def test_nothing_is_made_without_a_yes(filled: Workspace) -> None:
    code, told = _run(filled, "deploy", "no\n")

    assert code == 1
    assert "Do you want to perform these actions?" in told
    assert _kept(filled) == []


def test_an_environment_comes_after_a_yes_stays_as_it_is_and_goes_after_a_yes(filled: Workspace) -> None:
    """One test, since each step needs what the one before has left behind."""
    code, told = _run(filled, "deploy", "yes\n")
    assert code == 0, told
    order = ("auth.zip", "Plan:", "Do you want to perform these actions?", "Apply complete!", "every function answers")
    assert sorted(map(told.index, order)) == list(map(told.index, order))
    assert "google_cloudfunctions2_function" in _kept(filled)

    code, told = _run(filled, "deploy", "")
    assert code == 0, told
    assert "No changes." in told

    code, told = _run(filled, "destroy", "yes\n")
    assert code == 0, told
    assert "Do you really want to destroy all resources?" in told
    assert _kept(filled) == []


def test_production_is_not_taken_down_and_not_even_looked_at(
    filled: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["destroy", "production"], filled.infra) == 2
    assert "production is not taken down from here" in capsys.readouterr().err


def _run(made: Workspace, action: str, said: str) -> tuple[int, str]:
    asking = {name: value for name, value in made.environment.items() if name not in {"TF_INPUT", "TF_IN_AUTOMATION"}}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(made.infra), action, "dev"],
        cwd=ROOT,
        env=asking | {"PYTHONUNBUFFERED": "1", "ADMIN_PASSWORD": "a-password-1", "TF_CLI_ARGS": "-no-color"},
        input=said,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def _kept(made: Workspace) -> list[str]:
    """Return the types of what the state holds."""
    path = made.infra / "dev.tfstate"
    return [each["type"] for each in json.loads(path.read_text())["resources"]] if path.exists() else []
