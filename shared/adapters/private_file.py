"""A secret of a local run in a file of the data folder: made once, readable by its owner only."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["kept"]


def kept(path: Path, make: Callable[[], str]) -> str:
    """Return the file's text, made on first need; two processes starting at once end with the same text."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, make())
    return path.read_text("ascii")


def _write_once(path: Path, text: str) -> None:
    """Create the file whole or not at all: written under another name, then linked unless somebody was faster."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
