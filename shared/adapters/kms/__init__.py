"""The secrets port on Cloud KMS: the key never leaves it; what comes back is checked by its checksum.

Sealed text is `kms1.<base64url>`. The ciphertext names its own key version, so after a rotation older texts still open.
"""

import base64
import threading
from collections.abc import Callable
from typing import Any

from shared.adapters.google_calls import crc32c, patience, translated
from shared.core.errors import Terminal

__all__ = ["KmsSecrets"]

_VERSION = "kms1"
_SERVICE, _CODE = "Cloud KMS", "kms"


class KmsSecrets:
    """Seals under one key, named `projects/P/locations/L/keyRings/R/cryptoKeys/K`."""

    def __init__(self, key: str, client: Callable[[], Any] | None = None) -> None:
        """Take the key's name and what makes the client (the official one by default)."""
        self._key = key
        self._make, self._making = client or _official, threading.Lock()
        self._made: Any = None

    def seal(self, plain: bytes, *, place: str) -> str:
        """Return printable ciphertext; `place` is authenticated, not stored."""
        request = {"name": self._key, "plaintext": plain, "additional_authenticated_data": place.encode()}
        with translated(_SERVICE, _CODE):
            answer = self._client.encrypt(request=request | _sums(plain, "plaintext"), **patience())
        if not answer.verified_plaintext_crc32c or answer.ciphertext_crc32c != crc32c(answer.ciphertext):
            raise Terminal("kms_damaged", "Cloud KMS and we do not agree on what was sent; nothing was stored.")
        return f"{_VERSION}.{base64.urlsafe_b64encode(answer.ciphertext).decode()}"

    def open(self, sealed: str, *, place: str) -> bytes:
        """Return the plain bytes; raise Terminal `cannot_open` for a wrong place, key or tampered text."""
        from google.api_core.exceptions import InvalidArgument

        cipher = _ciphertext(sealed)
        request = {"name": self._key, "ciphertext": cipher, "additional_authenticated_data": place.encode()}
        with translated(_SERVICE, _CODE):
            try:
                answer = self._client.decrypt(request=request | _sums(cipher, "ciphertext"), **patience())
            except InvalidArgument:
                raise _cannot_open() from None
        if answer.plaintext_crc32c != crc32c(answer.plaintext):
            raise Terminal("kms_damaged", "What Cloud KMS sent was damaged on its way.")
        return bytes(answer.plaintext)

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made


def _ciphertext(sealed: str) -> bytes:
    version, _, text = sealed.partition(".")
    try:
        if version != _VERSION:
            raise ValueError(version)  # noqa: TRY301 - one answer for every way a text cannot be opened
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        raise _cannot_open() from None


def _cannot_open() -> Terminal:
    return Terminal("cannot_open", "A stored credential cannot be opened with the keys given.")


def _sums(data: bytes, name: str) -> dict[str, int]:
    return {f"{name}_crc32c": crc32c(data)}


def _official() -> Any:
    from google.cloud.kms_v1 import KeyManagementServiceClient

    return KeyManagementServiceClient()
