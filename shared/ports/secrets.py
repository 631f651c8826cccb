"""Secrets: sealing small texts at rest. Adapters: `shared.adapters.aes_gcm` (key from the settings), KMS in the cloud."""

from typing import Protocol

__all__ = ["Secrets"]


class Secrets(Protocol):
    """Authenticated encryption bound to a place: what was sealed for one place cannot be opened for another."""

    def seal(self, plain: bytes, *, place: str) -> str:
        """Return printable ciphertext with a fresh nonce and the key's id; `place` is authenticated, not stored."""
        ...

    def open(self, sealed: str, *, place: str) -> bytes:
        """Return the plain bytes; raise Terminal `cannot_open` for a wrong place, key or tampered text."""
        ...
