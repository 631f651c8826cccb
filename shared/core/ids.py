"""Identifiers: the one module that may draw randomness for them."""

import secrets
from typing import Protocol

from shared.core.clock import Clock

__all__ = ["Ids", "RandomIds", "SequentialIds"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_STEP = 64  # 32 768 largest steps fit above a first draw of 79 bits
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
    """Ids of 48 bits of time and 80 random bits in Crockford base 32 (the ULID layout).

    The ids of one millisecond and process rise by a random step, so what is made one after the other sorts so.
    """

    def __init__(self, clock: Clock) -> None:
        """Take the clock whose milliseconds lead each id."""
        self._clock = clock
        self._last = (0, 0)

    def new(self, prefix: str) -> str:
        """Return a new sortable id."""
        millis = int(self._clock.now().timestamp() * 1000)
        before, drawn = self._last
        # Two threads that read the same last id still differ by their steps; only their order is left open.
        drawn = drawn + 1 + secrets.randbits(_STEP) if millis == before else secrets.randbits(79)
        self._last = (millis, drawn)
        return f"{prefix}_{_base32((millis << 80) | drawn)}"

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
