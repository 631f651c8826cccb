"""Dataclasses compiled on first use mean what the standard library's mean, and cost a start nothing."""

import copy
import dataclasses
import pickle
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from shared.core.values import dataclass, field, lent

ROOT = Path(__file__).resolve().parents[3]

WORDS = st.fixed_dictionaries(
    {
        "frozen": st.booleans(),
        "slots": st.booleans(),
        "eq": st.booleans(),
        "repr": st.booleans(),
        "kw_only": st.booleans(),
    }
)
FIELDS = st.lists(st.sampled_from(["plain", "default", "factory", "hidden", "uncompared", "kept"]), max_size=5)


@dataclass(frozen=True, slots=True)
class Point:
    """A value with all that matters."""

    x: int
    y: int = 2
    tags: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Base:
    """Has a field that its heirs have too."""

    name: str


@dataclass(frozen=True)
class Heir(Base):
    """Adds a field and checks both."""

    size: int = 0

    def __post_init__(self) -> None:
        """Refuse what is negative."""
        if self.size < 0:
            raise ValueError("size")


@given(WORDS, FIELDS, st.lists(st.integers(0, 2), max_size=6))
def test_it_behaves_as_the_standard_library_does(words: dict[str, bool], kinds: list[str], values: list[int]) -> None:
    ours, theirs = dataclass(_class(kinds), **words), dataclasses.dataclass(_class(kinds), **words)
    names = [each.name for each in dataclasses.fields(theirs) if each.init]
    named = dict(zip(names, values, strict=False))

    for places, given_ in ((values, {}), ([], named), ([], {**named, "unknown": 1})):
        assert _behaviour(ours, places, given_) == _behaviour(theirs, places, given_)


def _class(kinds: list[str]) -> Any:
    """Return a class whose fields with a default follow those without."""
    ordered = sorted(kinds, key=lambda kind: kind != "plain")
    made: dict[str, Callable[[], Any]] = {
        "default": lambda: 1,
        "factory": lambda: field(default_factory=list),
        "hidden": lambda: field(default=3, repr=False),
        "uncompared": lambda: field(default=4, compare=False),
        "kept": lambda: field(default=5, init=False),
    }
    names = {f"f{position}": kind for position, kind in enumerate(ordered)}
    values = {name: made[kind]() for name, kind in names.items() if kind != "plain"}
    said = {"__annotations__": dict.fromkeys(names, Any), "__doc__": "Made.", "__module__": __name__}
    return type("Made", (), {**said, **values})


def _behaviour(kind: Any, given: list[int], named: dict[str, int]) -> list[Any]:
    """Return all that can be seen of objects of a class."""
    try:
        made, twin = kind(*given, **named), kind(*given, **named)
    except TypeError:
        return ["refused"]
    seen = [getattr(made, each.name) for each in dataclasses.fields(made)]
    text = repr(made) if "__repr__" in vars(kind) else "the object's own"
    return [seen, text, made == twin, made == object(), dataclasses.asdict(made), _tried(hash, made, twin), _set(made)]


def _tried(do: Any, made: Any, twin: Any) -> Any:
    try:
        return do(made) == do(twin)
    except TypeError:
        return "unhashable"


def _set(made: Any) -> Any:
    names = [each.name for each in dataclasses.fields(made)]
    if not names:
        return "nothing to set"
    try:
        setattr(made, names[0], 9)
        delattr(made, names[0])
    except (dataclasses.FrozenInstanceError, AttributeError) as refused:
        return str(refused) if isinstance(refused, dataclasses.FrozenInstanceError) else "no such place"
    return "changed"


def test_values_are_replaced_copied_and_pickled() -> None:
    point = Point(1, tags=("a",))

    assert dataclasses.replace(point, y=5) == Point(1, 5, ("a",))
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point  # noqa: S301 - made one line above
    assert {point: "found"}[Point(1, 2, ("a",))] == "found"


def test_an_heir_takes_its_parents_fields_first_and_checks_itself() -> None:
    assert Heir("a", 2).name == "a"
    assert repr(Heir("a", 2)) == "Heir(name='a', size=2)"
    with pytest.raises(ValueError, match="size"):
        Heir("a", -1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        Heir("a").name = "b"  # type: ignore[misc]


def test_methods_written_by_hand_stay() -> None:
    @dataclass(frozen=True, slots=True)
    class Named:
        name: str

        def __repr__(self) -> str:
            return self.name

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Named)

        def __hash__(self) -> int:
            return 7

    assert (repr(Named("a")), Named("a") == Named("b"), hash(Named("a"))) == ("a", True, 7)


def test_threads_that_meet_at_the_first_use_all_get_their_object() -> None:
    for _ in range(20):
        kind = dataclass(_class(["plain", "factory"]), frozen=True, slots=True)
        made: list[Any] = []
        threads = [threading.Thread(target=lambda kind=kind, made=made: made.append(kind(1))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert made == [kind(1)] * 8


def test_nothing_is_compiled_before_the_first_use() -> None:
    kind = dataclass(_class(["plain"]), frozen=True)
    before = kind.__init__

    kind(1)

    assert before.__code__.co_varnames != kind.__init__.__code__.co_varnames
    assert kind.__init__.__code__.co_varnames == ("self", "f0")


def test_lent_dataclasses_are_given_back_whatever_happens() -> None:
    own = dataclasses.dataclass
    with lent():
        quick = dataclasses.dataclass(frozen=True)(_class(["plain"]))
        ordered = dataclasses.dataclass(order=True)(_class(["plain"]))
    with pytest.raises(ZeroDivisionError), lent():
        _ = 1 / 0

    assert dataclasses.dataclass is own
    assert quick.__init__.__code__.co_varnames[0] == "self"
    assert (quick(1) == quick(1), ordered(1) < ordered(2)) == (True, True)


def test_the_validation_library_is_the_same_with_lent_dataclasses(tmp_path: Path) -> None:
    """What its own dataclasses hold, say and refuse, in a process that starts as ours do and in one that does not."""
    asked = "import annotated_types as a, pydantic as p, pydantic.types as t, dataclasses as d\n" + "\n".join(
        f"print(repr(({each})))"
        for each in (
            "a.Interval(ge=1, lt=5)",
            "list(a.Interval(ge=1, lt=5))",
            "a.Len(1, 2) == a.Len(1, 2), hash(a.Gt(1)) == hash(a.Gt(1)), a.Gt(1) == a.Ge(1)",
            "p.StringConstraints(min_length=1, pattern='x')",
            "d.fields(t.StringConstraints)[0].name, d.replace(a.Gt(1), gt=2)",
            "p.TypeAdapter(t.conint(ge=1)).json_schema()",
            "p.AliasChoices('a', p.AliasPath('b', 0)).convert_to_aliases()",
            "p.PlainSerializer(str, return_type=str).return_type",
        )
    )

    ours, theirs = (_printed(f"{first}\n{asked}", tmp_path) for first in ("import shared", ""))

    assert ours == theirs
    assert len(ours.splitlines()) == 8


def test_the_validation_librarys_typed_dictionaries_are_the_same_when_they_are_made_quickly(tmp_path: Path) -> None:
    """Keys, totality and required keys of every one, in a process that starts as ours do and in one that does not."""
    asked = """
import importlib, typing_extensions
for module in map(importlib.import_module, ("pydantic_core.core_schema", "pydantic.config", "pydantic.fields", "pydantic.json_schema")):
    for name, kind in vars(module).items():
        if typing_extensions.is_typeddict(kind) and kind.__module__ == module.__name__:
            texts = {key: getattr(text, "__forward_arg__", text) for key, text in kind.__annotations__.items()}
            keys = sorted(kind.__required_keys__), sorted(kind.__optional_keys__)
            print(name, kind.__qualname__, kind.__mro__[1:], kind.__total__, keys, texts, kind(a=1), kind.__doc__)
"""
    ours, theirs = (_printed(f"{first}\n{asked}", tmp_path) for first in ("import shared", ""))

    assert ours == theirs
    assert ours.count("Schema ") > 50


def test_a_quick_typed_dictionary_is_given_back_and_leaves_other_words_to_the_standard_library() -> None:
    own = typing_extensions.TypedDict
    with lent():
        quick: Any = typing_extensions.TypedDict
        called = quick("called", {"a": int})
        parent = _typed(quick, {"a": "int"}, total=False)
        heir = _typed(parent, {"b": "str"})
        ordinary = _typed(quick, {"a": int})
        closed = _typed(quick, {"a": "int"}, closed=True)

    assert typing_extensions.TypedDict is own
    assert [typing_extensions.is_typeddict(kind) for kind in (called, ordinary, closed, heir)] == [True] * 4
    assert (ordinary.__annotations__, closed.__closed__) == ({"a": int}, True)
    assert (heir.__required_keys__, heir.__optional_keys__, heir.__total__) == ({"b"}, {"a"}, True)
    assert (heir.__annotations__, heir(b="x")) == ({"a": "int", "b": "str"}, {"b": "x"})


def _typed(base: Any, annotations: dict[str, Any], **words: bool) -> Any:
    return types.new_class("Typed", (base,), words, lambda body: body.update(__annotations__=annotations))


def test_a_class_without_a_docstring_costs_no_parsing_of_signatures() -> None:
    @dataclass(frozen=True)
    class Bare:
        name: str

    assert (Bare.__doc__, Bare("a").name) == ("Bare", "a")


def _printed(source: str, folder: Path) -> str:
    (folder / "asked.py").write_text(source)
    line = [sys.executable, str(folder / "asked.py")]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)}, timeout=60)
    return done.stdout
