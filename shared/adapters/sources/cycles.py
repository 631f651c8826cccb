"""Noticing that a walk over opaque cursors turns in a circle, in constant memory (Brent, BIT 20, 1980).

The mark is a cursor met earlier; it moves up whenever as many steps as a growing power of two have passed. A circle of any
length therefore meets its mark after at most a few rounds, and a repeated cursor at once.
"""

from typing import Any

__all__ = ["advanced"]


def advanced(state: dict[str, Any] | None, cursor: str) -> dict[str, Any] | None:
    """Return the state after going on to `cursor`, or None when the walk has been there."""
    if state is None:
        return {"mark": cursor, "power": 1, "steps": 0}
    if cursor == state["mark"]:
        return None
    steps = state["steps"] + 1
    if steps == state["power"]:
        return {"mark": cursor, "power": 2 * state["power"], "steps": 0}
    return state | {"steps": steps}
