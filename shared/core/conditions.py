"""Entity tags, and the conditions callers build on them: "only if it changed", "only if it is still the one I saw".

A tag is `"<version part>.<body part>"`: the first names a resource at a version whatever its representation, the second the
whole body. If-None-Match compares all of it, If-Match only the version part.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from shared.core.errors import BadRequest, FieldError, PreconditionFailed, PreconditionRequired
from shared.core.once import later
from shared.core.values import dataclass

__all__ = ["NO_CONDITION", "Precondition", "Projection", "matches", "precondition", "tag", "version_part"]

_WHERE = "header:If-Match"
_TAGS = later(
    lambda: re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
)
_TAG = later(lambda: re.compile(r'(W/)?"([^"]*)"'))


def version_part(resource_id: str, version: int) -> str:
    """Return the part of an entity tag that names a resource at a version, whatever its representation."""
    return hashlib.blake2b(f"{resource_id}\n{version}".encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Precondition:
    """What `If-Match` said: version parts (None when absent), `*`, and whether this deployment insists on one.

    `stated` is the `version` of the request's body.
    """

    parts: Collection[str] | None = None
    anything: bool = False
    required: bool = False
    stated: int | None = None

    def stating(self, version: int | None) -> "Precondition":
        """Return the same condition with the `version` that a body names; None names none."""
        return replace(self, stated=version)

    def check(self, resource_id: str, version: int, stated: int | None = None) -> None:
        """Raise unless the resource is the one the caller saw; `stated` goes before the condition's own.

        Call it after the resource was found and the caller's store scope was checked, inside the decision, so that the
        version compared is the one the commit depends on.
        """
        named = self.stated if stated is None else stated
        if named is not None and named != version:
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


class Projection(dict[str, Any]):
    """A resource as an older backend shows it, without its version: the tag names the version all the same."""

    def __init__(self, shown: Mapping[str, Any], version: int) -> None:
        """Take what is shown, and the version that is not."""
        super().__init__(shown)
        self.version = version


def tag(content: object, body: bytes) -> str:
    """Return the quoted tag of a body; what has an id and a version is named by both before the dot."""
    whole = hashlib.blake2b(body, digest_size=12).hexdigest()
    resource_id, version = _named(content)
    if isinstance(resource_id, str) and isinstance(version, int):
        return f'"{version_part(resource_id, version)}.{whole}"'
    return f'"{whole}"'


def matches(header: str | None, current: str) -> bool:
    """Say whether If-None-Match names the (quoted) tag; what cannot be read names nothing."""
    if not header:
        return False
    if header.strip() == "*":
        return True
    return any(f'"{value}"' == current for _, value in _TAG.findall(header))


def precondition(header: str | None, *, required: bool) -> Precondition:
    """Read If-Match; raise BadRequest for bad syntax. Weak tags never match."""
    if header is None:
        return Precondition(required=required)
    if header.strip() == "*":
        return Precondition(anything=True)
    if not _TAGS.fullmatch(header):
        detail = "If-Match holds * or quoted entity tags."
        raise BadRequest(detail, errors=(FieldError(_WHERE, "invalid", detail),))
    return Precondition(frozenset(value.partition(".")[0] for weak, value in _TAG.findall(header) if not weak))


def _failed(where: str) -> PreconditionFailed:
    detail = "The resource has changed since you read it; read it again and repeat the change."
    return PreconditionFailed(detail, errors=(FieldError(where, "stale", detail),))


def _named(content: object) -> tuple[Any, Any]:
    if isinstance(content, Mapping):
        return content.get("id"), getattr(content, "version", content.get("version"))
    # What there is one of has no id to show; its class names it for its tags.
    return getattr(content, "id", getattr(content, "TAG_ID", None)), getattr(content, "version", None)
