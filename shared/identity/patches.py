"""Turning a body that was perhaps a GET answer into the changes it asks for."""

from pydantic import BaseModel

from shared.core.errors import ValidationFailed
from shared.identity.users import Fields, view
from shared.ports.documents import Stored

__all__ = ["ANYTHING", "PROFILE", "changes_of"]

PROFILE = ("full_name", "first_name", "last_name", "timezone", "language", "avatar_url")
ANYTHING = ("email", "username", "role", "store_id", "region", "is_active", *PROFILE)
_NEVER_NULL = ("username", "role", "timezone", "language", "is_active")
# May change while the version stays: ignored in a body that names its version.
_VOLATILE = ("last_login_at",)


def changes_of(patch: BaseModel, stored: Stored, inputs: tuple[str, ...]) -> Fields:
    """Return what a patch changes: given inputs that differ, after refusing other keys that differ.

    A GET answer can be edited and sent back: its further keys are ignored while they are equal to the present ones.
    """
    present = view(stored).model_dump(mode="json")
    given = patch.model_dump(mode="json", exclude_unset=True)
    changes = {name: value for name, value in given.items() if value != present[name] and name != "version"}
    for name, value in changes.items():
        volatile = name in _VOLATILE and "version" in given
        if name not in inputs and not volatile:
            raise ValidationFailed.at(f"/{name}", "unknown_field", "This key cannot be changed here.")
        if name in _NEVER_NULL and value is None:
            raise ValidationFailed.at(f"/{name}", "required", "This key cannot be cleared.")
    return {name: value for name, value in changes.items() if name in inputs}
