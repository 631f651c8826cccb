"""The keys: Ed25519 for our own tokens, RSA for those of Google, and what other issuers use: P-256 and a shared secret."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from shared.identity.keys import PublicKey

__all__ = ["Ed25519Private", "Ed25519Public", "P256Public", "RsaPublic", "SharedSecret", "read_jwks"]

_ED25519_SIZE = 32
_SMALLEST_RSA = 2048


class Ed25519Public:
    """An Ed25519 public key."""

    algorithm = "EdDSA"

    def __init__(self, raw: bytes, kid: str | None = None) -> None:
        """Take the 32 bytes; the id is the thumbprint unless the issuer gave another."""
        if len(raw) != _ED25519_SIZE:
            raise ValueError("an Ed25519 public key has 32 bytes")
        self._raw = raw
        members = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(raw)}
        self.kid = kid or _thumbprint(members)

    @classmethod
    def from_pem(cls, pem: str) -> Ed25519Public:
        """Read a PEM (SubjectPublicKeyInfo); raise ValueError for anything else."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key = load_pem_public_key(_lines(pem))
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 public key")  # noqa: TRY004 - a wrong text, not a wrong type
        return cls(key.public_bytes_raw())

    def verifies(self, token: str) -> bool:
        """Say whether the compact token carries this key's signature."""
        return _verifies(token, self._key, self.algorithm)

    def jwk(self) -> dict[str, str]:
        """Return the key as a JSON Web Key."""
        x = _encoded(self._raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(self._raw)


class Ed25519Private:
    """An Ed25519 private key; nothing shows it but `pem`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the library's key."""
        self._key = key
        self.public = Ed25519Public(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Ed25519Private:
        """Make a new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: str) -> Ed25519Private:
        """Read an unencrypted PEM (PKCS 8); raise ValueError for anything else, without repeating it."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(_lines(pem), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an unencrypted Ed25519 private key in PEM")  # noqa: TRY004 - a wrong text
        return cls(key)

    def pem(self) -> str:
        """Write the key as PEM, for the one file or secret that holds it."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return the compact token."""
        from jwt.api_jws import PyJWS

        payload = json.dumps(dict(claims), separators=(",", ":")).encode()
        headers = {"typ": typ, "kid": self.public.kid}
        return PyJWS().encode(payload, self._key, algorithm=self.public.algorithm, headers=headers)


class RsaPublic:
    """An RSA public key, as Google publishes them."""

    algorithm = "RS256"

    def __init__(self, jwk: Mapping[str, str]) -> None:
        """Take the JSON Web Key; raise ValueError for fewer than 2,048 bits."""
        self.kid = jwk["kid"]
        self._modulus, self._exponent = (int.from_bytes(_raw(jwk[name]), "big") for name in ("n", "e"))
        if self._modulus.bit_length() < _SMALLEST_RSA:
            raise ValueError("an RSA key of fewer than 2,048 bits")

    def verifies(self, token: str) -> bool:
        """Say whether the compact token carries this key's signature."""
        return _verifies(token, self._key, self.algorithm)

    def jwk(self) -> dict[str, str]:
        """Return the key as a JSON Web Key."""
        numbers = {"n": self._modulus, "e": self._exponent}
        texts = {
            name: _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in numbers.items()
        }
        return {"kty": "RSA", **texts, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @cached_property
    def _key(self) -> RSAPublicKey:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

        return RSAPublicNumbers(self._exponent, self._modulus).public_key()


class P256Public:
    """An elliptic curve key on P-256."""

    algorithm = "ES256"

    def __init__(self, jwk: Mapping[str, str]) -> None:
        """Take the JSON Web Key; raise ValueError when its point is not on the curve."""
        self.kid = jwk["kid"]
        self._members = {name: jwk[name] for name in ("x", "y")}
        self._key  # noqa: B018 - a bad point is a bad key set, not a bad token

    def verifies(self, token: str) -> bool:
        """Say whether the compact token carries this key's signature."""
        return _verifies(token, self._key, self.algorithm)

    def jwk(self) -> dict[str, str]:
        """Return the key as a JSON Web Key."""
        return {"kty": "EC", "crv": "P-256", **self._members, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @cached_property
    def _key(self) -> EllipticCurvePublicKey:
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

        x, y = (int.from_bytes(_raw(self._members[name]), "big") for name in ("x", "y"))
        return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()


class SharedSecret:
    """A secret that another issuer signs with (HS256); it is never published."""

    algorithm = "HS256"
    kid = ""

    def __init__(self, secret: str) -> None:
        """Take the secret, of at least 32 bytes."""
        self._secret = secret.encode()

    def verifies(self, token: str) -> bool:
        """Say whether the compact token carries this secret's signature."""
        return _verifies(token, self._secret, self.algorithm)

    def jwk(self) -> dict[str, str]:
        """Refuse: a shared secret is in no key set."""
        raise ValueError("a shared secret is not published")


def read_jwks(text: str | bytes) -> list[PublicKey]:
    """Return the keys of a JWKS that we can use (Ed25519, RSA and P-256 for signatures); raise ValueError for a bad set."""
    try:
        keys = [_public(jwk) for jwk in json.loads(text)["keys"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a JSON Web Key Set") from error
    return [key for key in keys if key is not None]


def _public(jwk: Mapping[str, str]) -> PublicKey | None:
    if jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        return Ed25519Public(_raw(jwk["x"]), jwk.get("kid"))
    if jwk.get("kty") == "RSA" and jwk.get("alg", "RS256") == "RS256":
        return RsaPublic(jwk)
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        return P256Public(jwk)
    return None


def _verifies(
    token: str, key: Ed25519PublicKey | RSAPublicKey | EllipticCurvePublicKey | bytes, algorithm: str
) -> bool:
    from jwt.api_jws import PyJWS
    from jwt.exceptions import PyJWTError

    try:
        PyJWS().decode(token, key, algorithms=[algorithm])
    except PyJWTError:
        return False
    return True


def _lines(pem: str) -> bytes:
    """Undo what environments do to a text of several lines: line ends written as a backslash and an n."""
    return pem.replace("\\n", "\n").encode()


def _thumbprint(members: Mapping[str, str]) -> str:
    """Return the RFC 7638 thumbprint: SHA-256 of the required members in order, without blanks."""
    text = json.dumps(dict(sorted(members.items())), separators=(",", ":"))
    return _encoded(hashlib.sha256(text.encode()).digest())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
