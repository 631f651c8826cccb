"""Rebuild the committed provider schemas: `python -m tests.house.infra.make_schema WHEEL...` (the wheels come from PyPI).

`pip download --no-deps cdktn-provider-google==21.1.0` binds provider 8.7.0, `==20.3.1` binds 7.46.1; older wheels lose flags.
Only the types that `infra/` uses are kept; neither wheels nor descriptions are committed.
"""

import gzip
import json
import re
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.house.infra.bindings import Bindings

__all__ = ["main", "schema", "used_types"]

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
_USED = re.compile(r'^(?:resource|data) "(google_\w+)"', re.MULTILINE)
_VERSION = re.compile(r"providerVersion: '([\d.]+)'")
_UNWANTED = re.compile(r"_custom_endpoint$")


def used_types(folder: Path = ROOT / "infra") -> set[str]:
    """Return the resource types that the configuration names."""
    return {name for path in folder.rglob("*.tf") for name in _USED.findall(path.read_text(encoding="utf-8"))}


def schema(wheel: Path, types: Iterable[str]) -> dict[str, Any]:
    """Return the schema of the named types, in the shape of `terraform providers schema -json`."""
    folders = _folders(wheel)
    provider = Bindings(*folders["provider"]).root()
    provider["attributes"] = {k: v for k, v in provider["attributes"].items() if not _UNWANTED.search(k)}
    first = _VERSION.search(folders["service-account"][0])
    if first is None:
        raise ValueError(f"{wheel.name} does not say which provider it binds")
    named = {name: folders[name.removeprefix("google_").replace("_", "-")] for name in sorted(types)}
    return {
        "source": f"names, types and flags from {wheel.name.split('-py3')[0]} (MPL-2.0)",
        "provider_version": first[1],
        "provider": {"version": 0, "block": provider},
        "resource_schemas": {name: {"version": 0, "block": Bindings(*texts).root()} for name, texts in named.items()},
        "data_source_schemas": {},
    }


def main(arguments: list[str]) -> int:
    """Write one file for each wheel."""
    types = used_types()
    for wheel in map(Path, arguments):
        read = schema(wheel, types)
        target = HERE / f"google-{read['provider_version']}.schema.json.gz"
        packed = gzip.compress(json.dumps(read, separators=(",", ":")).encode(), mtime=0)
        target.write_bytes(packed)
        print(f"{target.name}: {len(types)} types, {len(packed) // 1024} KiB")
    return 0


def _folders(wheel: Path) -> Mapping[str, tuple[str, str]]:
    """Return the code and the declarations of every folder of the package inside a wheel."""
    texts: dict[str, list[list[str]]] = defaultdict(lambda: [[], []])
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=BytesIO(outer.read(inner)), mode="r:gz") as package:
            for entry in package:
                parts = entry.name.split("/")
                if parts[1:2] == ["lib"] and parts[3:] and parts[-1].endswith((".js", ".d.ts")):
                    content = package.extractfile(entry)
                    text = content.read().decode() if content else ""
                    texts[parts[2]][parts[-1].endswith(".d.ts")].append(text)
    return {name: ("\n".join(code), "\n".join(declared)) for name, (code, declared) in texts.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
