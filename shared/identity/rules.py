"""The decisions of identity as pure functions: names, roles, waits after wrong passwords, the life of a refresh family."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.core.caller import Role
from shared.core.values import dataclass

__all__ = [
    "FAMILY_LIFE",
    "FORGOTTEN_AFTER",
    "GRACE",
    "LONGEST_PASSWORD",
    "ROLE_WORDS",
    "SHORTEST_PASSWORD",
    "Attempts",
    "Family",
    "Verdict",
    "after_failure",
    "is_email",
    "judged",
    "login_name",
    "wait_s",
]

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128
FAMILY_LIFE = timedelta(days=7)
GRACE = timedelta(seconds=20)
_FREE_FAILURES = 4
_LONGEST_WAIT_S = 900
FORGOTTEN_AFTER = timedelta(days=1)
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+")

ROLE_WORDS: Mapping[str, Role] = {
    **{role.value: role for role in Role},
    "user": Role.OPERATOR,
    "store_manager": Role.OPERATOR,
    "regional_manager": Role.MANAGER,
    "super_admin": Role.ADMIN,
}
"""Every role word accepted on input, the older backends' among them."""


def login_name(text: str) -> str:
    """Return the form in which e-mails and usernames are compared: one for all spellings of a name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def is_email(text: str) -> bool:
    """Say whether the text has the form of an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed logins of one account in a row, and until when the next one must wait."""

    failures: int = 0
    waits_until: datetime | None = None
    last_at: datetime | None = None

    def remaining_s(self, now: datetime) -> int:
        """Return the whole seconds still to wait; 0 when a try is allowed."""
        if self.waits_until is None or self.waits_until <= now:
            return 0
        return -int((now - self.waits_until).total_seconds() // 1)

    def is_near_the_wait(self) -> bool:
        """Say whether the next failure brings a wait: such tries are counted before the password is looked at."""
        return self.failures >= _FREE_FAILURES


def wait_s(failures: int) -> int:
    """Return the wait after so many failures in a row: none for four, then 2, 4, 8 ... 900 seconds."""
    if failures <= _FREE_FAILURES:
        return 0
    return int(min(_LONGEST_WAIT_S, 2 ** min(failures - _FREE_FAILURES, 10)))


def after_failure(attempts: Attempts, now: datetime) -> Attempts:
    """Count one more failure; failures are forgotten a day after the last one."""
    fresh = attempts.last_at is None or attempts.last_at + FORGOTTEN_AFTER > now
    failures = (attempts.failures if fresh else 0) + 1
    wait = wait_s(failures)
    return Attempts(failures, now + timedelta(seconds=wait) if wait else None, now)


class Verdict(StrEnum):
    """What a presented refresh token deserves."""

    ROTATE = "rotate"
    REPLACE = "replace"
    REFUSE = "refuse"
    EXPIRED = "expired"
    REVOKE = "revoke"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Family:
    """The chain of refresh tokens of one login: digests of the live token and of the one before it."""

    current: str
    expires_at: datetime
    previous: str | None = None
    rotated_at: datetime | None = None
    ended: str | None = None

    def with_token(self, digest: str, verdict: Verdict, now: datetime) -> "Family":
        """Return the family after a new token was issued on that verdict.

        The grace of a lost answer counts from the first use: replacing the lost successor does not prolong it.
        """
        if verdict is Verdict.REPLACE:
            return replace(self, current=digest, expires_at=now + FAMILY_LIFE)
        return Family(digest, now + FAMILY_LIFE, previous=self.current, rotated_at=now)


def judged(family: Family, digest: str, superseded_at: datetime | None, now: datetime) -> Verdict:
    """Decide about a token of this family.

    The live one rotates. The one before it, within 20 s and while its successor is unused, means a lost answer: the
    successor is replaced. A successor so replaced was never used; for 20 s it is only refused (parallel uses of one
    token receive several). Everything else is a second use: theft.
    """
    if family.ended is not None:
        return Verdict.REUSED if family.ended == Verdict.REUSED else Verdict.REFUSE
    if family.expires_at <= now:
        return Verdict.EXPIRED
    if digest == family.current:
        return Verdict.ROTATE
    if digest == family.previous and family.rotated_at is not None and now - family.rotated_at <= GRACE:
        return Verdict.REPLACE
    if superseded_at is not None and now - superseded_at <= GRACE:
        return Verdict.REFUSE
    return Verdict.REVOKE
