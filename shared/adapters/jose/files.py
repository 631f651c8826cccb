"""The signing key of a local run, kept in the data folder."""

from pathlib import Path

from shared.adapters.jose.keys import Ed25519Private
from shared.adapters.private_file import kept

__all__ = ["local_keys"]


def local_keys(folder: Path) -> Ed25519Private:
    """Return the folder's signing key, made on first need."""
    return Ed25519Private.from_pem(kept(folder / "auth-signing-key.pem", lambda: Ed25519Private.generate().pem()))
