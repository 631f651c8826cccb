"""I03 and I04: crashes and abandoned keys. Each has a control, a broken variant that must fail the same check."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from shared.http.context import Context
from shared.http.idempotency import LEASE, Idempotency
from shared.ports.documents import Stored, Write
from tests.client import Answered
from tests.http.builders import FakeApp, Kernel, a_kernel
from tests.http.effects import WAIT_S, an_effect, effects, send, with_records

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


@pytest.mark.parametrize(("commits", "before"), [(1, True), (1, False), (2, True), (2, False)])
def test_a_crash_at_any_commit_leaves_one_effect_after_the_retry(commits: int, before: bool) -> None:
    for _ in range(25):
        kernel = a_kernel([an_effect()])

        first, second = crash_and_retry(kernel, commits, before=before)

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

    def _is_free(self, stored: Stored) -> bool:
        return False


def abandon(kernel: Kernel, key: str) -> None:
    """Die inside the effect."""
    real = kernel.app.documents
    Mortal(kernel.app, 2, before=True)
    with pytest.raises(Killed):
        send(kernel.as_("viewer"), key)
    kernel.app.store.documents = real


def test_an_abandoned_key_frees_itself_within_a_minute() -> None:
    kernel = a_kernel([an_effect()])
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
    kernel = with_records(a_kernel([an_effect()]), NeverExpires)
    abandon(kernel, "key")
    kernel.app.clock.advance(3600)

    assert send(kernel.as_("viewer"), "key").problem == "IdempotencyInFlight"


def test_who_lost_his_lease_commits_nothing() -> None:
    inside: list[Answered] = []

    def overtaken(ctx: Context[FakeApp]) -> None:
        if not inside:
            inside.append(None)  # type: ignore[arg-type]
            ctx.app.clock.advance(LEASE.total_seconds())
            thread = threading.Thread(target=lambda: inside.append(send(kernel.as_("viewer"), "key")))
            thread.start()
            thread.join(WAIT_S)

    kernel = a_kernel([an_effect(overtaken)])

    late = send(kernel.as_("viewer"), "key")

    assert (late.problem, inside[1].status) == ("Unavailable", 201)
    assert effects(kernel) == 1
    assert send(kernel.as_("viewer"), "key").body == inside[1].body


# What is kept
