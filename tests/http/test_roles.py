"""T02: every operation against every kind of caller; the control opens the default access and must be seen."""

from dataclasses import replace

from tests.client import Client
from tests.http.builders import Kernel, a_kernel, a_router
from tests.http.roles import ANYBODY, Cell, matrix, wrong


def clients(kernel: Kernel) -> dict[str, Client]:
    """Return a client for each kind of caller."""
    return {who: kernel.client if who == "none" else kernel.as_(who) for who in ANYBODY}


def cells(kernel: Kernel) -> list[Cell]:
    """Run the whole matrix."""
    return list(matrix([a_router()], clients(kernel)))


def test_every_operation_answers_every_role_as_declared() -> None:
    kernel = a_kernel()

    seen = cells(kernel)

    print(f"{len(seen)} calls")
    assert len(seen) == 16 * len(ANYBODY)
    assert wrong(seen) == []
    assert kernel.app.documents.counts.writes == 0


def test_control_an_operation_opened_to_everybody_is_seen() -> None:
    opened = a_router()
    opened.operations = [replace(operation, access="public") for operation in opened.operations]
    kernel = a_kernel([opened])

    assert {cell.operation for cell in wrong(cells(kernel))} >= {"things.list_things", "things.only_admins"}
