"""Logs: one JSON line per event on standard output, correlated by request and trace, without secrets.

`bind` adds what every line of the present request or task says. Keys whose names sound secret lose their values, and
known secret values and tokens are cut out wherever they appear.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TextIO

from pydantic_core import to_json

from shared.core.once import later

__all__ = ["JsonFormatter", "bind", "bound", "configure", "redacted"]

HIDDEN = "[removed]"
_SHORTEST = 6
_SECRET_NAME = later(
    lambda: re.compile(r"passw|secret|token|authorization|api_?key|credential|cookie|signature|private", re.IGNORECASE)
)
# JSON web tokens and Authorization values, whoever they belong to.
_TOKEN = later(
    lambda: re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=[Bb]earer )[\w.~+/=-]{8,}|(?<=[Bb]asic )[\w+/=]{8,}")
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=_NOTHING)


@contextmanager
def bind(**facts: Any) -> Iterator[None]:
    """Add facts to every line logged inside."""
    token = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> Mapping[str, Any]:
    """Return the facts bound at present."""
    return _bound.get()


def redacted(value: Any) -> Any:
    """Return JSON-like content without the values of keys whose names sound secret."""
    if isinstance(value, Mapping):
        return {name: HIDDEN if each and _is_secret(name) else redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each) for each in value]
    return value


class JsonFormatter(logging.Formatter):
    """Writes records as Cloud Logging reads them."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        """Take the values that must appear nowhere; very short ones cannot be told from ordinary text."""
        super().__init__()
        self._hidden = _spellings(secret for secret in secrets if len(secret) >= _SHORTEST)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line: dict[str, Any] = {"severity": record.levelname, "message": record.getMessage(), "logger": record.name}
        line.update(_bound.get())
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = HIDDEN if value and _is_secret(name) else redacted(value)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return self._clean(to_json(line, fallback=str, inf_nan_mode="null").decode("utf-8", "replace"))

    def _clean(self, line: str) -> str:
        if "eyJ" in line or "earer " in line or "asic " in line:
            line = _TOKEN.sub(HIDDEN, line)
        for spelling in self._hidden:
            if spelling in line:
                line = line.replace(spelling, HIDDEN)
        return line


def configure(level: str, secrets: Collection[str] = (), stream: TextIO | None = None) -> None:
    """Send every log of this process through one handler; called by entry points, once."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


@lru_cache(maxsize=1024)
def _is_secret(name: object) -> bool:
    return _SECRET_NAME.search(str(name)) is not None


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Return secrets as they are and as JSON writes them, longest first."""
    found = {spelling for secret in secrets for spelling in (secret, json.dumps(secret)[1:-1])}
    return sorted(found, key=lambda spelling: (-len(spelling), spelling))
