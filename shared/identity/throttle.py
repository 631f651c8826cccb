"""Slowing down whoever guesses passwords: one counter document per account, the same for accounts that do not exist."""

import hashlib
from collections.abc import Mapping

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import RateLimited
from shared.identity.rules import FORGOTTEN_AFTER, Attempts, after_failure
from shared.ports.documents import Create, Delete, Key, Put, Stored, Write
from shared.ports.store import Store

__all__ = ["LoginThrottle"]

_COLLECTION = "login_attempts"


class LoginThrottle:
    """Counts failures in a row. From the fifth on each brings a wait; no account is ever locked for good."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store and the clock that waits run on."""
        self._store, self._clock = store, clock

    def key(self, account: str) -> Key:
        """Return where an account's failures are counted; the name itself is not stored."""
        return Key(_COLLECTION, hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest())

    def admit(self, account: str) -> bool:
        """Let a try pass or raise RateLimited; say whether it was already counted as a failure.

        From the fourth failure on a try is counted before the password is looked at, so that a burst of tries at the
        end of a wait is one try. Success takes the count back.
        """
        key = self.key(account)

        def decide(found: Mapping[Key, Stored]) -> tuple[bool, list[Write]]:
            attempts = _attempts(found.get(key))
            remaining = attempts.remaining_s(self._clock.now())
            if remaining:
                detail = f"Too many failed logins for this account; wait {remaining} s."
                raise RateLimited(detail, headers={"Retry-After": str(remaining)})
            if not attempts.is_near_the_wait():
                return False, []
            return True, [self._counted(key, found.get(key))]

        return self._store.change([key], decide)

    def failed(self, account: str) -> None:
        """Count a failure that `admit` had not counted."""
        key = self.key(account)
        self._store.change([key], lambda found: (None, [self._counted(key, found.get(key))]))

    def forgive(self, account: str) -> None:
        """End the row of failures."""
        self._store.change([self.key(account)], lambda found: (None, self.forgiven(account, found)))

    def forgiven(self, account: str, found: Mapping[Key, Stored]) -> list[Write]:
        """Return the writes that end the row of failures, for the commit of the successful login."""
        stored = found.get(self.key(account))
        return [] if stored is None else [Delete(stored.key)]

    def _counted(self, key: Key, stored: Stored | None) -> Write:
        now = self._clock.now()
        after = after_failure(_attempts(stored), now)
        data = {
            "failures": after.failures,
            "waits_until": instant(after.waits_until) if after.waits_until else None,
            "last_at": instant(now),
            "expires_at": instant(now + FORGOTTEN_AFTER),
        }
        return Create(key, data) if stored is None else Put(key, data, stored.version)


def _attempts(stored: Stored | None) -> Attempts:
    if stored is None:
        return Attempts()
    waits, last = stored.data["waits_until"], stored.data["last_at"]
    return Attempts(stored.data["failures"], parse_instant(waits) if waits else None, parse_instant(last))
