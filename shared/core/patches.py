"""Turning a body that was perhaps a GET answer into the changes it asks for (the contract's `ro` and 1.6)."""

from collections.abc import Collection, Mapping
from typing import Any

from shared.core.errors import ValidationFailed

__all__ = ["changes_of"]


def changes_of(
    given: Mapping[str, Any],
    present: Mapping[str, Any],
    *,
    inputs: Collection[str],
    required: Collection[str] = (),
    volatile: Collection[str] = (),
) -> dict[str, Any]:
    """Return the given inputs that differ from the present values; raise ValidationFailed for other keys that differ.

    `present` is the resource as its GET shows it, so keys sent back unchanged are ignored. `required` cannot be null.
    `volatile` values may change while the version stays: they are ignored in a body that names its version.
    """
    changed = {name: value for name, value in given.items() if name != "version" and value != present.get(name)}
    for name, value in changed.items():
        if name not in inputs and not (name in volatile and given.get("version") is not None):
            raise ValidationFailed.at(f"/{name}", "unknown_field", "This key cannot be changed here.")
        if name in required and value is None:
            raise ValidationFailed.at(f"/{name}", "required", "This key cannot be cleared.")
    return {name: value for name, value in changed.items() if name in inputs}
