"""Importing a function's entry point stays cheap: nothing heavy, a bounded number of modules, a bounded memory.

Counts decide, not times: each function is imported in a fresh process, by the framework's own way of loading a source.
"""

from pathlib import Path

import pytest

from bench.imports import MOST_MIB, MOST_MODULES, imported
from local.bundle import function_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("function", function_names())
def test_an_entry_point_loads_nothing_heavy(function: str) -> None:
    seen = imported(ROOT / "functions" / function / "main.py")

    print(f"{function}: {len(seen.modules)} modules, {seen.mib:.1f} MiB")
    assert seen.heavy == []
    assert len(seen.modules) <= MOST_MODULES
    assert seen.mib <= MOST_MIB


def test_a_heavy_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import requests\n")

    assert imported(tmp_path / "main.py").heavy == ["requests"]
