"""Waiting and trying again, on the injected clock, always with a deadline.

Full jitter after Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): each wait is uniform between
zero and the capped exponential.
"""

import random
from collections.abc import Iterator

from shared.core.clock import Clock
from shared.core.values import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """A plan of waits: `base_s` x 2^n capped at `cap_s`, full jitter, ending `deadline_s` after the first try."""

    base_s: float
    cap_s: float
    deadline_s: float

    def tries(self, clock: Clock, rng: random.Random) -> Iterator[int]:
        """Yield try numbers from 0, sleeping between them; stop when the next wait would pass the deadline."""
        end = clock.monotonic() + self.deadline_s
        number = 0
        while True:
            yield number
            wait = self.wait_s(number, rng)
            if clock.monotonic() + wait > end:
                return
            clock.sleep(wait)
            number += 1

    def wait_s(self, number: int, rng: random.Random) -> float:
        """Return the jittered wait after try `number`."""
        return rng.uniform(0, min(self.cap_s, self.base_s * 2 ** min(number, 30)))
