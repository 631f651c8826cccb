"""Argon2id, with parameters that leave room in a 512 MiB function: 19 MiB, 2 passes, 1 lane (83 ms measured).

The library's own defaults (64 MiB, 3 passes, 4 lanes) take 479 ms, and 32 at once would end the process.
"""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["Argon2"]

_MEMORY_KIB = 19 * 1024


class Argon2:
    """The hash function behind `shared.identity.passwords`; the library is loaded with the first password."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, passes: int = 2) -> None:
        """Take the cost; tests take less."""
        self._memory_kib, self._passes = memory_kib, passes

    def hash(self, password: str) -> str:
        """Return the hash in PHC form, parameters and salt included."""
        return self._hasher.hash(_bytes(password))

    def verify(self, hashed: str, password: str) -> bool:
        """Say whether the password made this hash."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(hashed, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_dated(self, hashed: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher, Type

        return PasswordHasher(self._passes, self._memory_kib, 1, hash_len=32, salt_len=16, type=Type.ID)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
