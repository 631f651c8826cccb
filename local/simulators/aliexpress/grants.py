"""Tokens of the simulated AliExpress: an access token ends, a refresh token and a code are good for one use.

Tokens are numbered and known by their number alone, so that a simulator that starts anew still lets in what an earlier one
gave out; the tokens everybody begins with (number 0) do not end by themselves.
"""

from datetime import datetime, timedelta
from typing import Any

from local.simulators.credentials import ALIEXPRESS_REFRESH, ALIEXPRESS_TOKEN
from shared.core.clock import Clock

__all__ = ["Grants"]

_ACCESS, _REFRESH = timedelta(days=30), timedelta(days=60)  # of a launched application
_CODE = timedelta(minutes=30)


class Grants:
    """What was granted and is still good."""

    def __init__(self, clock: Clock) -> None:
        """Begin with the tokens everybody knows."""
        self._clock = clock
        self._newest = 0
        self._made: dict[int, datetime] = {}
        self._ended: set[int] = set()
        self._used: set[int] = set()
        self._codes: dict[str, datetime] = {}

    def lets_in(self, token: str) -> bool:
        """Say whether an access token is good now."""
        number = self._number(token, ALIEXPRESS_TOKEN)
        return number is not None and number not in self._ended and not self._over(number, _ACCESS)

    def end(self) -> None:
        """End every access token; the refresh tokens go on."""
        self._ended |= set(range(self._newest + 1))

    def revoke(self) -> None:
        """End everything."""
        self.end()
        self._used |= set(range(self._newest + 1))

    def code(self) -> str:
        """Return a code for a consent that was given."""
        code = f"0_demo-consent-{len(self._codes) + 1}-{int(self._clock.now().timestamp())}"
        self._codes[code] = self._clock.now() + _CODE
        return code

    def granted(self, code: str) -> dict[str, Any] | None:
        """Return tokens for a code, None for one that is used, over or made up."""
        until = self._codes.get(code)
        if until is None or until <= self._clock.now():
            return None
        self._codes[code] = datetime.min.replace(tzinfo=until.tzinfo)
        return self._next()

    def renewed(self, refresh_token: str) -> dict[str, Any] | None:
        """Return tokens for a refresh token; both old ones are good no more."""
        number = self._number(refresh_token, ALIEXPRESS_REFRESH)
        if number is None or number in self._used or self._over(number, _REFRESH):
            return None
        self._used.add(number)
        self._ended.add(number)
        return self._next()

    def _next(self) -> dict[str, Any]:
        self._newest += 1
        now = self._clock.now()
        self._made[self._newest] = now
        return {
            "access_token": f"{ALIEXPRESS_TOKEN}-{self._newest}",
            "refresh_token": f"{ALIEXPRESS_REFRESH}-{self._newest}",
            "expires_in": int(_ACCESS.total_seconds()),
            "expire_time": int((now + _ACCESS).timestamp() * 1000),
            "refresh_expires_in": int(_REFRESH.total_seconds()),
            "refresh_token_valid_time": int((now + _REFRESH).timestamp() * 1000),
        }

    def _number(self, token: str, base: str) -> int | None:
        """Return the number of a token, and take it that those given out earlier were given out."""
        if token == base:
            return 0
        told = token.removeprefix(f"{base}-")
        if told == token or not (told.isascii() and told.isdigit() and len(told) <= 6):  # noqa: PLR2004 (sane numbers)
            return None
        number = int(told)
        if number > self._newest:
            self._newest = number
            self._made[number] = self._clock.now()
        return number

    def _over(self, number: int, lasts: timedelta) -> bool:
        made = self._made.get(number)
        return made is not None and self._clock.now() >= made + lasts
