"""Running the real terraform on a copy of `infra/`, with the schema provider in the place of the cloud's."""

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ENVIRONMENTS", "NOT_HERE", "VERSIONS", "Workspace", "present", "workspace"]

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
VERSIONS = ("8.7.0", "7.46.1")
ENVIRONMENTS = ("dev", "staging", "production")
NOT_HERE = "terraform is not on this machine: the configuration was checked in Python only (hcl_check)"
_REGISTRY = "registry.terraform.io"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


def present() -> bool:
    """Say whether terraform can be run here."""
    return shutil.which("terraform") is not None


@dataclass(frozen=True)
class Workspace:
    """A copy of the configuration, ready for `init`."""

    folder: Path
    environment: dict[str, str]

    @property
    def infra(self) -> Path:
        """Return the root of the configuration."""
        return self.folder / "infra"

    def run(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run terraform; return how it ended."""
        return subprocess.run(
            ["terraform", *arguments],
            cwd=folder or self.infra,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def must(self, *arguments: str, folder: Path | None = None) -> str:
        """Run terraform and return what it printed; raise with all of it when it fails."""
        done = self.run(*arguments, folder=folder)
        if done.returncode:
            raise AssertionError(f"terraform {' '.join(arguments)}: {done.stdout}{done.stderr}"[-6000:])
        return done.stdout

    def plan(self, environment: str) -> dict[str, Any]:
        """Return the plan of an environment as JSON."""
        self.must(
            "plan", "-no-color", "-input=false", f"-var-file=env/{environment}.tfvars", f"-out={environment}.plan"
        )
        shown: dict[str, Any] = json.loads(self.must("show", "-json", f"{environment}.plan"))
        return shown


def workspace(folder: Path, version: str = VERSIONS[0], *, whole: bool = False) -> Workspace:
    """Copy what Terraform reads into a folder, and point it to the schema provider of one version.

    Unless the whole is asked for, only the first indexes come along: they are many, alike, and most of a plan's time.
    """
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.plan")
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=ignored)
    for manifest in sorted((ROOT / "functions").glob("*/function.json")):
        name = manifest.parent.name
        for path in (folder / "functions" / name / "function.json", folder / "build" / f"{name}.zip"):
            path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(manifest, folder / "functions" / name / "function.json")
        (folder / "build" / f"{name}.zip").write_bytes(name.encode())
    if not whole:
        _fewer_indexes(folder / "infra" / "firestore.indexes.json")
    (folder / "infra" / "backend_override.tf").write_text(_LOCAL_STATE)
    return Workspace(folder, _environment(folder, version))


def _environment(folder: Path, version: str) -> dict[str, str]:
    settings = folder / "terraform.rc"
    mirror = _mirror(folder / "mirror", version)
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_DISABLE_PLUGIN_TLS": "1",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def _mirror(folder: Path, version: str) -> Path:
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    place = folder / _REGISTRY / "hashicorp" / "google" / version / f"{sys.platform}_{machine}"
    place.mkdir(parents=True)
    plugin = place / f"terraform-provider-google_v{version}_x5"
    schema = HERE / f"google-{version}.schema.json.gz"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "provider.py"}" "{schema}"\n')
    plugin.chmod(0o755)
    return folder


def _fewer_indexes(path: Path) -> None:
    declared = json.loads(path.read_text())
    fields = declared["fieldOverrides"]
    some = [next(each for each in fields if each.get("ttl")), next(each for each in fields if not each["indexes"])]
    path.write_text(json.dumps({"indexes": declared["indexes"][:2], "fieldOverrides": some}))
