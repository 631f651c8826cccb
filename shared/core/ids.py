"""Identifiers: the one module that may draw randomness for them."""

import secrets
from typing import Protocol

from shared.core.clock import Clock

__all__ = ["Ids", "RandomIds", "SequentialIds"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]


class Ids(Protocol):
    """A source of new identifiers and of unguessable tokens."""

    def new(self, prefix: str) -> str:
        """Return `prefix_` and 26 characters that sort by time of making."""
        ...

    def token(self, size: int = 32) -> str:
        """Return URL-safe text holding `size` random bytes."""
        ...


class RandomIds:
    """Ids of 48 bits of time and 80 bits of randomness in Crockford base 32 (the ULID layout)."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock whose milliseconds lead each id."""
        self._clock = clock

    def new(self, prefix: str) -> str:
        """Return a new sortable id."""
        millis = int(self._clock.now().timestamp() * 1000)
        return f"{prefix}_{_base32((millis << 80) | secrets.randbits(80))}"

    def token(self, size: int = 32) -> str:
        """Return a new unguessable token."""
        return secrets.token_urlsafe(size)


class SequentialIds:
    """Ids that count up from one: reproducible, sortable, for tests."""

    def __init__(self) -> None:
        """Start at zero."""
        self._last = 0

    def new(self, prefix: str) -> str:
        """Return the next id of the one sequence."""
        self._last += 1
        return f"{prefix}_{self._last:026d}"

    def token(self, size: int = 32) -> str:
        """Return the next token; not secret."""
        self._last += 1
        return f"token-{self._last:0{size}d}"


def _base32(number: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
