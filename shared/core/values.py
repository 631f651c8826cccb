"""Dataclasses whose methods are compiled when one of them is first used: a drop-in for `dataclasses.dataclass`.

The standard library compiles up to eight methods of a class, one by one, when the class is made: 0.45 ms for a frozen one with
slots. A cold start makes a hundred such classes and uses a dozen. Here making a class costs 0.03 ms. Fields, order, defaults,
`replace`, `fields` and `asdict` are the standard library's own; `order`, `unsafe_hash`, `InitVar` and the guard of `repr` against
values that hold themselves are left out.

    from shared.core.values import dataclass, field
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, FrozenInstanceError, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import typing_extensions

__all__ = ["dataclass", "field", "lent"]

Method = Callable[..., Any]
_FACTORY = object()
_GETTERS: dict[type, Method] = {}


class _Words(NamedTuple):
    """What a declaration says."""

    frozen: bool = False
    slots: bool = False
    eq: bool = True
    repr: bool = True
    kw_only: bool = False


def _dataclass(kind: Any = None, /, **words: bool) -> Any:
    said = _Words(**words)
    return (lambda kind: _made(kind, said)) if kind is None else _made(kind, said)


def _made(kind: type, said: _Words) -> Any:
    own = frozenset(vars(kind))
    # Without one the standard library makes one of the signature of `object.__init__`, which says nothing.
    if not kind.__doc__:
        kind.__doc__ = kind.__name__
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=said.slots, kw_only=said.kw_only)(kind)
    methods: dict[str, Method | None] = {"__init__": _waiting_init(made, said)}
    if said.repr:
        methods["__repr__"] = _repr
    if said.eq:
        methods |= {"__eq__": _eq, "__hash__": _hash if said.frozen else None}
    if said.frozen:
        methods |= _frozen(made, said)
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _waiting_init(made: Any, said: _Words) -> Method:
    """Return an `__init__` that puts the compiled one in its own place and calls it."""

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:  # noqa: N807 - it stands for one
        made.__init__ = compiled = _compiled(made, said)
        compiled(self, *given, **named)

    return __init__


def _compiled(made: type, said: _Words) -> Method:
    known: dict[str, Any] = {"_factory": _FACTORY, "_set": object.__setattr__}
    lines: list[str] = []
    places: list[str] = []
    named: list[str] = []
    for each in fields(made):
        lines += _assignment(made, each, known, said)
        if each.init:
            (named if each.kw_only else places).append(_parameter(each, known))
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *places, *(["*", *named] if named else [])])
    body = "\n ".join(lines) or "pass"
    exec(f"def __init__({parameters}):\n {body}", known)  # noqa: S102 - made of the names of fields and of nothing else
    init: Method = known["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _parameter(each: "Field[Any]", known: dict[str, Any]) -> str:
    if each.default is not MISSING:
        known[f"_default_{each.name}"] = each.default
        return f"{each.name}=_default_{each.name}"
    return f"{each.name}=_factory" if each.default_factory is not MISSING else each.name


def _assignment(made: type, each: "Field[Any]", known: dict[str, Any], said: _Words) -> list[str]:
    """Return the line that gives a field its value; none for a field that is no parameter and has no value of its own."""
    name = value = each.name
    if each.default_factory is not MISSING:
        known[f"_make_{name}"] = each.default_factory
        value = f"_make_{name}() if {name} is _factory else {name}" if each.init else f"_make_{name}()"
    elif not each.init:
        if each.default is MISSING or not said.slots:
            return []
        known[f"_default_{name}"] = each.default
        value = f"_default_{name}"
    if not said.frozen:
        return [f"self.{name} = {value}"]
    slot = getattr(getattr(made, name, None), "__set__", None) if said.slots else None
    if slot is None:
        return [f"_set(self, {name!r}, {value})"]
    known[f"_set_{name}"] = slot
    return [f"_set_{name}(self, {value})"]


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: object, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    values = _values(self.__class__)
    return values(self) == values(other)


def _hash(self: object) -> int:
    return hash(_values(self.__class__)(self))


def _values(kind: Any) -> Method:
    """Return what gets the compared fields of such an object."""
    found = _GETTERS.get(kind)
    if found is None:
        names = [each.name for each in fields(kind) if each.compare]
        found = _GETTERS[kind] = attrgetter(*names) if names else lambda _: ()
    return found


def _frozen(made: Any, said: _Words) -> Mapping[str, Method]:
    """Return what refuses changes, and what copies and pickles need in its stead."""

    def refuse(self: Any, verb: str, name: str) -> None:
        if type(self) is made or any(name == each.name for each in fields(made)):
            raise FrozenInstanceError(f"cannot {verb} field {name!r}")

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        refuse(self, "assign to", name)
        super(made, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        refuse(self, "delete", name)
        super(made, self).__delattr__(name)

    methods: dict[str, Method] = {"__setattr__": __setattr__, "__delattr__": __delattr__}
    if said.slots:
        methods |= {"__getstate__": _getstate, "__setstate__": _setstate}
    return methods


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


class _QuickKeys(typing._TypedDictMeta):  # type: ignore[name-defined,misc] # noqa: SLF001 - what tells such a class from others
    """The class of typed dictionaries whose annotations are texts, which are kept and not looked at.

    The standard library compiles each text by itself when the class is made. Keys, totality and required keys are the same.
    """

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any], *, total: bool = True, **words: Any
    ) -> Any:
        """Return a class of dictionaries; other words, and annotations that are no texts, are the standard library's."""
        said = body.get("__annotations__", {})
        if words or not all(isinstance(each, str) for each in said.values()):
            own = tuple(_TYPED_DICT if base is _NO_KEYS else base for base in bases)
            return types.new_class(name, own, {"total": total, **words}, lambda made: made.update(body))
        made: Any = type.__new__(cls, name, (dict,), body)
        before = [vars(base) for base in bases]
        required = {key for each in before for key in each["__required_keys__"]}
        optional = {key for each in before for key in each["__optional_keys__"]}
        (required if total else optional).update(said)
        made.__annotations__ = {key: text for each in before for key, text in each["__annotations__"].items()} | said
        made.__total__, made.__required_keys__ = total, frozenset(required)
        made.__optional_keys__ = frozenset(optional)
        return made


class _QuickTypedDict:
    """Stands for `TypedDict` as a base class; the words of a call go to the standard library's."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (_NO_KEYS,)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._own(*given, **named)


_TYPED_DICT: Any = typing_extensions.TypedDict
_NO_KEYS: type = _QuickKeys("TypedDict", (), {})


@contextmanager
def lent() -> Iterator[None]:
    """Give what is imported meanwhile these dataclasses, and quick typed dictionaries, under the standard library's names.

    For libraries that make many at import and use few. Only while a process starts, before it has threads; words that are not
    understood here still go to the standard library.
    """
    own = dataclasses.dataclass
    typed = {module: module.TypedDict for module in (typing, typing_extensions)}

    def either(kind: Any = None, /, **words: Any) -> Any:
        make: Any = _dataclass if words.keys() <= set(_Words._fields) else own
        return make(kind, **words) if kind is not None else make(**words)

    dataclasses.dataclass = either
    for module, kind in typed.items():
        vars(module)["TypedDict"] = _QuickTypedDict(kind)
    try:
        yield
    finally:
        dataclasses.dataclass = own
        for module, kind in typed.items():
            vars(module)["TypedDict"] = kind
