"""What names of files look like, in a place of ours and in addresses of others."""

import re
from urllib.parse import urlsplit

from shared.core.errors import Terminal

__all__ = ["PIECE", "bucket_and_name", "checked", "not_found", "refused"]

PIECE = 2**20
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


def checked(name: str) -> str:
    """Return a name that may be put; raise ValueError for one that might lead elsewhere."""
    if not _NAME.fullmatch(name) or ".." in name:
        message = f"{name!r} is no name of a file"
        raise ValueError(message)
    return name


def bucket_and_name(address: str) -> tuple[str, str]:
    """Return the bucket and the object an address names; raise Terminal `not_found` when it names none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise not_found() from None
    _, _, rest = address.partition("://")
    bucket, _, name = rest.partition("/")
    if not parts.netloc or not _BUCKET.fullmatch(bucket) or not name or len(name.encode("utf-8", "replace")) > 1024:  # noqa: PLR2004 - the services' own bound
        raise not_found()
    return bucket, name


def not_found() -> Terminal:
    """Return the failure of a file that is not there."""
    return Terminal("not_found", "There is no file at this address.")


def refused() -> Terminal:
    """Return the failure of a file that may not be read."""
    return Terminal("forbidden", "This deployment may not read the file at this address.")
