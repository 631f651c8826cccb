"""Finding the operation of a path: werkzeug's Map for paths with variables, a dictionary in front for those without."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, MapAdapter, Rule

from shared.core.once import once
from shared.core.values import dataclass, field
from shared.http.router import Operation, Router

__all__ = ["Found", "Place", "Table"]

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class Place:
    """One path with its operations by verb."""

    pattern: str
    operations: dict[str, Operation] = field(default_factory=dict)
    closed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Variables with a closed set of words (`{source}`) and what the words mean; any other word is an unknown path."""

    @property
    def allow(self) -> str:
        """Return the verbs that are answered here, as the Allow header names them."""
        verbs = set(self.operations) | {"OPTIONS"} | ({"HEAD"} if "GET" in self.operations else set())
        return ", ".join(sorted(verbs))


@dataclass(frozen=True, slots=True)
class Found:
    """A place and the values of its variables."""

    place: Place
    arguments: Mapping[str, Any]


class _Matched(Rule):
    """A rule that matches paths and builds none: werkzeug writes and compiles two functions for each rule that would."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - theirs
        return _build_nothing


def _build_nothing(rule: Rule, **_: Any) -> tuple[str, str]:
    """Refuse to build a path."""
    raise NotImplementedError(f"{rule.rule} is only matched")


class Table:
    """All operations of some routers by path. Literal segments win over variables, slashes at the end are ignored."""

    def __init__(self, routers: Iterable[Router]) -> None:
        """Collect the operations; refuse two for one verb and path."""
        self.operations = [operation for router in routers for operation in router.operations]
        self.places: dict[str, Place] = {}
        for operation in self.operations:
            for path in operation.paths:
                self._add(path, operation)
        self._plain = {path: Found(place, _NOTHING) for path, place in self.places.items() if "{" not in path}

    def _add(self, path: str, operation: Operation) -> None:
        place = self.places.setdefault(path, Place(path))
        if operation.method in place.operations:
            other = place.operations[operation.method].name
            raise ValueError(f"{operation.method} {path} is declared twice: {other} and {operation.name}")
        place.operations[operation.method] = operation
        for name, annotation in operation.arguments.items():
            words = _closed(annotation)
            if words is not None:
                place.closed[name] = words

    @once
    def _dynamic(self) -> MapAdapter:
        """Return what knows the paths with variables, made when the first path is asked for that is none of the plain ones."""
        rules = [_Matched(_VARIABLE.sub(r"<\1>", path), endpoint=path) for path in self.places if "{" in path]
        known = Map(rules, strict_slashes=False, merge_slashes=False, redirect_defaults=False)
        known.update()
        return MapAdapter(known, "", "/", "", "http", "/", "GET")

    def find(self, path: str) -> Found | None:
        """Return where a path leads; the path has no slash at its end."""
        plain = self._plain.get(path)
        if plain is not None:
            return plain
        try:
            pattern, given = self._dynamic.match(path)
            place, arguments = self.places[pattern], dict(given)
            for name, words in place.closed.items():
                arguments[name] = words[arguments[name]]
        except (NotFound, KeyError):
            return None
        return Found(place, arguments)


def _closed(annotation: Any) -> Mapping[str, Any] | None:
    """Return the values of an annotation with a closed set of words by word: an enum of texts, or a Literal."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {str(member.value): member for member in annotation}
    if get_origin(annotation) is Literal:
        return {str(word): word for word in get_args(annotation)}
    return None
