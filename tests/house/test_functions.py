"""Folders, manifests and routes say the same: nothing is served that is not deployed, and the other way round."""

import ast
import inspect
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

from local.manifest import manifests
from shared.http.router import Operation, Router
from shared.http.table import Table

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_folder_has_its_shape(function: str) -> None:
    files = {path.name for path in (ROOT / "functions" / function).iterdir() if path.is_file()}

    assert {"__init__.py", "main.py", "routes.py", "function.json"} <= files
    assert {name for name in files if not name.endswith(".py")} == {"function.json"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_entry_point_is_a_function_of_main(function: str) -> None:
    tree = ast.parse((ROOT / "functions" / function / "main.py").read_bytes())

    assert manifests()[function].entry_point in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_entry_point_serves_everything_its_folder_declares(function: str) -> None:
    handle = import_module(f"functions.{function}.main").handle

    served = {operation.name: operation for operation in handle.complete().operations}
    assert served == {operation.name: operation for operation in _operations(function)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_path_of_an_older_backend_is_taken_for_another_while_those_paths_wait_to_be_loaded(function: str) -> None:
    folder = f"functions.{function}"
    table = Table([import_module(f"{folder}.routes").router])
    older = import_module(f"{folder}.legacy").router.operations if _is_there(function, "legacy") else []
    asked = [(operation.method, path) for operation in older for path in operation.paths]
    found = {(method, path): table.find(path.replace("{", "").replace("}", "")) for method, path in asked}

    assert [asked for asked, place in found.items() if place and asked[0] in place.place.operations] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_path_has_a_prefix_of_its_function_and_each_prefix_a_path(function: str) -> None:
    prefixes = manifests()[function].paths
    paths = [path for operation in _operations(function) for path in operation.paths]

    assert [path for path in paths if not any(_below(path, prefix) for prefix in prefixes)] == []
    assert [prefix for prefix in prefixes if not any(_below(path, prefix) for path in paths)] == []


def test_the_longest_prefix_leads_every_path_to_its_own_function() -> None:
    every = [(prefix, name) for name, facts in manifests().items() for prefix in facts.paths]
    wrong = [
        (path, function, _owner(path, every))
        for function in FUNCTIONS
        for operation in _operations(function)
        for written in operation.paths
        for path in _meant(written, manifests()[function].paths)
        if _owner(path, every) != function
    ]

    assert wrong == []
    assert [first for first, second in pairwise(sorted(prefix for prefix, _ in every)) if first == second] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_internal_functions_serve_internal_operations(function: str) -> None:
    accesses = {operation.access for operation in _operations(function)}

    assert ("internal" not in accesses) if manifests()[function].public else (accesses == {"internal"})


def test_every_schedule_calls_a_path_that_exists() -> None:
    for name, facts in manifests().items():
        posts = [path for operation in _operations(name) if operation.method == "POST" for path in operation.paths]
        assert [s.path for s in facts.schedules if not any(_below(s.path, path) for path in posts)] == []


def test_no_two_operations_answer_the_same_request() -> None:
    keys = [
        (operation.method, "/".join("{}" if part.startswith("{") else part for part in path.split("/")))
        for function in FUNCTIONS
        for operation in _operations(function)
        for path in operation.paths
    ]

    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


def test_every_answer_201_names_where_the_new_thing_is() -> None:
    """The source is read, since what it takes to make each thing differs; routes of the older backends included."""
    made = [operation for function in FUNCTIONS for operation in _operations(function) if operation.status == 201]

    assert [one.name for one in made if '"Location"' not in inspect.getsource(one.handler)] == []
    assert len(made) > 20


def _is_there(function: str, module: str) -> bool:
    return (ROOT / "functions" / function / f"{module}.py").exists()


def _operations(function: str) -> list[Operation]:
    """Return all operations of one function folder."""
    modules = [
        import_module(f"functions.{function}.{path.stem}")
        for path in sorted((ROOT / "functions" / function).glob("*.py"))
        if path.stem in {"routes", "legacy"}
    ]
    routers = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Router)}
    return [operation for router in routers.values() for operation in router.operations]


def _meant(path: str, prefixes: list[str]) -> list[str]:
    """Return a path as its function's own prefixes mean it: `/api/{source}/x` below `/api/stord` is `/api/stord/x`."""
    given = path.strip("/").split("/")
    meant = [prefix.strip("/").split("/") for prefix in prefixes if _below(path, prefix)]
    return ["/" + "/".join([*head, *given[len(head) :]]) for head in meant]


def _below(path: str, prefix: str) -> bool:
    """Say whether a path lies at or below a prefix; a placeholder on either side stands for any one segment."""
    wanted, given = prefix.strip("/").split("/"), path.strip("/").split("/")
    if wanted == [""]:
        return given == [""]
    return len(given) >= len(wanted) and all(_same(a, b) for a, b in zip(wanted, given, strict=False))


def _same(wanted: str, given: str) -> bool:
    return wanted == given or wanted.startswith("{") or given.startswith("{")


def _owner(path: str, every: list[tuple[str, str]]) -> str:
    """Return whose a path is; a placeholder stands for any word but the literal ones others have claimed in its place."""
    fitting = [(_weight(prefix), name) for prefix, name in every if _claims(prefix, path)]
    return max(fitting, default=((), ""))[1]


def _claims(prefix: str, path: str) -> bool:
    wanted, given = prefix.strip("/").split("/"), path.strip("/").split("/")
    literal = all(one == two or one.startswith("{") for one, two in zip(wanted, given, strict=False))
    return literal and _below(path, prefix)


def _weight(prefix: str) -> tuple[int, int]:
    """Longer prefixes win; among equally long ones, the one with fewer placeholders."""
    parts = prefix.strip("/").split("/")
    return len(parts), -sum(part.startswith("{") for part in parts)
