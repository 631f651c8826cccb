"""Entity tags: `"<version part>.<body part>"`, and what If-Match and If-None-Match say about them."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from shared.core.conditions import Precondition, version_part
from shared.core.errors import BadRequest, FieldError

__all__ = ["matches", "precondition", "tag"]

_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_TAG = re.compile(r'(W/)?"([^"]*)"')


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
        raise BadRequest(detail, errors=(FieldError("header:If-Match", "invalid", detail),))
    return Precondition(frozenset(value.partition(".")[0] for weak, value in _TAG.findall(header) if not weak))


def _named(content: object) -> tuple[Any, Any]:
    if isinstance(content, Mapping):
        return content.get("id"), content.get("version")
    return getattr(content, "id", None), getattr(content, "version", None)
