"""Faults: the words a simulator can be told to misbehave with, and the queue that says which request gets which.

The words are those of the HTTP contract (section 6). A fault waits `after` matching requests, then spoils `times` of them
(None: until cleared). `path` limits it to requests whose target starts so, written with or without the vendor's prefix.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from threading import Lock
from typing import Any

from shared.core.values import dataclass

__all__ = ["CLEAR", "FAULTS", "LISTING", "SIMULATORS", "Fault", "FaultQueue", "known_faults", "parse_faults"]

CLEAR = "none"
FAULTS = (
    "rate_limited",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "html_error",
    "html_ok",
    "truncated",
    "wrong_type",
    "empty_body",
    "empty_list",
    "refused",
    "reset",
    "reset_in_body",
    "slow_headers",
    "slow_body",
    "redirect",
    "token_revoked",
    "endless_pages",
    "wrong_total",
)
LISTING = frozenset({"empty_list", "endless_pages", "wrong_total"})
SIMULATORS = ("shipbob", "stord", "bigbuy", "aliexpress", "shop")
_FURTHER = {"shop": ("no_product_list", "no_sitemap", "no_products")}
_PARTS = (2, 3)


@dataclass(slots=True)
class Fault:
    """One fault in force: its word, how many requests it still spoils, how many it still lets through, and where."""

    fault: str
    times: int | None = None
    after: int = 0
    path: str = ""


def known_faults(simulator: str) -> tuple[str, ...]:
    """Return the fault words a simulator knows; raise ValueError for a simulator there is not."""
    if simulator not in SIMULATORS:
        message = f"unknown simulator {simulator!r}; there are {', '.join(SIMULATORS)}"
        raise ValueError(message)
    return FAULTS + _FURTHER.get(simulator, ())


def parse_faults(text: str) -> dict[str, list[Fault]]:
    """Read SIM_FAULTS (`name:fault` or `name:fault:times`, comma list); raise ValueError naming everything unknown."""
    found: dict[str, list[Fault]] = {}
    problems: list[str] = []
    for entry in (part.strip() for part in text.split(",") if part.strip()):
        try:
            name, fault = _entry(entry)
        except ValueError as problem:
            problems.append(str(problem))
        else:
            found.setdefault(name, []).append(fault)
    if problems:
        raise ValueError("SIM_FAULTS: " + "; ".join(problems))
    return found


def _entry(entry: str) -> tuple[str, Fault]:
    parts = entry.split(":")
    if len(parts) not in _PARTS:
        message = f"{entry!r} is not name:fault or name:fault:times"
        raise ValueError(message)
    check(parts[0], parts[1])
    return parts[0], Fault(parts[1], times=_times(entry, parts[2]) if len(parts) > 2 else None)  # noqa: PLR2004 (the third part)


def _times(entry: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        message = f"{entry!r} needs a number of times of 1 or more"
        raise ValueError(message)
    return int(text)


def check(simulator: str, word: str) -> None:
    """Raise ValueError, listing what is known, when the simulator does not know the word."""
    known = known_faults(simulator)
    if word not in known:
        message = f"{simulator} knows no fault {word!r}; it knows {', '.join(known)}"
        raise ValueError(message)


class FaultQueue:
    """The faults in force, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault behind those in force; raise ValueError for counts that make no sense."""
        if (fault.times is not None and fault.times < 1) or fault.after < 0:
            message = "times must be 1 or more (or null), after 0 or more"
            raise ValueError(message)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults in force with what is left of their counts."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def closed(self) -> bool:
        """Say whether every connection is to be refused, so that the port itself can be shut."""
        with self._lock:
            return any(_shuts(fault) for fault in self._faults)

    def next(self, matches: Callable[[Fault], bool]) -> str | None:
        """Return the word for the request at hand and count it, or None when no fault takes it."""
        with self._lock:
            for fault in self._faults:
                if not matches(fault):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                self._used(fault)
                return fault.fault
        return None

    def _used(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times == 0:
            self._faults.remove(fault)


def _shuts(fault: Fault) -> bool:
    return fault.fault == "refused" and fault.times is None and fault.after == 0 and not fault.path


def matches_path(fault: Fault, targets: Iterable[str]) -> bool:
    """Say whether one of a request's names starts with the fault's path."""
    return not fault.path or any(target.startswith(fault.path) for target in targets)
