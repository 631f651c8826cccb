"""`make build`: one deterministic zip per function, holding exactly the source that the function can reach.

The cloud build caches installed packages by the *text* of the requirements files, so `shared/` travels as source beside
`main.py` and never as a package. What is reachable is read from the syntax trees, imports inside functions included; a
house test starts bundles under the real framework, because pruning is only allowed if it is proven. Beside each source lies its
bytecode (`local.bytecode`). Nothing in a zip depends on the day or the machine: equal sources and an equal Python give equal bytes.
"""

import ast
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from local.bytecode import RUNTIME, bytecode_name, compiled, spoken

__all__ = ["bundle_files", "function_names", "main", "unpack", "write_zip"]

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"
VENDORED = "shared"
KERNEL = ROOT / VENDORED / "http"
COMPOSITION = ROOT / VENDORED / "app"
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
UNIX = 3
# Read by adapters at run time: the one list of indexes, beside `shared/` as in the repository.
FACTS = ("infra/firestore.indexes.json",)


def function_names() -> list[str]:
    """Return the names of all function folders in order."""
    return sorted(path.parent.name for path in FUNCTIONS.glob("*/main.py"))


def bundle_files(function: str) -> dict[str, Path]:
    """Return what a function's bundle holds: name inside the zip -> file in the tree, in zip order."""
    folder = FUNCTIONS / function
    files = {path.name: path for path in folder.iterdir() if path.is_file() and path.name != "__init__.py"}
    files["requirements.txt"] = ROOT / "requirements.txt"
    own = [path for path in files.values() if path.suffix == ".py"]
    for path in _with_data(_reachable(own)):
        files[path.relative_to(ROOT).as_posix()] = path
    for fact in FACTS:
        if (ROOT / fact).exists():
            files[fact] = ROOT / fact
    return dict(sorted(files.items()))


def write_zip(files: Mapping[str, Path], target: Path, *, bytecode: bool = True) -> None:
    """Write the files into a zip with fixed order, times and modes; with their bytecode, where this Python is the runtime's.

    Raises:
        SyntaxError: one of the sources is not Python, which the build of the cloud would refuse.

    """
    target.parent.mkdir(parents=True, exist_ok=True)
    held = {name: path.read_bytes() for name, path in files.items()}
    if bytecode and spoken():
        sources = {name: source for name, source in held.items() if name.endswith(".py")}
        held |= {bytecode_name(name): compiled(name, source) for name, source in sources.items()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(held.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = FILE_MODE
            entry.create_system = UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def unpack(function: str, folder: Path) -> Path:
    """Lay the sources of a function's bundle out in a folder; return the path of its main.py."""
    for name, path in bundle_files(function).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder / "main.py"


def main(arguments: Sequence[str]) -> int:
    """Build `build/<function>.zip` for the named functions, or for all."""
    for function in arguments or function_names():
        if not (FUNCTIONS / function / "main.py").exists():
            print(f"there is no function {function!r}; there are {', '.join(function_names())}", file=sys.stderr)
            return 2
        files = bundle_files(function)
        target = ROOT / "build" / f"{function}.zip"
        write_zip(files, target)
        print(f"{target.relative_to(ROOT)}: {len(files)} files, {target.stat().st_size // 1024} KiB")
    if not spoken():
        print(
            f"no bytecode: it must be {RUNTIME}'s, and this is {sys.implementation.cache_tag}; the build of the cloud compiles"
        )
    return 0


def _reachable(sources: Sequence[Path]) -> set[Path]:
    """Return every module file of `shared` that the sources can come to import, however indirectly.

    The composition root offers every service of the product, each made in a method that imports what it needs. Such a method
    counts only if its name is mentioned by the function itself, by the kernel, or by a method of the root that counts: domains
    and adapters do not know the root (a rule of the imports), so they cannot call it. Any mention counts, whoever's method is
    meant, which errs on the side of keeping; hooks that parts call on each other are kept by the same rule.
    """
    found: set[Path] = set()
    names: set[str] = set()
    waiting: list[_Piece] = [piece for path in sources for piece in _pieces(path)]
    dormant: list[_Piece] = []
    while waiting:
        piece = waiting.pop()
        if piece.name is not None and piece.name not in names:
            dormant.append(piece)
            continue
        names |= piece.mentioned
        fresh = [path for path in piece.imported if path not in found]
        found.update(fresh)
        waiting += [each for path in fresh for each in _pieces(path)]
        waiting += [each for each in dormant if each.name in names]
        dormant = [each for each in dormant if each.name not in names]
    return found


class _Piece(NamedTuple):
    """Some code that runs as a whole or not at all: a module, or one method of the composition root."""

    name: str | None
    mentioned: frozenset[str]
    imported: tuple[Path, ...]


@cache
def _pieces(source: Path) -> tuple[_Piece, ...]:
    """Return the pieces of one file: its methods apart where it belongs to the composition root."""
    tree = ast.parse(source.read_bytes(), str(source))
    _drop_types(tree)
    methods: list[ast.stmt] = []
    if COMPOSITION in source.parents:
        for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            methods += [node for node in cls.body if isinstance(node, ast.FunctionDef) and not _is_magic(node.name)]
            cls.body = [node for node in cls.body if node not in methods] or [ast.Pass()]
    callers = any(folder in source.parents for folder in (COMPOSITION, KERNEL, FUNCTIONS))
    named = [_piece(node.name, node, callers=True) for node in methods if isinstance(node, ast.FunctionDef)]
    return (_piece(None, tree, callers=callers), *named)


def _piece(name: str | None, tree: ast.AST, *, callers: bool) -> _Piece:
    nodes = list(ast.walk(tree))
    mentioned = frozenset(word for node in nodes for word in _mentioned(node)) if callers else frozenset()
    dotted = sorted({each for node in nodes for each in _names(node)})
    return _Piece(name, mentioned, tuple(dict.fromkeys(path for each in dotted for path in _files(each))))


def _mentioned(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        yield node.value  # getattr(app, "name")


def _is_magic(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _drop_types(tree: ast.Module) -> None:
    """Empty the blocks that only the type checker reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isascii():
        # import_module("shared.adapters.x"): only dotted names that are modules of ours can match.
        yield node.value


def _files(name: str) -> Iterator[Path]:
    """Return the files that importing a dotted name executes: the packages above it and the module itself."""
    parts = name.split(".")
    if parts[0] != VENDORED or not all(part.isidentifier() for part in parts):
        return
    for end in range(1, len(parts) + 1):
        stem = ROOT.joinpath(*parts[:end])
        for candidate in (stem / "__init__.py", stem.with_suffix(".py")):
            if candidate.is_file():
                yield candidate


def _with_data(modules: set[Path]) -> Iterator[Path]:
    """Add the data files (SQL, tables) that lie in or below the packages of the reachable modules."""
    yield from modules
    packages = {path.parent for path in modules}
    for path in (ROOT / VENDORED).rglob("*"):
        if path.is_file() and path.suffix not in {".py", ".pyc"} and _package_of(path) in packages:
            yield path


def _package_of(path: Path) -> Path:
    """Return the nearest folder above a data file that holds Python modules."""
    folder = path.parent
    while not any(folder.glob("*.py")):
        folder = folder.parent
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
