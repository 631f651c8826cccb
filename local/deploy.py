"""`make deploy` and `make destroy`: what a person with an account runs; terraform shows its plan and asks before it changes anything.

`python -m local.deploy deploy|destroy|smoke ENVIRONMENT`. Values of secrets are read from
variables named like the secrets (`STORD_API_TOKEN` for `stord-api-token`) and handed over as an ephemeral variable, which
terraform keeps in neither plan nor state.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from local import bundle
from local.manifest import manifests
from shared.core.clock import Clock, SystemClock

__all__ = ["main", "problems", "secret_values", "smoke"]

INFRA = Path(__file__).resolve().parent.parent / "infra"
ENVIRONMENTS = ("dev", "staging", "production")
_TRIES, _PAUSE_S = 20, 15.0
_OK, _NOT_FOUND = 200, 404


def problems(environment: str, infra: Path = INFRA) -> list[str]:
    """Return why this environment cannot be deployed from here yet."""
    if environment not in ENVIRONMENTS:
        return [f"ENV must be one of {', '.join(ENVIRONMENTS)}"]
    files = [infra / "env" / f"{environment}.{kind}" for kind in ("tfvars", "backend")]
    unfilled = [path.name for path in files if "change-me" in path.read_text()]
    found = [f"infra/env/{name} still says change-me: put your project's names there" for name in unfilled]
    if shutil.which("terraform") is None:
        found.append("terraform 1.11 or newer is not on the path")
    return found


def secret_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values of secrets that the caller's environment holds, by the secret's name."""
    names = sorted({secret for facts in manifests().values() for secret in facts.needs.secrets})
    given = {name: environment.get(name.upper().replace("-", "_"), "") for name in names}
    return {name: value for name, value in given.items() if value}


def smoke(addresses: Mapping[str, str], clock: Clock, ask: Callable[[str], int]) -> list[str]:
    """Return which functions do not answer: `meta` must be ready, every other must refuse an unknown path with 404.

    New indexes and revisions take a while, so each is asked again for some minutes.
    """
    wrong = []
    for name, address in sorted(addresses.items()):
        path, wanted = ("/ready", _OK) if name == "meta" else ("/no-such-path", _NOT_FOUND)
        status = 0
        for _ in range(_TRIES):
            status = ask(address.rstrip("/") + path)
            if status == wanted:
                break
            clock.sleep(_PAUSE_S)
        else:
            wrong.append(f"{name}: {address}{path} answered {status or 'nothing'}, not {wanted}")
        print(f"{name:12} {status or '-'} {address}{path}")
    return wrong


def main(arguments: Sequence[str], infra: Path = INFRA) -> int:
    """Deploy or destroy an environment, or only ask the functions that are there."""
    action, environment = (*arguments, "", "")[:2]
    if found := _refused(action, environment) or problems(environment, infra):
        print("\n".join(found), file=sys.stderr)
        return 2
    if not _initialised(environment, infra):
        return 1
    if action == "smoke":
        return _smoke(infra)
    # A bundle's checksum is part of every plan: a destroy reads the bundles too.
    if bundle.main(()) or not _terraform(infra, _verb(action), f"-var-file=env/{environment}.tfvars"):
        return 1
    return _smoke(infra) if action == "deploy" else 0


def _refused(action: str, environment: str) -> list[str]:
    if action not in {"deploy", "destroy", "smoke"}:
        return ["say deploy, destroy or smoke, and the environment"]
    if (action, environment) == ("destroy", "production"):
        # Its data is protected, so half of it would go and half would stay.
        return ["production is not taken down from here: docs/operations.md says how"]
    return []


def _verb(action: str) -> str:
    return "apply" if action == "deploy" else "destroy"


def _initialised(environment: str, infra: Path) -> bool:
    return _terraform(infra, "init", "-input=false", "-reconfigure", f"-backend-config=env/{environment}.backend")


def _terraform(infra: Path, *arguments: str) -> bool:
    """Run terraform in the foreground: it shows what it will do and asks."""
    given = {**os.environ, "TF_VAR_secret_values": json.dumps(secret_values(os.environ))}
    return subprocess.run(["terraform", *arguments], cwd=infra, env=given, check=False).returncode == 0  # noqa: S607


def _smoke(infra: Path) -> int:
    shown = subprocess.run(
        ["terraform", "output", "-json", "functions"],  # noqa: S607 - wherever the person has it
        cwd=infra,
        capture_output=True,
        text=True,
        check=True,
    )
    wrong = smoke(json.loads(shown.stdout), SystemClock(), _status)
    print("\n".join(wrong) if wrong else "every function answers")
    return 1 if wrong else 0


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=30) as reply:  # noqa: S310 - the addresses terraform printed
            return int(reply.status)
    except HTTPError as refused:
        with refused:
            return refused.code
    except (URLError, TimeoutError, ConnectionError):
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
