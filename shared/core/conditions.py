"""Conditions a caller puts on a change: "only if the resource is still the one I saw"."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from shared.core.errors import FieldError, PreconditionFailed, PreconditionRequired

__all__ = ["NO_CONDITION", "Precondition", "version_part"]

_WHERE = "header:If-Match"


def version_part(resource_id: str, version: int) -> str:
    """Return the part of an entity tag that names a resource at a version, whatever its representation."""
    return hashlib.blake2b(f"{resource_id}\n{version}".encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Precondition:
    """What `If-Match` said: version parts (None when absent), `*`, and whether this deployment insists on one."""

    parts: Collection[str] | None = None
    anything: bool = False
    required: bool = False

    def check(self, resource_id: str, version: int, stated: int | None = None) -> None:
        """Raise unless the resource is the one the caller saw; `stated` is the `version` of the request's body.

        Call it after the resource was found and the caller's store scope was checked, inside the decision, so that the
        version compared is the one the commit depends on.
        """
        if stated is not None and stated != version:
            raise _failed("/version")
        if self.anything:
            return
        if self.parts is not None:
            if version_part(resource_id, version) not in self.parts:
                raise _failed(_WHERE)
        elif self.required:
            detail = "This deployment changes resources only with If-Match; send the ETag of your last GET."
            raise PreconditionRequired(detail, errors=(FieldError(_WHERE, "missing", detail),))


NO_CONDITION = Precondition()


def _failed(where: str) -> PreconditionFailed:
    detail = "The resource has changed since you read it; read it again and repeat the change."
    return PreconditionFailed(detail, errors=(FieldError(where, "stale", detail),))
