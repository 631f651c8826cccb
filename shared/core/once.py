"""Build once, on first need, under a lock: handlers run in several threads, and services are made lazily.

`Recent` is for what is made again and again: it remembers the last so many.
"""

import threading
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar, cast, overload

__all__ = ["Recent", "later", "once"]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class once(Generic[T]):  # noqa: N801 - reads as a decorator
    """An attribute computed at most once per object, whatever the number of threads.

    `functools.cached_property` had a lock until Python 3.11 and lost it in 3.12. The lock is one per object and reentrant, so
    that what is built may need other parts of the same object.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        """Take the method that computes the value."""
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "once[T]": ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> "T | once[T]":
        """Return the value; having no `__set__`, it is found in the object itself from then on."""
        if owner is None:
            return self
        with _lock_of(owner):
            if self._name not in owner.__dict__:
                owner.__dict__[self._name] = self._make(owner)
        value: T = owner.__dict__[self._name]
        return value


_LOCKS_LOCK = threading.Lock()


def _lock_of(owner: object) -> "threading.RLock":
    """Return the object's own lock, made on first need."""
    lock = owner.__dict__.get("_once_lock")
    if lock is None:
        with _LOCKS_LOCK:
            lock = owner.__dict__.setdefault("_once_lock", threading.RLock())
    found: threading.RLock = lock
    return found


class _Later:
    """Stands for an object that is made when one of its attributes is first asked for."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._made = make, None

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the object, which is asked for once and kept."""
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


def later(make: Callable[[], T]) -> T:
    """Return what a service may be given in place of another that most of its requests do not use.

    `make` answers the same object each time, as a `once` attribute does; several threads may ask it.
    """
    return cast("T", _Later(make))


class Recent(Generic[K, T]):
    """What was made for the names asked for last: at most twice `most` of them, at least `most`.

    For what may be made twice and is never changed. No lock: a thread that comes between makes a value again, nothing else.
    """

    __slots__ = ("_most", "_new", "_old")

    def __init__(self, most: int) -> None:
        """Take how many are remembered for certain."""
        self._most = most
        self._new: dict[K, T] = {}
        self._old: dict[K, T] = {}

    def get(self, name: K) -> T | None:
        """Return what is remembered under a name."""
        found = self._new.get(name)
        if found is None:
            found = self._old.get(name)
            if found is not None:
                self.keep(name, found)
        return found

    def each(self, names: Iterable[K]) -> list[T | None]:
        """Return what is remembered under each of several names."""
        new = self._new
        return [new.get(name) or self.get(name) for name in names]

    def keep(self, name: K, value: T) -> T:
        """Remember a value, and return it."""
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
        self._new[name] = value
        return value
