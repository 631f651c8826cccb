"""`make audit`: known weaknesses of the pinned packages, secrets in the tree, and what the plan would leave open.

The tools come from the registry into an environment of their own (`.venv-audit`); the cloud's policy is looked at in a plan made
offline, as `make infra-check` makes it. What is skipped stands here with its reason. A tool that cannot be had is said to be
missing, and the audit is not passed.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.house.infra.terraform import present, workspace

__all__ = ["SKIPPED", "main"]

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".venv-audit"
PINNED = ("pip-audit==2.10.1", "checkov==3.3.30")
# Policy that we do not follow, with the reason.
SKIPPED = {
    "CKV_GCP_80": "data sets are encrypted with Google's keys; a customer's own key is a choice of the operator",
    "CKV_GCP_81": "the same for tables",
    "CKV_GCP_62": "access logs of buckets: the audit log of the project records who read",
    "CKV_GCP_63": "a false alarm on plans: no bucket logs to itself",
    "CKV_GCP_102": "public functions accept all callers by design and check our own tokens",
}
_MISSING = 3


def main(arguments: Sequence[str]) -> int:
    """Run every audit; return 1 when one complains, 3 when one could not be run."""
    if not _installed():
        print("the audit's tools could not be installed: nothing was audited")
        return _MISSING
    results = [_packages(), _policy()]
    return 1 if 1 in results else max(results)


def _installed() -> bool:
    if (TOOLS / ".stamp").exists():
        return True
    venv.create(TOOLS, with_pip=True)
    line = [TOOLS / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
    if subprocess.run(line, check=False).returncode:
        return False
    (TOOLS / ".stamp").touch()
    return True


def _packages() -> int:
    files = [f"--requirement={ROOT / name}" for name in ("requirements.txt", "requirements-local.txt")]
    print("packages: known weaknesses of what a bundle and the local run install")
    line = [TOOLS / "bin" / "pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner=off", *files]
    return min(subprocess.run(line, check=False).returncode, 1)


def _policy() -> int:
    if not present():
        print("cloud policy: not audited, terraform is missing")
        return _MISSING
    print("cloud policy: the plan of production")
    with tempfile.TemporaryDirectory() as folder:
        made = workspace(Path(folder))
        made.must("init", "-no-color")
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(made.plan("production")))
        line = [TOOLS / "bin" / "checkov", "--file", plan, "--framework", "terraform_plan", "--compact", "--quiet"]
        skips = [f"--skip-check={','.join(SKIPPED)}", "--skip-download"]
        return subprocess.run([*line, *skips], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
