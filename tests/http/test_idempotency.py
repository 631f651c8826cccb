"""I01 and I02: one key, one effect, one answer. Each has a control, a broken variant that must fail the same check."""

import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.core.clock import instant
from shared.core.errors import NotFound
from shared.http.context import Context
from shared.http.idempotency import COLLECTION, Attempt, Idempotency
from shared.ports.documents import Create, Key, Put, Query
from shared.ports.store import First
from tests.client import Answered
from tests.http.builders import FakeApp, Kernel, a_kernel, seed
from tests.http.effects import PATH, WAIT_S, an_effect, beside, effects, elsewhere, send, with_records

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


def test_a_short_answer_is_kept_as_it_is_in_the_form_that_releases_before_read() -> None:
    kernel = a_kernel([an_effect()])
    answered = send(kernel.as_("viewer"), "key")

    (record,) = kernel.app.store.query(Query(COLLECTION))
    assert zlib.decompress(record.data["body"]) == answered.body
    assert answered.body in record.data["body"]


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
        written = kernel.app.documents.counts.writes
        second = client.send(method, path, body, headers=headers)

        assert (second.status, second.body) == (first.status, first.body)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers.get("Location") == first.headers.get("Location")
        assert second.headers["Content-Type"] == first.headers["Content-Type"]
        assert kernel.app.documents.counts.writes == written
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


class Unconditional(Idempotency):
    """The broken variant: the record is written whether there is one or not, and looked at once."""

    def attempt(self, scope: tuple[str, ...], fingerprint: str) -> Attempt:
        """Work carelessly."""
        return _Careless(self, self.key(scope), fingerprint)


class _Careless(Attempt):
    @property
    def first(self) -> First:
        """Look when the work begins, and not when it begins again."""
        return First(self.key, lambda _: None)

    def final(self, answer: Any) -> Put:
        """Leave the condition out."""
        final = super().final(answer)
        assert isinstance(final, Create)
        return Put(final.key, final.data)


@pytest.mark.parametrize(("records", "happened"), [(Idempotency, 1), (Unconditional, 2)], ids=["right", "control"])
def test_equal_requests_to_two_processes_have_one_effect(records: type[Idempotency], happened: int) -> None:
    """Both find no record before either commits."""
    both, entered = threading.Barrier(2), [1, 2]

    def meet(ctx: Context[FakeApp]) -> None:
        ctx.app.store.get(Key("things", "any"))
        if entered:
            entered.pop()
            both.wait(WAIT_S)

    kernel = a_kernel([an_effect(meet)])
    processes = [with_records(kernel, records), with_records(beside(kernel, an_effect(meet)), records)]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda process: send(process.as_("viewer"), "key"), processes))

    assert effects(kernel) == happened
    assert [answer.status for answer in answers] == [201, 201]
    if records is Idempotency:
        assert [answer.body for answer in answers] == [b'{"count":1}'] * 2
        assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True]


def test_a_refusal_that_another_process_was_faster_with_is_its_answer() -> None:
    inside: list[Answered] = []

    def overtaken(_: Context[FakeApp]) -> None:
        if not inside:
            inside.append(elsewhere(other))
            raise NotFound("gone", resource="thing")

    kernel = a_kernel([an_effect(overtaken)])
    other = beside(kernel, an_effect())

    late = send(kernel.as_("viewer"), "key")

    assert (late.status, late.body, effects(kernel)) == (201, inside[0].body, 1)
    assert late.headers["Idempotency-Replayed"] == "true"


# I02, misuse


@pytest.mark.parametrize("number", range(20))
def test_another_payload_or_path_is_422_and_another_user_or_operation_is_another_key(number: int) -> None:
    kernel = a_kernel()
    seed(kernel, 1)
    key = {"Idempotency-Key": f"key-{number}"}
    first = kernel.as_("operator:one").post(PATH, {"rank": number}, headers=key)
    written = kernel.app.documents.counts.writes

    other_body = kernel.as_("operator:one").post(PATH, {"rank": number + 1}, headers=key)
    other_path = kernel.as_("operator:one").post("/api/things", {"rank": number}, headers=key)
    assert [other_body.problem, other_path.problem] == ["IdempotencyKeyReused"] * 2
    assert kernel.app.documents.counts.writes == written

    other_user = kernel.as_("operator:two").post(PATH, {"rank": number}, headers=key)
    other_operation = kernel.as_("operator:one").patch(f"{PATH}/thg_0001", {"name": "x"}, headers=key)
    assert (other_user.status, other_operation.status) == (201, 200)
    assert other_user.json["id"] != first.json["id"]


def test_equal_json_in_another_spelling_is_the_same_payload() -> None:
    kernel = a_kernel()
    client, key = kernel.as_("operator"), {"Idempotency-Key": "key"}

    first = client.post(PATH, b'{"rank": 1, "name": "a"}', headers=key)
    second = client.post(PATH, b' {"name":"\\u0061","rank":1} ', headers=key)

    assert (second.status, second.body, len(kernel.app.store.query(Query("things")))) == (201, first.body, 1)


class KeyAlone(Idempotency):
    """The broken variant: one user's key is everybody's."""

    def key(self, scope: tuple[str, ...]) -> Key:
        """Forget user, method and operation."""
        return super().key(scope[-1:])


def test_control_a_key_without_its_user_shows_foreign_answers() -> None:
    kernel = with_records(a_kernel(), KeyAlone)
    key = {"Idempotency-Key": "key"}

    mine = kernel.as_("operator:one").post(PATH, {"name": "mine"}, headers=key)
    foreign = kernel.as_("operator:two").post(PATH, {"name": "mine"}, headers=key)

    assert foreign.body == mine.body


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
