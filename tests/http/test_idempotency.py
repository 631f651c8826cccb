"""I01-I04: one key, one effect, one answer. Each has a control, a broken variant that must fail the same check."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.core.clock import instant
from shared.http.context import Context
from shared.http.idempotency import COLLECTION, LEASE, Claim, Idempotency, Replay
from shared.http.router import Router
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from tests.client import Answered, Client
from tests.http.builders import FakeApp, Kernel, a_kernel, seed

PATH = "/api/v1/things"
EFFECT = Key("effects", "one")
WAIT_S = 20


def effects(kernel: Kernel) -> int:
    """Return how often the effect happened."""
    stored = kernel.app.store.get(EFFECT)
    return 0 if stored is None else stored.data["count"]


def count_up(app: FakeApp) -> int:
    """Have an effect."""

    def decide(found: Any) -> tuple[int, list[Write]]:
        stored: Stored | None = found.get(EFFECT)
        if stored is None:
            return 1, [Create(EFFECT, {"count": 1})]
        count = stored.data["count"] + 1
        return count, [Put(EFFECT, {"count": count}, stored.version)]

    return app.store.change([EFFECT], decide)


def an_effect(during: Callable[[Context[FakeApp]], None] = lambda _: None, *, atomic: bool = True) -> Router:
    """Return a route with one effect; `during` runs before it."""
    router = Router("effect")

    @router.post("/api/v1/effects", "/api/effects", access="viewer", status=201, atomic=atomic)
    def happen(ctx: Context[FakeApp]) -> dict[str, int]:
        """Happen."""
        during(ctx)
        return {"count": count_up(ctx.app)}

    return router


def send(client: Client, key: str, body: Any = None, path: str = "/api/v1/effects") -> Answered:
    """Send a request with a key."""
    return client.post(path, {} if body is None else body, headers={"Idempotency-Key": key})


def with_records(kernel: Kernel, records: type[Idempotency]) -> Kernel:
    """Put a variant of the records in place of the real ones."""
    kernel.handle.warm()
    ready = kernel.handle._ready
    assert ready is not None
    ready.records = records(lambda: kernel.app.store, kernel.app.clock)
    return kernel


# I01, in sequence and in parallel


def test_200_keys_in_sequence_have_one_effect_each_and_equal_answers() -> None:
    kernel = a_kernel([an_effect()])
    client = kernel.as_("viewer")

    for number in range(200):
        first, second = send(client, f"key-{number}"), send(client, f'"key-{number}"')

        assert (first.status, second.status) == (201, 201)
        assert first.body == second.body
        assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert effects(kernel) == 200


def test_every_unsafe_operation_answers_a_repeated_key_alike() -> None:
    kernel = a_kernel()
    seed(kernel, 1)
    client = kernel.as_("admin")
    requests: list[tuple[str, str, Any]] = [
        ("POST", PATH, {"rank": 1}),
        ("POST", "/api/things", {"rank": 2, "unknown": 1}),
        ("PATCH", f"{PATH}/thg_0001", {"name": "new"}),
        ("PATCH", f"{PATH}/nope", {"name": "new"}),
        ("PATCH", f"{PATH}/thg_0001", {"name": "newer", "version": 1}),
        ("DELETE", f"{PATH}/thg_0001", {}),
        ("POST", "/api/v1/admin", {}),
        ("POST", "/api/v1/costly", {}),
    ]
    for number, (method, path, body) in enumerate(requests):
        headers = {"Idempotency-Key": f"key-{number}"}
        first = client.send(method, path, body, headers=headers)
        calls = kernel.app.calls
        second = client.send(method, path, body, headers=headers)

        assert (second.status, second.body) == (first.status, first.body)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers.get("Location") == first.headers.get("Location")
        assert second.headers["Content-Type"] == first.headers["Content-Type"]
        assert kernel.app.calls == calls
    assert [
        client.send(*each[:2], each[2], headers={"Idempotency-Key": f"key-{n}"}).status
        for n, each in enumerate(requests)
    ] == [
        201,
        201,
        200,
        404,
        412,
        409,
        202,
        200,
    ]


def test_while_one_request_works_31_equal_ones_are_told_to_wait() -> None:
    entered, release = threading.Event(), threading.Event()

    def hold(_: Context[FakeApp]) -> None:
        entered.set()
        assert release.wait(WAIT_S)

    kernel = a_kernel([an_effect(hold)])
    client = kernel.as_("viewer")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, client, "key")
        assert entered.wait(WAIT_S)
        waiting = [send(client, "key") for _ in range(31)]
        other = send(client, "key", {"other": 1}, "/api/effects")
        release.set()
        done = first.result(WAIT_S)

    assert [(each.problem, each.headers["Retry-After"]) for each in waiting] == [("IdempotencyInFlight", "1")] * 31
    assert other.problem == "IdempotencyKeyReused"
    assert done.status == 201
    assert [send(client, "key").body for _ in range(31)] == [done.body] * 31
    assert effects(kernel) == 1


def in_parallel(kernel: Kernel, count: int) -> list[Answered]:
    """Send one key from many threads at once."""
    barrier = threading.Barrier(count)
    client = kernel.as_("viewer")

    def one(_: int) -> Answered:
        barrier.wait(WAIT_S)
        return send(client, "key")

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_32_at_once_have_one_effect() -> None:
    for _ in range(10):
        kernel = a_kernel([an_effect()])

        answers = in_parallel(kernel, 32)

        done = [answer for answer in answers if answer.status == 201]
        assert {answer.status for answer in answers} <= {201, 409}
        assert {answer.body for answer in done} == {b'{"count":1}'}
        assert effects(kernel) == 1


class RecordAfterEffect(Idempotency):
    """The broken variant: nothing is written before the effect."""

    def claim(self, scope: tuple[str, ...], fingerprint: str) -> Claim | Replay:
        """Look whether there is an answer, and leave no trace of the look."""
        key = Key(COLLECTION, "-".join(scope))
        return _Careless(self._store(), self._clock, key, fingerprint, "")


class _Careless(Claim):
    def final(self, answer: Any) -> Put:
        """Leave the condition out."""
        final = super().final(answer)
        return Put(final.key, final.data)


def test_control_a_record_after_the_effect_lets_parallel_requests_through() -> None:
    both, entered = threading.Barrier(2), [1, 2]

    def meet(_: Context[FakeApp]) -> None:
        if entered:
            entered.pop()
            both.wait(WAIT_S)

    kernel = with_records(a_kernel([an_effect(meet)]), RecordAfterEffect)

    in_parallel(kernel, 2)

    assert effects(kernel) == 2


# I02, misuse


@pytest.mark.parametrize("number", range(20))
def test_another_payload_or_path_is_422_and_another_user_or_operation_is_another_key(number: int) -> None:
    kernel = a_kernel()
    seed(kernel, 1)
    key = {"Idempotency-Key": f"key-{number}"}
    first = kernel.as_("operator:one").post(PATH, {"rank": number}, headers=key)
    calls = kernel.app.calls

    other_body = kernel.as_("operator:one").post(PATH, {"rank": number + 1}, headers=key)
    other_path = kernel.as_("operator:one").post("/api/things", {"rank": number}, headers=key)
    assert [other_body.problem, other_path.problem] == ["IdempotencyKeyReused"] * 2
    assert kernel.app.calls == calls

    other_user = kernel.as_("operator:two").post(PATH, {"rank": number}, headers=key)
    other_operation = kernel.as_("operator:one").patch(f"{PATH}/thg_0001", {"name": "x"}, headers=key)
    assert (other_user.status, other_operation.status) == (201, 200)
    assert other_user.json["id"] != first.json["id"]
    assert kernel.app.calls == calls + 2


def test_equal_json_in_another_spelling_is_the_same_payload() -> None:
    kernel = a_kernel()
    client, key = kernel.as_("operator"), {"Idempotency-Key": "key"}

    first = client.post(PATH, b'{"rank": 1, "name": "a"}', headers=key)
    second = client.post(PATH, b' {"name":"\\u0061","rank":1} ', headers=key)

    assert (second.status, second.body, kernel.app.calls) == (201, first.body, 1)


class KeyAlone(Idempotency):
    """The broken variant: one user's key is everybody's."""

    def claim(self, scope: tuple[str, ...], fingerprint: str) -> Claim | Replay:
        """Forget user, method and operation."""
        return super().claim(scope[-1:], fingerprint)


def test_control_a_key_without_its_user_shows_foreign_answers() -> None:
    kernel = with_records(a_kernel(), KeyAlone)
    key = {"Idempotency-Key": "key"}

    mine = kernel.as_("operator:one").post(PATH, {"name": "mine"}, headers=key)
    foreign = kernel.as_("operator:two").post(PATH, {"name": "mine"}, headers=key)

    assert foreign.body == mine.body


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


def test_refusals_of_the_request_itself_are_not_kept() -> None:
    kernel = a_kernel()
    client, key = kernel.as_("operator"), {"Idempotency-Key": "key"}

    refused = [
        client.post(PATH, b"{", headers=key).status,
        client.post(PATH, {"rank": "x"}, headers=key).status,
        kernel.as_("viewer").post(PATH, {}, headers=key).status,
        kernel.client.post(PATH, {}, headers=key).status,
    ]

    assert refused == [400, 422, 403, 401]
    assert kernel.app.store.query(Query(COLLECTION)) == []
    assert client.post(PATH, {}, headers=key).status == 201


def test_a_bug_frees_its_key() -> None:
    tries: list[int] = []

    def fail_once(_: Context[FakeApp]) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError

    kernel = a_kernel([an_effect(fail_once)])

    assert [send(kernel.as_("viewer"), "key").status for _ in range(2)] == [500, 201]


def test_an_answer_is_kept_for_a_day() -> None:
    kernel = a_kernel([an_effect()])
    client = kernel.as_("viewer")
    send(client, "key")
    kernel.app.clock.advance(24 * 3600 - 1)

    assert send(client, "key").json == {"count": 1}
    kernel.app.clock.advance(1)
    assert send(client, "key").json == {"count": 2}


def test_a_record_says_when_it_may_be_deleted() -> None:
    kernel = a_kernel([an_effect()])
    started = kernel.app.clock.now()
    send(kernel.as_("viewer"), "key")

    [record] = kernel.app.store.query(Query(COLLECTION))

    assert record.data["expires_at"] > instant(started)
    assert record.data["state"] == "done"


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, '"unterminated', '""', '"a"b', "caf\u00e9"])
def test_a_malformed_key_is_400(key: str) -> None:
    answer = send(a_kernel([an_effect()]).as_("viewer"), key)

    assert (answer.status, answer.codes) == (400, [("header:Idempotency-Key", "invalid")])


@pytest.mark.parametrize("key", ["a", "x" * 255, '"' + "x" * 255 + '"', "!#$~'()", 'a"b'])
def test_any_visible_ascii_is_a_key(key: str) -> None:
    assert send(a_kernel([an_effect()]).as_("viewer"), key).status == 201


def test_sign_in_heeds_no_key() -> None:
    client = a_kernel().client

    answers = [client.post("/api/v1/auth/login", headers={"Idempotency-Key": "key"}) for _ in range(2)]

    assert ["Idempotency-Replayed" in answer.headers for answer in answers] == [False, False]


def test_a_deployment_may_insist_on_keys() -> None:
    client = a_kernel(REQUIRE_IDEMPOTENCY_KEY="true").as_("operator")

    assert client.post(PATH, {}).codes == [("header:Idempotency-Key", "missing")]
    assert client.post(PATH, {}, headers={"Idempotency-Key": "key"}).status == 201
