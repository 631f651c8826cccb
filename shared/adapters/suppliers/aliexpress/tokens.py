"""Tokens of AliExpress: what an answer grants, and where a user is sent to consent. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from shared.adapters.sources.reading import text
from shared.core.clock import instant, parse_instant
from shared.suppliers.port import Renewal

__all__ = ["authorize_url", "renewal_of", "tokens_of"]

_LONGEST_S = 400 * 86_400


def authorize_url(base_url: str, app_key: str, redirect_uri: str, state: str) -> str:
    """Return the address at which a user lets the application act for them (sources.md 4.1)."""
    asked = {
        "response_type": "code",
        "force_auth": "true",
        "redirect_uri": redirect_uri,
        "client_id": app_key,
        "state": state,
    }
    return f"{base_url.rstrip('/')}/oauth/authorize?{urlencode(asked)}"


def renewal_of(body: Mapping[str, Any], refresh_token: str | None, now: datetime) -> Renewal | None:
    """Return what an answer grants, None when it holds no token; an answer that omits the refresh token leaves the old one."""
    token = text(body.get("access_token"))
    if token is None:
        return None
    tokens = {"api_key": token}
    kept = text(body.get("refresh_token")) or refresh_token
    if kept is not None:
        tokens["refresh_token"] = kept
    ends_at = _ends_at(body, now)
    if ends_at is not None:
        tokens["ends_at"] = instant(ends_at)
    over = kept is None or str(body.get("refresh_expires_in")) == "0"
    return Renewal(tokens, is_last=over)


def tokens_of(kept: Mapping[str, str]) -> dict[str, Any]:
    """Return kept tokens as the fields of `Keys`."""
    ends_at = kept.get("ends_at")
    return {
        "access_token": kept["api_key"],
        "refresh_token": kept.get("refresh_token"),
        "ends_at": parse_instant(ends_at) if ends_at else None,
    }


def _ends_at(body: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when a token ends: `expire_time` (epoch, ms), else `expires_in` (s) from now; None for what cannot be."""
    latest = now + timedelta(seconds=_LONGEST_S)
    moment = _number(body.get("expire_time"))
    if moment is not None and now.timestamp() * 1000 < moment <= latest.timestamp() * 1000:
        return datetime.fromtimestamp(moment / 1000, UTC)
    seconds = _number(body.get("expires_in"))
    return now + timedelta(seconds=seconds) if seconds is not None and 0 < seconds <= _LONGEST_S else None


def _number(value: Any) -> int | None:
    shown = str(value)
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) <= 15 else None  # noqa: PLR2004 (ms of any date)
