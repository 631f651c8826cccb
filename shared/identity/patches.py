"""Turning a body that was perhaps a GET answer into the changes it asks for."""

from pydantic import BaseModel

from shared.core import patches
from shared.identity.users import Fields, view
from shared.ports.documents import Stored

__all__ = ["ANYTHING", "PROFILE", "changes_of"]

PROFILE = ("full_name", "first_name", "last_name", "timezone", "language", "avatar_url")
ANYTHING = ("email", "username", "role", "store_id", "region", "is_active", *PROFILE)
_NEVER_NULL = ("username", "role", "timezone", "language", "is_active")
# May change while the version stays: ignored in a body that names its version.
_VOLATILE = ("last_login_at",)


def changes_of(patch: BaseModel, stored: Stored, inputs: tuple[str, ...]) -> Fields:
    """Return what a patch changes of a user; see `shared.core.patches`."""
    return patches.changes_of(
        patch.model_dump(mode="json", exclude_unset=True),
        view(stored).model_dump(mode="json"),
        inputs=inputs,
        required=_NEVER_NULL,
        volatile=_VOLATILE,
    )
