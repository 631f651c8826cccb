"""What BigBuy answers, read: lists, errors that come with status 200, its words for refusals, what is left of its quotas."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.adapters.sources.reading import items, mapping, text
from shared.core.clock import instant
from shared.core.errors import Terminal, Transient

__all__ = ["failure_of", "raise_for", "rows_of", "tightest"]

_PRINTED = re.compile(r"^HTTP/[0-9.]+ ([0-9]{3})\b", re.ASCII)
_PASSING_STATUS = frozenset({408, 425, 429})
_PASSING, _EXISTS = "ER009", "ER008"
_UNAUTHORISED, _CONFLICT, _TOO_MANY, _CLIENT_ERROR, _SERVER_ERROR = 401, 409, 429, 400, 500
_LONGEST = 300


def rows_of(body: Any, where: str) -> list[Mapping[str, Any]]:
    """Return the rows of a list; raise what an error with status 200 says, Transient for anything else that is no list."""
    raise_for(body, where)
    if not isinstance(body, list):
        raise Transient("wrong_shape", f"BigBuy, {where}: answered 200 with something other than a list")
    return items(body)


def raise_for(body: Any, where: str) -> None:
    """Raise what a body with status 200 says when it is an error: a code of BigBuy's, a status, or a printed answer."""
    printed = _PRINTED.match(body) if isinstance(body, str) else None
    code = printed[1] if printed else text(mapping(body).get("code"))
    if code is None:
        return
    status = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else None  # noqa: PLR2004 (an HTTP status)
    if code.startswith("ER") or (status is not None and status >= _CLIENT_ERROR):
        raise failure_of(status or 200, mapping(body), where)


def failure_of(status: int, told: Mapping[str, Any], where: str) -> Transient | Terminal:
    """Return what an error is, by its status and by what it says of itself."""
    code, message = _code(told), _message(told)
    if status in _PASSING_STATUS or status >= _SERVER_ERROR or code in {_PASSING, _EXISTS}:
        limited = status == _TOO_MANY
        named = "rate_limited" if limited else code.lower() or f"http_{status}"
        return Transient(named, f"BigBuy, {where}: answered {code or status}, which may pass", rate_limited=limited)
    if status == _UNAUTHORISED:
        return Terminal("credentials_rejected", f"BigBuy, {where}: the credentials were refused (401)")
    if status == _CONFLICT and mapping(told.get("error_detail")).get("warehouses"):
        return Terminal("several_warehouses", "BigBuy keeps these products in several warehouses; order them apart.")
    return Terminal(code.lower() or f"http_{status}", f"BigBuy, {where}: {message or code or status}"[:_LONGEST])


def tightest(told: Mapping[str, Mapping[str, str]], now: datetime) -> Mapping[str, Any] | None:
    """Return, of what was told of quotas by path, the one with the fewest calls left that does not begin anew by now."""
    found = [one for path, headers in told.items() if (one := _quota(path, headers, now)) is not None]
    return min(found, key=lambda one: (one["remaining"], one["endpoint"])) if found else None


def _quota(path: str, headers: Mapping[str, str], now: datetime) -> dict[str, Any] | None:
    limit, remaining, reset = (_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
    if remaining is None or reset is None or reset <= now.timestamp():
        return None
    resets_at = instant(datetime.fromtimestamp(reset, UTC))
    return {"endpoint": path, "limit": limit, "remaining": remaining, "resets_at": resets_at}


def _number(value: str | None) -> int | None:
    shown = (value or "").strip()
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) <= 11 else None  # noqa: PLR2004 (seconds of any date)


def _code(told: Mapping[str, Any]) -> str:
    code = text(told.get("code")) or ""
    return code if code.startswith("ER") else ""


def _message(told: Mapping[str, Any]) -> str | None:
    """Return the words of an error; they may be JSON themselves, or hang below the fields they are about."""
    message = text(told.get("message"))
    if message and message.startswith("{"):
        try:
            message = text(mapping(json.loads(message)).get("info")) or message
        except (ValueError, RecursionError):
            return message
    return "; ".join(_below(mapping(told.get("errors")).get("children"), "")) or message


def _below(children: Any, at: str) -> Sequence[str]:
    """Return `field: reason` for the nested errors of a validation."""
    found: list[str] = []
    for name, child in mapping(children).items():
        path = f"{at}.{name}" if at else str(name)
        reasons = mapping(child).get("errors")
        found += [f"{path}: {reason}" for reason in (reasons if isinstance(reasons, list) else [])]
        if at.count(".") < 3:  # noqa: PLR2004 (deeper than any form)
            found += _below(mapping(child).get("children"), path)
    return found
