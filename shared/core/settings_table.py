"""The texts derived from the settings: `python -m shared.core.settings_table --env` (`.env.example`) or `--markdown`."""

import sys
from collections.abc import Sequence
from typing import Any

from shared.core.settings import VARIABLES
from shared.core.variables import Variable

__all__ = ["env_example", "main", "markdown"]


def env_example() -> str:
    """Return `.env.example`: every variable with its sentence, commented out."""
    lines = ["# Every setting. All are optional; empty means absent. Generated: do not edit."]
    for name, each in VARIABLES.items():
        lines += ["", f"# {each.sentence}{_notes(each)}", f"# {name.upper()}={_plain(each)}"]
    return "\n".join([*lines, ""])


def markdown() -> str:
    """Return the table of the documentation."""
    lines = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name, each in VARIABLES.items():
        names = " or ".join(f"`{spelling}`" for spelling in (name.upper(), *each.also))
        default = f"`{_plain(each)}`" if _plain(each) else "-"
        cloud = "" if each.in_cloud is ... else f"; in the cloud `{_written(each.in_cloud) or '-'}`"
        lines.append(f"| {names} | {default}{cloud} | {each.sentence}{_notes(each)} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str]) -> int:
    """Print one of the derived texts."""
    texts = {"--env": env_example, "--markdown": markdown}
    if len(arguments) != 1 or arguments[0] not in texts:
        sys.stderr.write("usage: python -m shared.core.settings_table --env | --markdown\n")
        return 2
    sys.stdout.write(texts[arguments[0]]())
    return 0


def _notes(each: Variable) -> str:
    return " Only locally." if each.local_only else ""


def _plain(each: Variable) -> str:
    return each.shown or ("" if each.default is None else _written(each.default))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
