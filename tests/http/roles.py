"""The role matrix: what every operation answers to every kind of caller, derived from its declared access."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.core.caller import Role
from shared.http.router import Operation, Router
from shared.http.table import Table
from tests.client import Client

__all__ = ["ANYBODY", "Cell", "matrix", "wrong"]

ANYBODY = ("none", "expired", *(role.value for role in Role))
_GUARDED = {401, 403}


class Cell(NamedTuple):
    """One operation on one path, one kind of caller, and what came back."""

    operation: str
    access: str
    path: str
    caller: str
    status: int


def matrix(routers: Iterable[Router], client_of: Mapping[str, Client]) -> Iterator[Cell]:
    """Call every path of every operation as every kind of caller.

    Bodies are not JSON and variables are unknown ids, so that whoever passes the guard is refused behind it without effect.
    """
    for operation in Table(routers).operations:
        for path in operation.paths:
            real = _filled(path, operation)
            for caller, client in client_of.items():
                body = b"{" if operation.is_unsafe else b""
                media = {"Content-Type": operation.accepts[0]} if body else {}
                answer = client.send(operation.method, real, body, headers=media)
                yield Cell(operation.name, operation.access, path, caller, answer.status)


def wrong(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells that are not what the declared access says."""
    return [cell for cell in cells if not _fits(cell.status, expected(cell))]


def expected(cell: Cell) -> int | None:
    """Return 401, 403, or None for: past the guard."""
    if cell.access == "public":
        return None
    if cell.access == "internal" or cell.caller in {"none", "expired"}:
        return 401
    return None if Role(cell.caller).includes(Role(cell.access)) else 403


def _fits(status: int, wanted: int | None) -> bool:
    return status == wanted if wanted is not None else status not in _GUARDED


def _filled(path: str, operation: Operation) -> str:
    for name in operation.arguments:
        path = path.replace(f"{{{name}}}", "stord" if name == "source" else "unknown-id")
    return path
