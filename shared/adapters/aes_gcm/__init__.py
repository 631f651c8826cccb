"""Sealing with AES-256-GCM under a key from the settings, or one made in the data folder of a local run.

Sealed text is `v1.<key id>.<nonce and ciphertext, base64url>`. The place is associated data: a sealed credential moved to
another record does not open there. The nonce is 96 random bits per text; under one key that is safe for far more texts
than a deployment will ever seal (2^32).
"""

import base64
import hashlib
import os
from pathlib import Path

from shared.adapters.private_file import kept
from shared.core.errors import Terminal

__all__ = ["AesGcm", "local_encryption_key"]

_VERSION = "v1"
_KEY_SIZE = 32
_NONCE_SIZE = 12
_FILE = "encryption-key"


class AesGcm:
    """The secrets port; seals with the current key, opens with any key given."""

    def __init__(self, current: str, *previous: str) -> None:
        """Take keys as base64 or hexadecimal text of 32 bytes; raise ValueError (without the text) for another."""
        keys = [_key(text) for text in (current, *previous)]
        self._keys = {_id(key): key for key in keys}
        self._current = _id(keys[0])

    def seal(self, plain: bytes, *, place: str) -> str:
        """Return printable ciphertext with a fresh nonce and the key's id; `place` is authenticated, not stored."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_SIZE)
        body = nonce + AESGCM(self._keys[self._current]).encrypt(nonce, plain, place.encode())
        return f"{_VERSION}.{self._current}.{base64.urlsafe_b64encode(body).decode()}"

    def knows(self, sealed: str) -> bool:
        """Say whether a text names one of these keys."""
        return sealed.partition(".")[2].partition(".")[0] in self._keys

    def open(self, sealed: str, *, place: str) -> bytes:
        """Return the plain bytes; raise Terminal `cannot_open` for a wrong place, key or tampered text."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            version, name, text = sealed.split(".")
            body = base64.b64decode(text, altchars=b"-_", validate=True)
            if version != _VERSION:
                raise ValueError(version)  # noqa: TRY301 - one answer for every way a text cannot be opened
            return AESGCM(self._keys[name]).decrypt(body[:_NONCE_SIZE], body[_NONCE_SIZE:], place.encode())
        except (ValueError, KeyError, InvalidTag):
            raise Terminal("cannot_open", "A stored credential cannot be opened with the keys given.") from None


def local_encryption_key(folder: Path) -> str:
    """Return the data folder's key, made on first need and readable by its owner only."""
    return kept(folder / _FILE, lambda: base64.b64encode(os.urandom(_KEY_SIZE)).decode())


def _key(text: str) -> bytes:
    """Read 32 bytes given as base64 (either alphabet), as 64 hexadecimal digits, or as 32 plain characters."""
    text = text.strip()
    if len(text.encode()) == _KEY_SIZE:
        return text.encode()
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * _KEY_SIZE else _from_base64(text)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_SIZE:
        raise ValueError("ENCRYPTION_KEY must be 32 random bytes as base64 or as 64 hexadecimal digits")
    return raw


def _from_base64(text: str) -> bytes:
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _id(key: bytes) -> str:
    """Name a key by a digest that says nothing about it."""
    return hashlib.sha256(b"onhand key id\0" + key).hexdigest()[:12]
