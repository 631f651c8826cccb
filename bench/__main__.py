"""Run the named benches, or all: one line each; exit 1 when a goal is missed, 3 when something could not be measured."""

import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bench.harness import Missing, Outcome, Void

__all__ = ["main"]

_NOT_BENCHES = {
    "__init__",
    "__main__",
    "accuracy_data",
    "feed_data",
    "harness",
    "load",
    "one_import",
    "one_refresh",
    "one_sync",
    "ours",
    "restocked",
    "ridge",
    "retail_sales",
    "stock_data",
    "vendors",
    "yardsticks",
}
_PASSED, _MISSED, _UNKNOWN, _NOT_MEASURED = 0, 1, 2, 3


def names() -> list[str]:
    """Return the benches in order: every module here that is one."""
    files = {path.stem for path in Path(__file__).parent.glob("*.py")} - _NOT_BENCHES
    return sorted(name.replace("_", "-") for name in files)


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    verbose = "-v" in arguments
    wanted = [name for name in arguments if name != "-v"] or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return _UNKNOWN
    results = [_one(name, verbose=verbose) for name in wanted]
    return _MISSED if _MISSED in results else max(results)


def _one(name: str, *, verbose: bool) -> int:
    began = time.perf_counter()
    try:
        outcome: Outcome = import_module(f"bench.{name.replace('-', '_')}").measure()
    except Missing as missing:
        print(f"{name}: not measured, {missing} is missing", flush=True)
        return _NOT_MEASURED
    except Void as void:
        print(f"{name}: not measured, the run is void: {void}", flush=True)
        return _NOT_MEASURED
    if verbose:
        print(*(f"  {line}" for line in outcome.rounds), sep="\n")
        print(f"  took {time.perf_counter() - began:.0f} s")
    print(f"{name}: {outcome.value} (goal {outcome.goal})" + ("" if outcome.passed else " MISSED"), flush=True)
    return _PASSED if outcome.passed else _MISSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
