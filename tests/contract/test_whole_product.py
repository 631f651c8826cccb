"""C03 for the whole product: the same requests to every operation have the same answers on both kinds of documents store.

Requests are drawn from what the operations declare, over demo data; time and ids are the same on both sides. What is random
by design is compared as there or not there, and members of an object may come in any order. What is read twice has the same
bytes and the same tag.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.demo.load import load
from local.gateway import routers
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.ids import SequentialIds
from shared.core.settings import Settings
from shared.http.router import Operation
from shared.http.serve import serve
from shared.http.table import Table
from shared.ports.documents import Create, Documents, Position, Query
from tests.client import Answered, Client
from tests.faults.jobs.volume import sized
from tests.http.builders import UNLIMITED
from tests.http.fitting import NOWHERE, Fitting, known_ids
from tests.http.product import tokens
from tests.stores import INDEX_FILE, on_stores

ROUNDS = sized(1, 6)
SEEDS = range(sized(1, 3))
RANDOM = {"request_id", "next_cursor", "access_token", "refresh_token", "token", "keys", "instance_id"}
ALIKE = ("Location", "X-Total-Count", "Retry-After", "Content-Type")
OF_THE_PROCESS = {"meta.metrics", "meta.metrics_text"}
SAYS_WHETHER_KEPT = {"forecasts.read_forecast"}
OPERATIONS = [
    (each, path) for each in Table(routers()).operations for path in each.paths if each.name not in OF_THE_PROCESS
]


class Told(NamedTuple):
    """A request and what it was answered."""

    request: tuple[Any, ...]
    status: int
    body: Any
    headers: tuple[str | None, ...]
    is_steady: bool
    """Whether reading it again gave the same bytes under the same tag."""


@pytest.fixture(name="demo", scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> SqliteDocuments:
    """Give a store with demo data and a user of each role."""
    documents = SqliteDocuments.in_memory(Shapes.read(INDEX_FILE))
    app = _an_app(documents, tmp_path_factory.mktemp("demo"))
    app.identity.seed_demo_users("demo-password-1")
    load(app)
    return documents


@on_stores("firestore-emulator")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_operation_answers_the_same_on_both_stores(
    demo: SqliteDocuments, documents: Documents, shapes: Shapes, tmp_path: Path, seed: int
) -> None:
    one, other = (
        list(_told(_an_app(_copied(demo, each), tmp_path), seed))
        for each in (SqliteDocuments.in_memory(shapes), documents)
    )

    statuses = [told.status for told in one]
    assert [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] == []
    assert [told.request for told in (*one, *other) if not told.is_steady] == []
    assert len(statuses) == ROUNDS * len(OPERATIONS)
    assert sum(status < 300 for status in statuses) > len(statuses) / 3
    assert {status for status in statuses if status >= 500} <= {502, 503}


def test_control_a_store_that_counts_one_too_many_is_found(
    demo: SqliteDocuments, shapes: Shapes, tmp_path: Path
) -> None:
    one, other = (
        list(_told(_an_app(_copied(demo, each), tmp_path), 0))
        for each in (SqliteDocuments.in_memory(shapes), _Miscounting(":memory:", shapes))
    )

    assert one != other


class _Unhurried(ManualClock):
    """Time that waiting for a second try does not move: only one of the stores may ask for one."""

    def sleep(self, seconds: float) -> None:
        """Take no time."""


class _Miscounting(SqliteDocuments):
    """A store that counts one document too many."""

    def count(self, query: Query) -> int:
        """Return a number that is wrong."""
        return super().count(query) + 1


def _copied(source: SqliteDocuments, target: Documents) -> Documents:
    """Put all documents of a store into an empty one."""
    for collection in sorted(source._present):
        after: Position | None = None
        while found := source.query(Query(collection, limit=400, after=after)):
            target.commit([Create(stored.key, stored.data) for stored in found])
            after = Position(None, found[-1].key.id)
    return target


def _an_app(documents: Documents, folder: Path) -> App:
    """Return the product on a store, with a warehouse of its own."""
    settings = {
        **UNLIMITED,
        "RATE_LIMIT_REFRESH": "0",
        "WAREHOUSE_URL": "duckdb:///:memory:",
        "DATA_DIR": str(folder),
        "BIGBUY_BASE_URL": NOWHERE,
        "ALIEXPRESS_BASE_URL": NOWHERE,
    }
    app = App(Settings.from_env(settings), _Unhurried(), SequentialIds())
    app.__dict__["documents"] = documents
    return app


def _told(app: App, seed: int) -> Iterator[Told]:
    """Ask every operation in some order, a few times; yield each request with its answer."""
    admin = Client(serve(routers(), lambda: app)).as_(f"Bearer {tokens(app)['admin']}")
    rng, operations = random.Random(seed), list(OPERATIONS)
    for _ in range(ROUNDS):
        rng.shuffle(operations)
        fitting = Fitting(rng, known_ids(admin) | {"user_id": []})
        for operation, pattern in operations:
            yield _asked(admin, operation, _request(fitting, rng, operation, pattern))
            app.clock.advance(rng.choice([0, 0, 1]))  # type: ignore[attr-defined]


def _request(fitting: Fitting, rng: random.Random, operation: Operation, pattern: str) -> tuple[Any, ...]:
    body, headers = fitting.body(operation)
    query = fitting.query(operation) if rng.random() < 0.7 else {}
    return operation.method, fitting.path(pattern), body, headers, query


def _asked(client: Client, operation: Operation, request: tuple[Any, ...]) -> Told:
    method, path, body, headers, query = request
    given = (body,) if operation.accepts else ()
    answer = client.send(method, path, *given, headers=headers, query=query)
    is_steady = (
        method != "GET"
        or operation.name in SAYS_WHETHER_KEPT
        or _same(answer, client.send(method, path, headers=headers, query=query))
    )
    return Told(
        (operation.name, *request),
        answer.status,
        _shown(answer),
        tuple(answer.headers.get(name) for name in ALIKE),
        is_steady,
    )


def _same(one: Answered, other: Answered) -> bool:
    """Say whether two readings have the same tag, and bytes where there is one."""
    tag = one.headers.get("ETag")
    return tag == other.headers.get("ETag") and (tag is None or one.body == other.body)


def _shown(answer: Answered) -> Any:
    """Return a body as far as it is not random by design."""
    kind = answer.headers.get("Content-Type", "")
    if "ndjson" in kind:
        return [_without_chance(json.loads(line)) for line in answer.body.splitlines()]
    return _without_chance(answer.json) if "json" in kind and answer.body else sorted(answer.body)


def _without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: (name in RANDOM and bool(each)) or _without_chance(each) for name, each in value.items()}
    return [_without_chance(each) for each in value] if isinstance(value, list) else value
