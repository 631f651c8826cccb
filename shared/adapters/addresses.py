"""Reading the URL-shaped settings."""

from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["file_of", "location_of"]


def file_of(url: str) -> str:
    """Return the file an embedded URL names, its folder made; relative paths stand as written."""
    name = url.partition(":///")[2]
    if name != ":memory:":
        Path(name).parent.mkdir(parents=True, exist_ok=True)
    return name


def location_of(url: str) -> str:
    """Return the resource name of `scheme://project/location`."""
    parts = urlsplit(url)
    return f"projects/{parts.netloc}/locations/{parts.path.strip('/')}"
