"""I01 and I02 on every unsafe route that heeds an Idempotency-Key, over a product with demo data.

Routes come from the declarations, inputs from their schemas. A request is repeated in sequence and by several callers at once:
one effect, one answer. The same key with another payload, and by another user, is what the contract says it is.
"""

import base64
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.demo.load import load
from local.gateway import routers
from shared.app import App
from shared.http.idempotency import Idempotency
from shared.http.router import Operation
from shared.http.serve import Handler, serve
from shared.http.table import Table
from shared.ports.documents import Key
from tests.client import Answered, Client
from tests.faults.jobs.volume import sized
from tests.http.fitting import NOWHERE, Fitting, known_ids
from tests.http.product import an_app, tokens

SEED = 20260115
TRIES = sized(12, 120)
EFFECTS = sized(1, 20)
MISUSES = 100
PATIENCE = 15
"""How many times the tries for a route that refuses everything so far."""
AT_ONCE = 4
WAIT_S = 60
KEPT = {404, 409, 412}
ROUTES = [(each, path) for each in Table(routers()).operations if each.idempotent for path in each.paths]


class Sent(NamedTuple):
    """A request that can be sent again."""

    operation: Operation
    path: str
    body: Any
    headers: dict[str, str]

    def by(self, client: Client) -> Answered:
        """Send it."""
        return client.send(self.operation.method, self.path, self.body, headers=self.headers)


def _subject(token: str) -> str:
    """Return whose token this is."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"])


class House:
    """A product with demo data, two admins, and inputs that fit it."""

    def __init__(self, folder: Path) -> None:
        settings = {"BIGBUY_BASE_URL": NOWHERE, "ALIEXPRESS_BASE_URL": NOWHERE}
        self.app: App = an_app(folder, **settings)
        self.app.identity.seed_demo_users("demo-password-1")
        load(self.app)
        self.handle: Handler[Any] = serve(routers(), lambda: self.app)
        anybody = Client(self.handle)
        token = tokens(self.app)["admin"]
        self.admin = anybody.as_(f"Bearer {token}")
        account = {"email": "second@onhand.local", "password": "long enough second"}
        assert self.admin.post("/api/v1/users", account | {"role": "admin"}).status == 201
        pair = anybody.post("/api/v1/auth/login", account).json
        self.other = anybody.as_(f"Bearer {pair['access_token']}")
        self._own = {_subject(token), _subject(pair["access_token"])}
        self._keys, self._rng = count(), random.Random(SEED)
        self.look()

    def look(self) -> None:
        """See what exists, for the requests to come; not their callers' own accounts, whose change would end the sessions."""
        ids = known_ids(self.admin)
        ids["user_id"] = [each for each in ids["user_id"] if each not in self._own]
        self._fitting = Fitting(self._rng, ids)

    def request(self, operation: Operation, pattern: str) -> Sent:
        """Return a request with a key of its own."""
        body, headers = self._fitting.body(operation)
        return Sent(
            operation, self._fitting.path(pattern), body, headers | {"Idempotency-Key": f"key-{next(self._keys)}"}
        )

    def another(self, sent: Sent, pattern: str) -> Sent:
        """Return a request to the same operation with the same key that says something else."""
        for _ in range(TRIES):
            new = self.request(sent.operation, pattern)
            if (new.path, new.body) != (sent.path, sent.body):
                return new._replace(headers=sent.headers)
        return sent._replace(path=sent.path.replace("unknown-id", "other-id"))

    def written(self) -> tuple[int, int]:
        """Return how many documents were written and deleted so far."""
        return self.app.documents.counts.writes, self.app.documents.counts.deletes

    def with_records(self, records: type[Idempotency]) -> None:
        """Put a variant of the records in place of the real ones."""
        self.handle.warm()
        ready = self.handle._ready
        assert ready is not None
        made = records(lambda: self.app.store, self.app.clock)
        ready.records = lambda: made


def is_kept(answer: Answered) -> bool:
    """Say whether an answer stays with its key."""
    return 200 <= answer.status < 300 or answer.status in KEPT


def first_answers(house: House, operation: Operation, pattern: str) -> Iterator[tuple[Sent, Answered]]:
    """Send requests until one (or as many as wanted) had an effect; yield those whose answer is kept."""
    effects = kept = 0
    for number in range(TRIES * PATIENCE):
        sent = house.request(operation, pattern)
        answer = sent.by(house.admin)
        effects += answer.status < 300
        kept += is_kept(answer)
        if is_kept(answer):
            yield sent, answer
        if effects == EFFECTS or (kept and number >= TRIES):
            return


def repeated(house: House, sent: Sent, first: Answered) -> list[str]:
    """Repeat a request; return what is wrong with that."""
    before = house.written()
    again = sent.by(house.admin)
    same = (again.status, again.body, again.headers.get("Location"), again.headers.get("ETag"))
    faults = {
        "another answer": same != (first.status, first.body, first.headers.get("Location"), first.headers.get("ETag")),
        "not said to be replayed": again.headers.get("Idempotency-Replayed") != "true",
        "said to be replayed at first": "Idempotency-Replayed" in first.headers,
        "written again": house.written() != before,
    }
    return [fault for fault, found in faults.items() if found]


def misused(house: House, sent: Sent, pattern: str) -> list[str]:
    """Use a key with another payload and by another user; return what is wrong with that."""
    before = house.written()
    others = (house.another(sent, pattern).by(house.admin) for _ in range(MISUSES if says_anything(sent) else 0))
    told = next((answer for answer in others if answer.status < 300 or b"IdempotencyKeyReused" in answer.body), None)
    faults = [] if told is not None or not says_anything(sent) else ["another payload is not told apart"]
    faults += ["another payload is taken"] if told is not None and told.status != 422 else []
    faults += ["misused and written"] if house.written() != before else []
    foreign = sent.by(house.other)
    return faults + (["another user's answer"] if "Idempotency-Replayed" in foreign.headers else [])


def says_anything(sent: Sent) -> bool:
    """Say whether another payload is possible at all."""
    return sent.body != b"" or "{" in sent.operation.paths[0]


Check = Callable[[House, Sent, Answered, str], list[str]]


class Held:
    """What a check of all routes saw: its faults, and which routes gave an answer that is kept or had an effect."""

    def __init__(self, house: House, check: Check, routes: Sequence[tuple[Operation, str]] = ROUTES) -> None:
        self.faults: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.effects: set[str] = set()
        for operation, pattern in routes:
            label = f"{operation.method} {pattern}"
            house.look()
            for sent, answer in first_answers(house, operation, pattern):
                self.faults.update(f"{label}: {fault}" for fault in check(house, sent, answer, pattern))
                self.kept[label] += 1
                self.effects |= {label} if answer.status < 300 else set()
        told = f"{len(self.effects)} with an effect, {len(self.kept)} with an answer that is kept"
        print(f"seed {SEED}: {len(routes)} routes, {told}, {self.kept.total()} answers, {len(self.faults)} faults")


def in_sequence(house: House, sent: Sent, first: Answered, pattern: str) -> list[str]:
    """Repeat in sequence, then misuse the key."""
    return repeated(house, sent, first) + misused(house, sent, pattern)


def only_repeated(house: House, sent: Sent, first: Answered, pattern: str) -> list[str]:
    """Repeat in sequence."""
    return repeated(house, sent, first)


def at_once(house: House, sent: Sent, first: Answered, pattern: str) -> list[str]:
    """Send a fresh request several times at once: one does it, the others are told its answer or to wait."""
    fresh = house.request(sent.operation, pattern)
    barrier = threading.Barrier(AT_ONCE)

    def one(_: int) -> Answered:
        barrier.wait(WAIT_S)
        return fresh.by(house.admin)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(one, range(AT_ONCE)))
    rest = [answer for answer in answers if not (answer.status == 409 and b"IdempotencyInFlight" in answer.body)]
    if not any(is_kept(answer) for answer in rest):
        return []
    did = [answer for answer in rest if "Idempotency-Replayed" not in answer.headers]
    faults = [] if len(did) == 1 else [f"done {len(did)} times at once"]
    return faults + (["different answers at once"] if len({answer.body for answer in rest}) > 1 else [])


SILENT = {
    "POST /api/v1/suppliers": "it would call the supplier",
    "POST /api/v1/suppliers/connect": "it would call the supplier",
    "POST /api/v1/suppliers/consent/callback": "it needs a consent that waits",
    "POST /api/v1/scraping/feed": "no address is allowed here",
    "PUT /api/users/me/reset-password": "it needs the present password",
}
"""Routes for which no input that fits is made here, and why; each has tests of its own."""
FEWEST_EFFECTS = 80
SOME = ROUTES[::4]


@pytest.mark.serial
def test_a_repeated_request_has_one_effect_on_every_route(tmp_path: Path) -> None:
    held = Held(House(tmp_path), in_sequence)

    assert held.faults == {}
    assert {f"{each.method} {path}" for each, path in ROUTES} - held.kept.keys() - SILENT.keys() == set()
    assert len(held.effects) >= FEWEST_EFFECTS


@pytest.mark.serial
def test_of_callers_at_once_one_has_the_effect_on_every_route(tmp_path: Path) -> None:
    held = Held(House(tmp_path), at_once)

    assert held.faults == {}
    assert len(held.effects) >= FEWEST_EFFECTS


class Forgetful(Idempotency):
    """The broken variant: every request's key is a new one."""

    numbers = count()

    def key(self, scope: tuple[str, ...]) -> Key:
        """Find no record of anything."""
        return super().key((*scope, str(next(self.numbers))))


@pytest.mark.parametrize("check", [only_repeated, at_once])
@pytest.mark.serial
def test_control_without_records_routes_repeat_themselves(tmp_path: Path, check: Any) -> None:
    house = House(tmp_path)
    house.with_records(Forgetful)

    held = Held(house, check, SOME)

    seen = {fault.partition(": ")[0] for fault in held.faults}
    assert seen == (held.kept.keys() if check is only_repeated else seen & held.kept.keys())
    assert len(seen) >= len(SOME) // 2
