"""`make run FN=<name>`: one function exactly as the cloud runs it, by the framework's own command, from its bundle layout."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from local.bundle import ROOT, function_names, unpack

__all__ = ["command", "main"]


def command(function: str, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Lay the bundle out under build/ and return the command line and environment that serve it."""
    folder = ROOT / "build" / function
    shutil.rmtree(folder, ignore_errors=True)
    source = unpack(function, folder)
    target = json.loads((folder / "function.json").read_text())["entry_point"]
    line = [str(Path(sys.executable).with_name("functions-framework")), f"--source={source}", f"--target={target}"]
    defaults = {"HOST": "127.0.0.1", "PORT": "8080", "DATA_DIR": str(ROOT / ".data")}
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    return line, {**defaults, **kept}


def main(arguments: Sequence[str]) -> int:
    """Become the server of the one function named."""
    if len(arguments) != 1 or arguments[0] not in function_names():
        print(f"usage: make run FN=<name>, one of: {', '.join(function_names())}", file=sys.stderr)
        return 2
    line, environment = command(arguments[0], os.environ)
    print(f"{arguments[0]} on http://{environment['HOST']}:{environment['PORT']}")
    sys.stdout.flush()
    return _become(line, environment)


def _become(line: list[str], environment: dict[str, str]) -> NoReturn:
    os.execve(line[0], line, environment)  # noqa: S606 - our own command, no shell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
