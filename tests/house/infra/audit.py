"""`make audit`: known weaknesses of the pinned packages, secrets in the tree, and what the plan would leave open.

The tools are pinned in `requirements-audit.txt` and live in an environment of their own (`.venv-audit`). Secrets and policy are
looked at offline, in the files that git knows and in a plan made as `make infra-check` makes it. Weaknesses are somebody else's
knowledge: a service is asked about one package first, and where none answers, that part says so and the audit is not passed.
It ends with 0 when all was looked at and nothing was found, 1 when something was found, 3 when a part could not be looked at.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.house.infra.terraform import present, workspace

__all__ = ["EXAMPLES", "SKIPPED", "findings", "main", "verdict", "weaknesses"]

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".venv-audit"
PINNED = ROOT / "requirements-audit.txt"
AUDITED = ("requirements.txt", "requirements-local.txt")
SERVICES = ("pypi", "osv")
# Policy that we do not follow, with the reason.
SKIPPED = {
    "CKV_GCP_80": "data sets are encrypted with Google's keys; a customer's own key is a choice of the operator",
    "CKV_GCP_81": "the same for tables",
    "CKV_GCP_84": "the same for images",
    "CKV_GCP_15": "a false alarm: the data set grants nobody by itself, rights are single members of dataset_iam_member",
    "CKV_GCP_62": "access logs of buckets: the audit log of the project records who read",
    "CKV_GCP_63": "a false alarm on plans: no bucket logs to itself",
    "CKV_GCP_102": "public functions accept all callers by design and check our own tokens",
    "CKV_SECRET_6": "texts of high entropy: only ids, checksums, and the passwords of demo, benches and tests are found",
}
# What looks like a secret and is an example, with the reason.
EXAMPLES = {
    ("CKV_SECRET_4", "shared/adapters/mail/__init__.py"): "the shape of an address, in a docstring",
    ("CKV_SECRET_4", "tests/faults/fetch/attacks.py"): "an address that must be refused",
    ("CKV_SECRET_4", "tests/faults/test_planted_secrets.py"): "planted, and searched for in all that is written",
    ("CKV_SECRET_9", "tests/unit/identity/test_sessions.py"): "the example of RFC 7515, which must be refused",
}
_FOUND, _MISSING = 1, 3
_PIN = re.compile(r"^[a-z0-9.-]+==[^ ;\\]+", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Run every part; return 1 when one found something, 3 when one could not look."""
    if not _installed():
        print("the audit's tools could not be installed: NOTHING WAS AUDITED")
        return _MISSING
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "packages": _packages(Path(folder)),
            "secrets": _secrets(Path(folder) / "tree"),
            "policy": _policy(Path(folder) / "plan"),
        }
    words = {0: "nothing found", _FOUND: "FOUND SOMETHING", _MISSING: "NOT AUDITED"}
    print(f"audit: {'; '.join(f'{name}: {words[code]}' for name, code in parts.items())}")
    return verdict(parts.values())


def verdict(codes: Any) -> int:
    """Return how the audit ends: findings weigh more than parts that could not be looked at."""
    given = set(codes)
    return _FOUND if _FOUND in given else max(given)


def weaknesses(answer: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the weaknesses in an answer of pip-audit, and the packages that the service does not know."""
    found = answer["dependencies"]
    weak = [f"{one['name']} {one['version']}: {each['id']}" for one in found for each in one.get("vulns", [])]
    return weak, [one["name"] for one in found if "skip_reason" in one]


def findings(answer: Mapping[str, Any]) -> list[str]:
    """Return what checkov found, without what is known to be an example."""
    failed = answer.get("results", {}).get("failed_checks", [])
    places = [(each["check_id"], each["file_path"].lstrip("/"), each) for each in failed]
    return [
        f"{check} {path}:{each['file_line_range'][0]} {each['resource']}: {each['check_name']}"
        for check, path, each in places
        if (check, path) not in EXAMPLES
    ]


def _installed() -> bool:
    """Install the tools unless the ones pinned are there."""
    stamp, wanted = TOOLS / ".stamp", hashlib.sha256(PINNED.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    print("installing the audit's tools into .venv-audit")
    venv.create(TOOLS, with_pip=True, clear=True)
    line = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    if subprocess.run([TOOLS / "bin" / line[0], *line[1:], f"--requirement={PINNED}"], check=False).returncode:
        return False
    stamp.write_text(wanted)
    return True


def _packages(folder: Path) -> int:
    """Ask a service about every pinned package; one that it does not know was not audited, which is not the same as safe."""
    first = _PIN.search((ROOT / AUDITED[0]).read_text())
    assert first is not None
    probe = folder / "probe.txt"
    probe.write_text(first[0])
    for service in SERVICES:
        answer = _asked(service, [probe], "--no-deps")
        if answer is None or weaknesses(answer)[1]:
            continue
        return _judged(_asked(service, [ROOT / name for name in AUDITED], "--require-hashes"))
    print(f"packages: not audited, neither {' nor '.join(SERVICES)} tells the weaknesses of {first[0]} from here")
    return _MISSING


def _judged(answer: Mapping[str, Any] | None) -> int:
    if answer is None:
        print("packages: not audited, the service stopped answering")
        return _MISSING
    weak, unknown = weaknesses(answer)
    print("\n".join(weak) or "packages: no weakness is known of those that could be looked up")
    if unknown:
        print(f"packages: not audited, because the service does not know them: {', '.join(unknown)}")
    return _FOUND if weak else _MISSING if unknown else 0


def _asked(service: str, files: Sequence[Path], how: str) -> Mapping[str, Any] | None:
    options = [f"--vulnerability-service={service}", how, "--disable-pip", "--format=json", "--progress-spinner=off"]
    line: list[str | Path] = [TOOLS / "bin" / "pip-audit", *options, *(f"--requirement={path}" for path in files)]
    return _answer(subprocess.run(line, capture_output=True, text=True, check=False).stdout)


def _secrets(tree: Path) -> int:
    """Look for secrets in the files that git knows, as they are now."""
    named = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [name for name in named.stdout.split("\0") if name and (ROOT / name).is_file()]
    if not files:
        print("secrets: not audited, git names no files here")
        return _MISSING
    for name in files:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    answer = _checked("--directory", tree, "--framework", "secrets", "--enable-secret-scan-all-files")
    return _told("secrets", answer, f"nothing in {len(files)} files")


def _policy(folder: Path) -> int:
    if not present():
        print("policy: not audited, terraform is missing")
        return _MISSING
    made = workspace(folder)
    made.must("init", "-no-color")
    plan = folder / "plan.json"
    plan.write_text(json.dumps(made.plan("production")))
    answer = _checked("--file", plan, "--framework", "terraform_plan")
    passed = (answer or {}).get("summary", {}).get("passed", 0)
    if not passed or (answer or {})["summary"]["parsing_errors"]:
        print("policy: not audited, the plan of production could not be read")
        return _MISSING
    return _told("policy", answer, f"{passed} checks of the plan of production are passed")


def _told(part: str, answer: Mapping[str, Any] | None, well: str) -> int:
    if answer is None:
        print(f"{part}: not audited, the tool gave no answer")
        return _MISSING
    found = findings(answer)
    print("\n".join(f"{part}: {each}" for each in found) or f"{part}: {well}")
    return _FOUND if found else 0


def _checked(*line: str | Path) -> Mapping[str, Any] | None:
    options = ["--compact", "--quiet", "--skip-download", "--output=json", f"--skip-check={','.join(SKIPPED)}"]
    done = subprocess.run([TOOLS / "bin" / "checkov", *line, *options], capture_output=True, text=True, check=False)
    return _answer(done.stdout)


def _answer(text: str) -> Mapping[str, Any] | None:
    try:
        read: Mapping[str, Any] = json.loads(text)
    except ValueError:
        return None
    return read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
