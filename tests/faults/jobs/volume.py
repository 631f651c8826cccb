"""How much the randomised checks do: enough for every run, and more when `LONG_TESTS=1` is in the environment."""

import os

__all__ = ["LONG", "sized"]

LONG = os.environ.get("LONG_TESTS") == "1"  # noqa: TID251 - the one switch of these tests


def sized(short: int, long: int) -> int:
    """Return the number of cases for this run."""
    return long if LONG else short
