"""One environment variable: its name, how its text is read, what it means. `settings` is made of these."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.core.caller import Role
from shared.core.money import is_currency
from shared.core.values import dataclass, field

__all__ = [
    "Variable",
    "address",
    "choice",
    "currency",
    "flag",
    "items",
    "role",
    "secret",
    "secret_name",
    "text",
    "url",
    "variable",
    "whole",
]

Read = Callable[[str], Any]
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_ROLES = {"user": Role.OPERATOR, "store_manager": Role.OPERATOR, "regional_manager": Role.MANAGER}


@dataclass(frozen=True, slots=True)
class Variable:
    """How one setting comes in. `read` raises ValueError with a sentence that names the fix."""

    sentence: str
    read: Read
    default: Any = None
    in_cloud: Any = ...
    """The default in the cloud, where it differs."""
    also: tuple[str, ...] = ()
    """Other names it is read from when its own is absent."""
    secret: bool = False
    local_only: bool = False
    shown: str = ""
    """How tables show the default, where its value does not say it."""


def variable(sentence: str, read: Read, default: Any = None, **facts: Any) -> Any:
    """Return a dataclass field that carries its variable; Any, so that the field keeps its own annotation."""
    made = Variable(sentence, read, default, **facts)
    return field(default=default, metadata={"variable": made})


def text(value: str) -> str:
    """Read any text."""
    return value.strip()


def secret(value: str) -> str:
    r"""Read a secret as it is; PEM blocks may have their line ends written as `\n`."""
    return value.replace("\\n", "\n") if value.startswith("-----BEGIN") else value


def flag(value: str) -> bool:
    """Read yes or no."""
    word = value.strip().lower()
    if word not in _WORDS:
        raise ValueError("use true or false")
    return _WORDS[word]


def whole(least: int, most: int) -> Read:
    """Read a whole number within bounds."""

    def read(value: str) -> int:
        digits = value.strip()
        if not (digits.isascii() and digits.isdigit() and least <= int(digits) <= most):
            raise ValueError(f"use a whole number from {least} to {most}")
        return int(digits)

    return read


def items(value: str) -> tuple[str, ...]:
    """Read a comma-separated list."""
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def choice(*words: str) -> Read:
    """Read one of some words."""

    def read(value: str) -> str:
        word = value.strip().lower()
        if word not in words:
            raise ValueError(f"use one of {', '.join(words)}")
        return word

    return read


def currency(value: str) -> str:
    """Read a currency code."""
    code = value.strip()
    if not is_currency(code):
        raise ValueError("use a code of ISO 4217 in capitals, such as EUR")
    return code


def role(value: str) -> Role:
    """Read a role by its name or by an older backend's word for it."""
    word = value.strip().lower()
    known: Mapping[str, Role] = {each.value: each for each in Role} | _ROLES | {"super_admin": Role.ADMIN}
    if word not in known:
        raise ValueError(f"use one of {', '.join(each.value for each in Role)}")
    return known[word]


def url(*shapes: str) -> Read:
    """Read a backend's URL, of one of the shapes `scheme://` or `scheme://a/b`."""

    def read(value: str) -> str:
        found = value.strip()
        if not any(_has_shape(found, shape) for shape in shapes):
            raise ValueError(f"use {' or '.join(shapes)}")
        return found

    return read


def _has_shape(value: str, shape: str) -> bool:
    """Say whether a URL has a shape: the same scheme, and as many named parts after it."""
    scheme, _, rest = shape.partition("://")
    start = f"{scheme}://"
    if not value.startswith(start):
        return False
    given = value.removeprefix(start)
    if rest.startswith("/"):
        return given.startswith("/") and len(given) > 1
    return [bool(part) for part in given.split("/")] == [bool(part) for part in rest.split("/")]


def address(value: str) -> str:
    """Read an http(s) address."""
    found = value.strip().rstrip("/")
    parts = urlsplit(found)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("use an address such as https://example.com")
    return found


def secret_name(value: str) -> str:
    """Read the name of a secret in Secret Manager."""
    found = value.strip()
    parts = found.split("/")
    if len(parts) != 4 or parts[::2] != ["projects", "secrets"] or not all(parts):  # noqa: PLR2004 - two names, two values
        raise ValueError("use a name such as projects/P/secrets/S")
    return found
