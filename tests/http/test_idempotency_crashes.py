"""I03 and I04: crashes and abandoned keys. Each has a control, a broken variant that must fail the same check."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.http.context import Context
from shared.http.idempotency import LEASE, Idempotency
from shared.ports.documents import Stored, Write
from tests.client import Answered
from tests.http.builders import FakeApp, Kernel, a_kernel
from tests.http.effects import an_effect, beside, effects, elsewhere, send, with_records

# I03, crashes


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """Documents of a process that dies before or after its nth commit and does nothing from then on."""

    def __init__(self, app: FakeApp, commits: int, *, before: bool) -> None:
        """Stand in front of the application's documents."""
        self._real, self._left, self._before, self._dead = app.documents, commits, before, False
        self.counts = app.documents.counts
        app.store.documents = self

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Commit, unless dead."""
        self._left -= 1
        if self._dead or (self._before and self._left == 0):
            self._dead = True
            raise Killed
        versions = self._real.commit(writes)
        if self._left == 0:
            self._dead = True
            raise Killed
        return versions

    def __getattr__(self, name: str) -> Any:
        """Read, unless dead."""
        if self._dead:
            raise Killed
        return getattr(self._real, name)


def crash_and_retry(kernel: Kernel, commits: int, *, before: bool) -> tuple[Answered, Answered]:
    """Die at a commit, come back after the lease, and send the request twice more."""
    real = kernel.app.documents
    Mortal(kernel.app, commits, before=before)
    client = kernel.as_("viewer")
    with pytest.raises(Killed):
        send(client, "key")
    kernel.app.store.documents = real
    kernel.app.clock.advance(LEASE.total_seconds())
    return send(client, "key"), send(client, "key")


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_at_the_commit_leaves_one_effect_after_the_retry(*, before: bool) -> None:
    for _ in range(50):
        kernel = a_kernel([an_effect()])

        first, second = crash_and_retry(kernel, 1, before=before)

        assert [first.status, second.status] == [201, 201]
        assert first.body == second.body == b'{"count":1}'
        assert effects(kernel) == 1


def test_control_an_effect_in_a_commit_of_its_own_happens_twice() -> None:
    kernel = a_kernel([an_effect(atomic=False)])

    crash_and_retry(kernel, 2, before=False)

    assert effects(kernel) == 2


# I04, abandoned keys


class NeverExpires(Idempotency):
    """The broken variant: who dies holding a key holds it for ever."""

    def is_free(self, stored: Stored) -> bool:
        """Wait for ever."""
        return False


def abandon(kernel: Kernel, key: str) -> None:
    """Die inside the effect."""
    real = kernel.app.documents
    Mortal(kernel.app, 2, before=True)
    with pytest.raises(Killed):
        send(kernel.as_("viewer"), key)
    kernel.app.store.documents = real


def test_a_key_of_an_atomic_operation_is_free_as_soon_as_its_process_is_gone() -> None:
    kernel = a_kernel([an_effect()])
    real = kernel.app.documents
    for number in range(50):
        Mortal(kernel.app, 1, before=True)
        with pytest.raises(Killed):
            send(kernel.as_("viewer"), f"key-{number}")
        kernel.app.store.documents = real

        assert send(kernel.as_("viewer"), f"key-{number}").json == {"count": number + 1}


def test_an_abandoned_key_frees_itself_within_a_minute() -> None:
    kernel = a_kernel([an_effect(atomic=False)])
    client = kernel.as_("viewer")
    for number in range(50):
        abandon(kernel, f"key-{number}")

        assert send(client, f"key-{number}").problem == "IdempotencyInFlight"
        kernel.app.clock.advance(LEASE.total_seconds() - 1)
        assert send(client, f"key-{number}").problem == "IdempotencyInFlight"
        kernel.app.clock.advance(1)
        assert send(client, f"key-{number}").status == 201
    assert LEASE.total_seconds() <= 60
    assert effects(kernel) == 50


def test_control_a_key_without_lease_is_lost() -> None:
    kernel = with_records(a_kernel([an_effect(atomic=False)]), NeverExpires)
    abandon(kernel, "key")
    kernel.app.clock.advance(3600)

    assert send(kernel.as_("viewer"), "key").problem == "IdempotencyInFlight"


def test_a_key_that_a_process_took_before_it_worked_in_one_commit_is_heeded() -> None:
    """As the release before wrote it: "in progress" first, also for atomic operations."""
    kernel = a_kernel([an_effect()])
    abandon(beside(kernel, an_effect(atomic=False)), "key")

    assert send(kernel.as_("viewer"), "key").problem == "IdempotencyInFlight"
    kernel.app.clock.advance(LEASE.total_seconds())
    assert [send(kernel.as_("viewer"), "key").json for _ in range(2)] == [{"count": 1}] * 2


def test_who_is_overtaken_by_another_process_commits_nothing() -> None:
    inside: list[Answered] = []

    def overtaken(_: Context[FakeApp]) -> None:
        if not inside:
            inside.append(elsewhere(other))

    kernel = a_kernel([an_effect(overtaken)])
    other = beside(kernel, an_effect())

    late = send(kernel.as_("viewer"), "key")

    assert (late.status, late.body) == (201, inside[0].body)
    assert effects(kernel) == 1


# What is kept
