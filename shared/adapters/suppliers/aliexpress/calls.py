"""Calls to AliExpress: signed, unwrapped, their errors named; tokens renewed when they have ended."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from shared.adapters.fetch.pace import Pace
from shared.adapters.sources.reading import mapping, text
from shared.adapters.suppliers.aliexpress.signing import signature
from shared.core.clock import Clock
from shared.core.errors import Problem, Terminal, Transient
from shared.ports.fetch import Fetch, Request

__all__ = ["Calls", "KeptTokens", "Keys"]

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_A_MINUTE = 60
_SUCCESS = {"0", "00", "200"}
_EMPTY = "405"
_BAN = re.compile(r"last (\d{1,5}) more second", re.ASCII)
_TOKEN_ENDED = frozenset({"IllegalAccessToken", "AccessTokenExpired"})
_REFUSED = frozenset({"IncompleteSignature", "InvalidAppKey", "isv.insufficient-permission", "InvalidApiPath"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What an application and its user hold."""

    app_key: str
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """Where the tokens of a connection are kept: `read` and `write` (`api_key`, `refresh_token`)."""

    read: Callable[[], Mapping[str, str]]
    write: Callable[[Mapping[str, str]], None]


class Calls:
    """The calls of one connection."""

    def __init__(self, base_url: str, keys: Keys, fetch: Fetch, clock: Clock, kept: "KeptTokens") -> None:
        """Take the address, the keys, the way out, time, and who keeps the tokens."""
        self._base_url, self._keys, self._fetch, self._clock = base_url.rstrip("/"), keys, fetch, clock
        self._kept = kept
        self._pace = Pace(clock, _A_MINUTE)

    def call(self, method: str, given: Mapping[str, str], where: str) -> Mapping[str, Any]:
        """Return the result of a business call; raise Transient or Terminal naming `where`."""
        try:
            return self._called(method, given, where)
        except Terminal as refused:
            if refused.code != "token_ended":
                raise
        self._renew(where)
        try:
            return self._called(method, given, where)
        except Terminal as refused:
            if refused.code == "token_ended":
                raise Terminal("credentials_rejected", f"AliExpress, {where}: the access token was refused") from None
            raise

    def _called(self, method: str, given: Mapping[str, str], where: str) -> Mapping[str, Any]:
        parameters = self._signed({"method": method, "session": self._keys.access_token, **given})
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

    def _renew(self, where: str) -> None:
        """Take the tokens another worker has renewed meanwhile, else renew them: a refresh token is good for one use."""
        if self._taken():
            return
        try:
            self._renewed(where)
        except Terminal:
            if not self._taken():
                raise

    def _taken(self) -> bool:
        """Take the kept tokens; say whether they differ from ours."""
        kept = self._kept.read()
        token = kept.get("api_key")
        if not token or token == self._keys.access_token:
            return False
        self._keys = replace(self._keys, access_token=token, refresh_token=kept.get("refresh_token"))
        return True

    def _renewed(self, where: str) -> None:
        if self._keys.refresh_token is None:
            raise Terminal(
                "credentials_rejected", f"AliExpress, {where}: the access token has ended and there is none to renew it"
            )
        path = "/auth/token/refresh"
        parameters = self._signed({"refresh_token": self._keys.refresh_token}, path=path)
        body = self._sent(f"/rest{path}", parameters, "renewal of the token")
        token = text(body.get("access_token"))
        if token is None:
            raise Terminal("credentials_rejected", "AliExpress refused to renew the token; connect again.")
        renewed = text(body.get("refresh_token")) or self._keys.refresh_token
        self._keys = replace(self._keys, access_token=token, refresh_token=renewed)
        self._kept.write({"api_key": token, "refresh_token": renewed})

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
            raise Transient("rate_limited", said, wait_s=float(ban[1]) if ban else 1.0, rate_limited=True)
        if code in _TOKEN_ENDED:
            raise Terminal("token_ended", said)
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
