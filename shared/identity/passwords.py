"""Passwords: how they are hashed, how many at once, and which are too common to be accepted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from shared.core.errors import Unavailable, ValidationFailed

__all__ = ["Hasher", "Passwords", "is_common", "refuse_common"]

T = TypeVar("T")

_LIST = Path(__file__).with_name("common_passwords.txt")


class Hasher(Protocol):
    """A password hash function; `shared.adapters.argon2` is the one in use."""

    def hash(self, password: str) -> str:
        """Return the hash with its salt and parameters."""
        ...

    def verify(self, hashed: str, password: str) -> bool:
        """Say whether the password made this hash."""
        ...

    def is_dated(self, hashed: str) -> bool:
        """Say whether the hash should be made anew with today's parameters."""
        ...


class Passwords:
    """Hashes and verifies, at most `slots` at once and always in the same few threads.

    Each hash takes 19 MiB. Measured with 32 requests at once: without a bound a function of 512 MiB is killed, and with a
    bound but in the requests' own threads it still grew by 510 MiB, because the C library keeps freed memory per thread.
    """

    def __init__(self, hasher: Hasher, *, slots: int = 2, patience_s: float = 2.0) -> None:
        """Take the hash function, how many may run at once, and how long a caller waits for a slot."""
        self._hasher, self._patience_s = hasher, patience_s
        self._slots = threading.BoundedSemaphore(slots)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="passwords")
        self._lock = threading.Lock()
        self._dummy: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash to store; raise Unavailable when no slot becomes free in time."""
        return self._in_a_slot(lambda: self._hasher.hash(password))

    def verify(self, hashed: str | None, password: str) -> bool:
        """Say whether the password is right; without a hash (no such account) take the same time and say no."""
        return (
            self._in_a_slot(lambda: self._hasher.verify(hashed or self._dummy_hash(), password)) and hashed is not None
        )

    def is_dated(self, hashed: str) -> bool:
        """Say whether the hash should be made anew."""
        return self._hasher.is_dated(hashed)

    def _dummy_hash(self) -> str:
        with self._lock:
            if self._dummy is None:
                self._dummy = self._hasher.hash("no account has this password")
            return self._dummy

    def _in_a_slot(self, work: Callable[[], T]) -> T:
        if not self._slots.acquire(timeout=self._patience_s):
            raise Unavailable("Too many passwords are being checked at once; try again.", retry_after=2)
        try:
            return self._threads.submit(work).result()
        finally:
            self._slots.release()


def refuse_common(password: str, pointer: str) -> None:
    """Raise ValidationFailed for a password that guessers try first."""
    if is_common(password):
        raise ValidationFailed.at(pointer, "password_common", "This password is among the most common ones.")


def is_common(password: str) -> bool:
    """Say whether the password, in any case, is in the list of common ones."""
    return password.casefold() in _common()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_LIST.read_text("utf-8").split())
