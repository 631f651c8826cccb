"""The official client, unchanged, sees what the adapter writes: on our protocol server as on the official emulator."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.ports.documents import Conflict, Create, Documents, Key, Put
from tests.stores import on_stores

pytestmark = on_stores("firestore-server", "firestore-emulator")
KEY = Key("things", "é one")


@pytest.fixture
def client(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give google.cloud.firestore.Client on the same database."""
    from google.cloud import firestore

    assert isinstance(documents, FirestoreDocuments)
    _, project, _, database = documents._database.split("/")
    emulator = documents._commits._emulator
    assert emulator is not None
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    made: Any = firestore.Client(project=project, database=database)
    yield made
    made.close()


def test_it_reads_plain_values_and_a_timestamp_where_a_ttl_is_declared(documents: Documents, client: Any) -> None:
    data = {
        "text": "é",
        "n": 2**62,
        "f": 1.5,
        "b": b"\x00",
        "list": [1, {"a": None}],
        "expires_at": "2026-01-15T10:30:00.000001Z",
    }
    (version,) = documents.commit([Create(KEY, data)])

    snapshot = client.collection("things").document(KEY.id).get(timeout=10)

    plain = snapshot.to_dict()
    assert plain.pop("expires_at").isoformat() == "2026-01-15T10:30:00.000001+00:00"
    assert plain == {name: value for name, value in data.items() if name != "expires_at"}
    assert snapshot.update_time == datetime.fromisoformat(version)


def test_its_queries_and_counts_agree(documents: Documents, client: Any) -> None:
    from google.cloud.firestore_v1.base_query import FieldFilter

    documents.commit(
        [Create(Key("things", f"{n}"), {"state": "open" if n % 2 else "done", "rank": -n}) for n in range(9)]
    )
    query = client.collection("things").where(filter=FieldFilter("state", "==", "open")).order_by("rank")

    assert [snapshot.id for snapshot in query.stream(timeout=10)] == ["7", "5", "3", "1"]
    assert [snapshot.id for snapshot in query.start_after({"rank": -5}).limit(1).stream(timeout=10)] == ["3"]
    assert query.count().get(timeout=10)[0][0].value == 4


def test_its_write_makes_our_version_stale(documents: Documents, client: Any) -> None:
    (version,) = documents.commit([Create(KEY, {"n": 1})])

    client.collection("things").document(KEY.id).set({"n": 2}, timeout=10)

    with pytest.raises(Conflict):
        documents.commit([Put(KEY, {"n": 3}, version)])
    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == {"n": 2}


def test_the_protocol_server_asks_for_the_index_that_the_emulator_does_not(
    documents: Documents, client: Any, shapes: Shapes, request: pytest.FixtureRequest
) -> None:
    from google.api_core.exceptions import FailedPrecondition
    from google.cloud.firestore_v1.base_query import FieldFilter

    query = client.collection("things").where(filter=FieldFilter("place", "==", "x")).order_by("rank")

    if "firestore-emulator" in request.node.name:
        assert list(query.stream(timeout=10)) == []
    else:
        with pytest.raises(FailedPrecondition, match="requires an index"):
            list(query.stream(timeout=10))
