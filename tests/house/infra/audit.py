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
    "CKV_GCP_84": "the same for images",
    "CKV_GCP_15": "a false alarm: the data set grants nobody by itself, rights are single members of dataset_iam_member",
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
    line: list[str | Path] = [TOOLS / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
    if _run(line):
        return False
    (TOOLS / ".stamp").touch()
    return True


def _packages() -> int:
    """Look every pinned package up; a package that the service does not know was not audited, which is not the same as safe."""
    files = [f"--requirement={ROOT / name}" for name in ("requirements.txt", "requirements-local.txt")]
    print("packages: known weaknesses of what a bundle and the local run install")
    line = [TOOLS / "bin" / "pip-audit", "--require-hashes", "--disable-pip", "--format=json", "--progress-spinner=off"]
    done = subprocess.run([*map(str, line), *files], capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        print(f"packages: not audited, {done.stderr.strip()[-300:]}")
        return _MISSING
    found = json.loads(done.stdout)["dependencies"]
    weak = [f"{one['name']} {one['version']}: {each['id']}" for one in found for each in one.get("vulns", [])]
    unknown = [one["name"] for one in found if "skip_reason" in one]
    print("\n".join(weak) or "packages: no weakness is known of those that could be looked up")
    if unknown:
        print(f"packages: {len(unknown)} of {len(found)} could not be looked up from here, so they were not audited")
    return 1 if weak else _MISSING if unknown else 0


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
        line: list[str | Path] = [
            TOOLS / "bin" / "checkov",
            "--file",
            plan,
            "--framework",
            "terraform_plan",
            "--compact",
            "--quiet",
        ]
        skips = [f"--skip-check={','.join(SKIPPED)}", "--skip-download"]
        return min(_run([*line, *skips]), 1)


def _run(line: Sequence[str | Path]) -> int:
    return subprocess.run([str(part) for part in line], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
