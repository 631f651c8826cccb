"""Reading query strings: converted by the types of the query model, bounded, then validated as strictly as a body."""

import re
from collections.abc import Callable
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json, to_json

from shared.core.errors import BadRequest, FieldError, ValidationFailed
from shared.core.once import later
from shared.core.page import PageQuery
from shared.core.values import dataclass

__all__ = ["Pairs", "QueryReader", "pairs", "texts_of", "unknown_parameters"]

Pairs = list[tuple[str, str]]

MOST_VALUE = 200
MOST_SEARCH = 100
MOST_CURSOR = 2000
MOST_KEYS = 100
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = later(lambda: re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?"))
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NOT_FILTERS = frozenset(PageQuery.model_fields) | {"search"}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def pairs(query_string: bytes) -> Pairs:
    """Return the parameters in order; raise BadRequest when they are not percent-encoded UTF-8."""
    if not query_string:
        return []
    try:
        text = query_string.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_KEYS)
    except ValueError:
        detail = f"The query is not percent-encoded UTF-8 of at most {MOST_KEYS} parameters."
        raise BadRequest(detail, errors=(FieldError("query:", "invalid", detail),)) from None


def unknown_parameters(given: Pairs) -> list[FieldError]:
    """Return the refusals of an operation that knows no parameters."""
    return [_error(name, "unknown_parameter", "This parameter is not known here.") for name in dict(given)]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How the texts of one parameter become a JSON value."""

    is_list: bool
    convert: Callable[[str], Any]
    most: int
    knows_all: bool
    """Whether the word `all` is a value of its own; else it means: no filter."""


def texts_of(model: type[BaseModel], given: Pairs) -> dict[str, Any]:
    """Return what a query string says for a body of this model, as JSON values: for paths that take either.

    A list may be repeated, comma-separated or JSON text. Empty values and names the model does not know are left out; the
    bounds are those of the model.
    """
    known = {
        spelling: (name, info)
        for name, info in model.model_fields.items()
        for spelling in _spellings(name, info, model)
    }
    values: dict[str, Any] = {}
    for name, text in given:
        if name in known and text:
            parameter = _parameter(*known[name])
            if parameter.is_list:
                values.setdefault(name, []).extend(_elements(text, parameter))
            else:
                values[name] = parameter.convert(text)
    return values


def _elements(text: str, parameter: "_Parameter") -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            content = from_json(text)
        except ValueError:
            return [text]
        return list(content)
    return [parameter.convert(each) for each in text.split(",")]


class QueryReader:
    """Reads the query string of one operation."""

    def __init__(self, model: type[BaseModel]) -> None:
        """Look at the model's fields once; a field is known by its alias, or by each of its alias choices."""
        self._model = model
        self._parameters: dict[str, _Parameter] = {}
        for name, info in model.model_fields.items():
            parameter = _parameter(name, info)
            self._parameters |= dict.fromkeys(_spellings(name, info, model), parameter)

    def read(self, given: Pairs, *, legacy: bool) -> BaseModel:
        """Return the parameters as a model; raise ValidationFailed (for an over-long cursor: BadRequest)."""
        errors: list[FieldError] = []
        values = self._values(given, errors, legacy=legacy)
        extra: Any = "ignore" if legacy else "forbid"
        try:
            made = self._model.model_validate_json(
                to_json(values), strict=True, extra=extra, context={"legacy": legacy}
            )
        except ValidationError as refused:
            raise _refusal(errors, refused) from None
        if errors:
            raise _refusal(errors)
        return made

    def _values(self, given: Pairs, errors: list[FieldError], *, legacy: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, text in given:
            parameter = self._parameters.get(name)
            if parameter is None:
                values[name] = None
            elif _CONTROL.search(text):
                errors.append(_error(name, "control_character", "Control characters are not allowed."))
            elif text or not legacy:
                _take(values, errors, name, text, parameter)
        return {name: value for name, value in values.items() if value is not _ALL}


_ALL = object()


def _take(values: dict[str, Any], errors: list[FieldError], name: str, text: str, parameter: _Parameter) -> None:
    """Add one text of the query to the values."""
    texts = text.split(",") if parameter.is_list else [text]
    if any(len(each) > parameter.most for each in texts):
        errors.append(_too_long(name, parameter.most))
    if "all" in texts and not parameter.knows_all:
        values[name] = _ALL
    elif parameter.is_list:
        if values.get(name) is not _ALL:
            values.setdefault(name, []).extend(parameter.convert(each) for each in texts)
    elif name in values:
        errors.append(_error(name, "repeated", "Give this parameter once."))
    else:
        values[name] = parameter.convert(text)


def _too_long(name: str, most: int) -> FieldError:
    if name == "cursor":
        detail = "This cursor is not one of ours."
        raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
    return _error(name, "too_long", f"Give at most {most} characters.")


def _error(name: str, code: str, message: str) -> FieldError:
    from shared.http.problems import query_pointer

    return FieldError(query_pointer(name), code, message)


def _refusal(errors: list[FieldError], refused: ValidationError | None = None) -> ValidationFailed:
    from shared.http.problems import field_errors, validation_failed

    told = {error.pointer for error in errors}
    more = [] if refused is None else field_errors(refused, None)
    return validation_failed([*errors, *(error for error in more if error.pointer not in told)])


def _spellings(name: str, info: FieldInfo, model: type[BaseModel]) -> list[str]:
    choices = info.validation_alias
    if isinstance(choices, AliasChoices):
        return [choice for choice in choices.choices if isinstance(choice, str)]
    if not isinstance(choices, str):
        return [name]
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    return [choices, name] if by_name else [choices]


def _parameter(name: str, info: FieldInfo) -> _Parameter:
    kind = _without_none(info.annotation)
    is_list = get_origin(kind) in {list, tuple, set, frozenset}
    element = _without_none(get_args(kind)[0]) if is_list else kind
    is_filter = name not in _NOT_FILTERS and not info.is_required() and (is_list or info.default is None)
    return _Parameter(
        is_list=is_list,
        convert=_converter(element),
        most={"cursor": MOST_CURSOR, "search": MOST_SEARCH}.get(name, MOST_VALUE),
        knows_all=not is_filter or "all" in _words(element),
    )


def _without_none(annotation: Any) -> Any:
    """Return the type behind `Annotated` and `| None`."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in {Union, UnionType}:
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _without_none(members[0]) if len(members) == 1 else annotation
    return annotation


def _words(kind: Any) -> set[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {str(member.value) for member in kind}
    return set(map(str, get_args(kind))) if get_origin(kind) is Literal else set()


def _converter(kind: Any) -> Callable[[str], Any]:
    if kind is bool:
        return lambda text: _BOOLEANS.get(text, text)
    if kind is int or (isinstance(kind, type) and issubclass(kind, int)):
        return lambda text: int(text) if _INTEGER.fullmatch(text) else text
    if kind is float:
        return lambda text: float(text) if _NUMBER.fullmatch(text) else text
    return str
