"""What Cloud KMS does with a symmetric key: versions inside the ciphertext, associated data, checksums both ways."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

from tests.google.calls import Refused, channel, serving

__all__ = ["KEY", "KmsEngine", "running_kms"]

KEY = "projects/test/locations/here/keyRings/onhand/cryptoKeys/credentials"
_NONCE = 12


class KmsEngine:
    """One key and its versions."""

    def __init__(self) -> None:
        """Start with one version."""
        self._versions = [AESGCM.generate_key(256)]
        self.damages = False
        self.trouble: list[Refused] = []

    def rotate(self) -> None:
        """Make a new primary version; older ones still open."""
        self._versions.append(AESGCM.generate_key(256))

    def encrypt(self, request: Any) -> Any:
        """Encrypt."""
        self._meet(request.name)
        verified = request.plaintext_crc32c == google_crc32c.value(request.plaintext)
        number, nonce = len(self._versions) - 1, os.urandom(_NONCE)
        aad = request.additional_authenticated_data
        cipher = bytes([number]) + nonce + AESGCM(self._versions[number]).encrypt(nonce, request.plaintext, aad)
        return kms_v1.EncryptResponse(
            name=f"{KEY}/cryptoKeyVersions/{number + 1}",
            ciphertext=cipher,
            ciphertext_crc32c=google_crc32c.value(cipher) + self.damages,
            verified_plaintext_crc32c=verified,
        )

    def decrypt(self, request: Any) -> Any:
        """Decrypt."""
        self._meet(request.name)
        cipher = request.ciphertext
        if request.ciphertext_crc32c != google_crc32c.value(cipher):
            raise Refused("INVALID_ARGUMENT", "The ciphertext's checksum does not fit")
        try:
            key = AESGCM(self._versions[cipher[0]])
            plain = key.decrypt(cipher[1 : 1 + _NONCE], cipher[1 + _NONCE :], request.additional_authenticated_data)
        except (IndexError, ValueError, InvalidTag) as error:
            raise Refused("INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.") from error
        return kms_v1.DecryptResponse(plaintext=plain, plaintext_crc32c=google_crc32c.value(plain) + self.damages)

    def _meet(self, name: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        if name != KEY:
            raise Refused("NOT_FOUND", "CryptoKey not found")


@contextmanager
def running_kms(engine: KmsEngine) -> Iterator[Callable[[], Any]]:
    """Serve an engine; yield what makes official clients that talk to it."""
    methods = {
        "Encrypt": (kms_v1.EncryptRequest, engine.encrypt),
        "Decrypt": (kms_v1.DecryptRequest, engine.decrypt),
    }
    with serving("google.cloud.kms.v1.KeyManagementService", methods) as address, channel(address) as open_channel:
        transport = KeyManagementServiceGrpcTransport(channel=open_channel)
        yield lambda: kms_v1.KeyManagementServiceClient(transport=transport)
