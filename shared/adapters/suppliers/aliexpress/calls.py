"""Calls to AliExpress: signed, unwrapped, their errors named; tokens renewed when they have ended."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from shared.adapters.fetch.pace import Pace
from shared.adapters.sources.reading import mapping, text
from shared.adapters.suppliers.aliexpress.signing import signature
from shared.adapters.suppliers.aliexpress.tokens import renewal_of, tokens_of
from shared.core.clock import Clock, instant
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass, field
from shared.ports.fetch import Fetch, Request
from shared.suppliers.port import NEEDS_CONSENT, Renewal, TokenKeeping

__all__ = ["Calls", "Door", "Keys"]

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_A_MINUTE = 60
_SUCCESS = {"0", "00", "200"}
_EMPTY = "405"
_BAN = re.compile(r"last (\d{1,5}) more second", re.ASCII)
_TOKEN_ENDED = frozenset({"IllegalAccessToken", "AccessTokenExpired"})
_ENDED = "token_ended"
_PAUSE_S, _PATIENCE_S = 0.5, 5.0
_AHEAD = timedelta(minutes=30)
_REFUSED = frozenset({"IncompleteSignature", "InvalidAppKey", "isv.insufficient-permission", "InvalidApiPath"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What an application and its user hold; `ends_at` is when the access token ends, None when that was never said."""

    app_key: str
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """Where calls go, and what documents and clients say differently: how the token is named, where system calls go."""

    base_url: str
    token_named: Literal["session", "access_token"] = "session"  # noqa: S105 (the name of a parameter)
    system_base: Literal["rest", "sync"] = "rest"


class Calls:
    """The calls of one connection."""

    def __init__(self, door: Door, keys: Keys, fetch: Fetch, clock: Clock, *, tokens: TokenKeeping) -> None:
        """Take where calls go, the keys, the way out, time, and who keeps the tokens."""
        self._base_url, self._keys, self._fetch, self._clock = door.base_url.rstrip("/"), keys, fetch, clock
        self._door, self._tokens = door, tokens
        self._pace = Pace(clock, _A_MINUTE)
        self._ahead = True
        self._banned_until: datetime | None = None

    def call(self, method: str, given: Mapping[str, str], where: str, *, tries: int = 3) -> Mapping[str, Any]:
        """Return the result of a business call; raise Transient or Terminal naming `where`.

        Passing trouble is waited for when that is short, up to `tries` tries; one for what must not be repeated unseen.
        """
        self._renew_ahead()
        try:
            return self._patient(method, given, where, tries)
        except Terminal as refused:
            if refused.code != _ENDED:
                raise
        self._renew()
        try:
            return self._patient(method, given, where, tries)
        except Terminal as refused:
            if refused.code == _ENDED:
                raise Terminal("credentials_rejected", f"AliExpress, {where}: the access token was refused") from None
            raise

    def ban(self) -> Mapping[str, Any] | None:
        """Return until when AliExpress takes no calls; None when it does, as far as it has said."""
        until = self._banned_until
        if until is None or until <= self._clock.now():
            return None
        return {"endpoint": "/sync", "limit": None, "remaining": 0, "resets_at": instant(until)}

    def exchange(self, code: str) -> Renewal:
        """Return the tokens that a person's consent is worth; raise Terminal `needs_consent` for a code that is none."""
        return self._granted("/auth/token/create", {"code": code}, "exchange of the consent")

    def _renew_ahead(self) -> None:
        """Renew a token that is about to end; trouble with that is no trouble while the token is still good."""
        ends_at = self._keys.ends_at
        if ends_at is None or not self._ahead or self._clock.now() < ends_at - _AHEAD:
            return
        try:
            self._renew()
        except (Transient, Terminal):
            if self._clock.now() >= ends_at:
                raise
            self._ahead = False

    def _renew(self) -> None:
        kept = self._tokens.renewed(self._keys.access_token, self._renewal)
        self._keys = replace(self._keys, **tokens_of(kept))

    def _renewal(self) -> Renewal:
        """Ask for new tokens; a refresh token is good for one use, so this runs once at a time for a connection."""
        refresh_token = self._keys.refresh_token
        if not refresh_token:
            raise Terminal(NEEDS_CONSENT, "AliExpress: the access token has ended and there is none to renew it.")
        path = "/auth/token/refresh"
        return self._granted(path, {"refresh_token": refresh_token}, "renewal of the token", refresh_token)

    def _granted(self, path: str, given: Mapping[str, str], where: str, refresh_token: str | None = None) -> Renewal:
        """Make a system call that is answered with tokens; a refusal means that the user is to consent again."""
        if self._door.system_base == "sync":
            body = self._sent("/sync", self._signed({"method": path, **given}), where)
            body = mapping(body.get(f"{path.strip('/').replace('/', '_')}_response")) or body
        else:
            body = self._sent(f"/rest{path}", self._signed(given, path=path), where)
        try:
            self._raise_for(body, where)
        except Terminal as refused:
            if refused.code == "credentials_rejected":
                raise
            raise Terminal(NEEDS_CONSENT, f"{refused.detail}; the user has to consent again."[:300]) from None
        granted = renewal_of(body, refresh_token, self._clock.now())
        if granted is None:
            raise Terminal(NEEDS_CONSENT, f"AliExpress, {where}: gave no token; the user has to consent again.")
        return granted

    def _patient(self, method: str, given: Mapping[str, str], where: str, tries: int) -> Mapping[str, Any]:
        for number in range(1, tries):
            try:
                return self._called(method, given, where)
            except Transient as trouble:
                wait_s = number * _PAUSE_S if trouble.wait_s is None else trouble.wait_s
                if wait_s > _PATIENCE_S:
                    raise
                self._clock.sleep(wait_s)
        return self._called(method, given, where)

    def _called(self, method: str, given: Mapping[str, str], where: str) -> Mapping[str, Any]:
        parameters = self._signed({"method": method, self._door.token_named: self._keys.access_token, **given})
        body = self._sent("/sync", parameters, where)
        self._raise_for(body, where)
        wrapped = body.get(method.replace(".", "_") + "_response", body)
        outer = mapping(wrapped)
        inner = mapping(outer.get("resp_result")) or outer
        code = next((text(inner[name]) for name in ("rsp_code", "resp_code", "code") if name in inner), "0")
        if code == _EMPTY:
            return {}
        if code not in _SUCCESS:
            message = text(inner.get("rsp_msg") or inner.get("resp_msg") or inner.get("msg")) or "no reason given"
            raise Terminal(f"code_{code}", f"AliExpress, {where}: {message[:200]}")
        result = inner.get("result", inner.get("data", inner))
        return mapping(result)

    def _signed(self, given: Mapping[str, str], *, path: str = "") -> dict[str, str]:
        now_ms = int(self._clock.now().timestamp() * 1000)
        common = {"app_key": self._keys.app_key, "timestamp": str(now_ms), "sign_method": "sha256"}
        parameters = {name: value for name, value in {**common, **given}.items() if value != ""}
        return {**parameters, "sign": signature(self._keys.app_secret, parameters, path=path)}

    def _sent(self, path: str, parameters: Mapping[str, str], where: str) -> Mapping[str, Any]:
        self._pace.wait()
        body = urlencode(parameters).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = self._fetch.send(Request("POST", self._base_url + path, headers, body, total_s=25.0))
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None
        except Transient as trouble:
            raise Transient(trouble.code, f"AliExpress, {where}: {trouble.detail}", wait_s=trouble.wait_s) from None
        try:
            status, content = answer.status, answer.read()
        finally:
            answer.close()
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            limited = status == _TOO_MANY
            code = "rate_limited" if limited else f"http_{status}"
            raise Transient(code, f"AliExpress, {where}: answered {status}", rate_limited=limited)
        if status != _OK:
            code = "credentials_rejected" if status in {401, 403} else f"http_{status}"
            raise Terminal(code, f"AliExpress, {where}: answered {status}")
        return _object(content, where)

    def _raise_for(self, body: Mapping[str, Any], where: str) -> None:
        """Raise what an error with status 200 says."""
        error = mapping(body.get("error_response"))
        if not error and "code" in body and text(body.get("code")) not in _SUCCESS:
            error = body
        if not error:
            return
        code, message = text(error.get("code")) or "unknown", text(error.get("msg")) or ""
        said = f"AliExpress, {where}: {(message or code)[:200]}"
        if code == "ApiCallLimit":
            ban = _BAN.search(message)
            wait_s = float(ban[1]) if ban else 1.0
            self._banned_until = self._clock.now() + timedelta(seconds=wait_s)
            raise Transient("rate_limited", said, wait_s=wait_s, rate_limited=True)
        if code in _TOKEN_ENDED:
            raise Terminal(_ENDED, said)
        if code in _REFUSED:
            raise Terminal("credentials_rejected", said)
        if text(error.get("type")) in {"SYSTEM", "ISP"}:
            raise Transient(code.lower(), said)
        raise Terminal(code, said)


def _object(content: bytes, where: str) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Transient("not_json", f"AliExpress, {where}: answered with something other than JSON") from None
    if not isinstance(body, dict):
        raise Transient("wrong_shape", f"AliExpress, {where}: answered with something other than an object")
    return body
