"""What the tokens need of cryptography, as interfaces; `shared.adapters.jose` keeps them with PyJWT.

They are interfaces because loading a cryptographic library costs more than the rest of a function: it is loaded with the
first token, not with the function.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

__all__ = ["KeyRing", "KeySource", "PrivateKey", "PublicKey"]


class PublicKey(Protocol):
    """A key that checks signatures of exactly one algorithm."""

    @property
    def kid(self) -> str:
        """Return the key's id: its RFC 7638 thumbprint, or the one its issuer gave it."""
        ...

    @property
    def algorithm(self) -> str:
        """Return the one JWS algorithm this key serves."""
        ...

    def verifies(self, token: str) -> bool:
        """Say whether the compact token carries this key's signature."""
        ...

    def jwk(self) -> dict[str, str]:
        """Return the key as a JSON Web Key (public members only)."""
        ...


class PrivateKey(Protocol):
    """A key that signs; its public half checks."""

    @property
    def public(self) -> PublicKey:
        """Return the half that may be shown."""
        ...

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return the compact token with header `alg`, `kid` and `typ`."""
        ...


class KeyRing:
    """The public keys in force, by id; never changed, only replaced."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        """Take the keys, the current one first."""
        self._keys = {key.kid: key for key in keys}

    def find(self, kid: str) -> PublicKey | None:
        """Return the key of that id."""
        return self._keys.get(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the key set as published."""
        return {"keys": [key.jwk() for key in self._keys.values()]}


KeySource = Callable[[], KeyRing]
"""Where the keys come from; the same ring object as long as nothing changed. Raises Transient during an outage."""
