"""What is written comes back exactly, from every store."""

from itertools import permutations

import pytest
from pydantic_core import to_json

from shared.ports.documents import Create, Documents, Key, Put, Query
from tests.stores import on_stores

KEY = Key("things", "one")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**63 - 1,
        -(2**63),
        0.1,
        1.0,
        -0.5,
        1e300,
        5e-324,
        1.7976931348623157e308,
        "",
        "plain",
        "Zürich 東京 🧵 \u0000 \\ \" ' %s",
        "2026-01-15T10:30:00.000001Z",
        [],
        {},
        [1, "two", None, [3, [4, []]], {"five": [6]}],
        {"": 1, "a b": {"__name__": 2, "\\": 3, "[]": [4]}, "[]": {"[]": 5}, "dots.and/slashes": 6},
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was_written(documents: Documents, value: object) -> None:
    documents.commit([Create(KEY, {"field": value, "list": [value], "map": {"key": value}})])

    stored = documents.get(KEY)

    assert stored is not None
    assert stored.data == {"field": value, "list": [value], "map": {"key": value}}
    assert type(stored.data["field"]) is type(value)
    if not isinstance(value, dict | list):  # the order of keys is not kept
        assert repr(stored.data["field"]) == repr(value)


@on_stores("firestore-server", "firestore-emulator")
def test_members_come_by_name_where_the_store_keeps_no_order(documents: Documents) -> None:
    """An answer shows some as they are stored, and its tag is made of its bytes."""
    members = {"at": 1, "details": {"to": 2, "from": 3}, "action": 4}
    orders = [dict(order) for order in permutations(members.items())]
    keys = [Key("things", f"thing-{number}") for number in range(len(orders))]
    documents.commit([Create(key, order | {"seen": orders}) for key, order in zip(keys, orders, strict=True)])

    found = [*documents.get_many(keys).values(), *documents.query(Query("things"))]

    seen = [{"action": 4, "at": 1, "details": {"from": 3, "to": 2}}] * len(orders)
    expected = to_json(seen[0] | {"seen": seen})
    assert [to_json(stored.data) for stored in found] == [expected] * (2 * len(orders))


def test_bytes_come_back_as_bytes_beside_other_fields(documents: Documents) -> None:
    data = {"first": bytes(range(256)), "empty": b"", "text": "first", "second": b"\n{}" * 1000}

    documents.commit([Create(KEY, data)])

    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == data


def test_a_chunk_of_900_kb_fits(documents: Documents) -> None:
    chunk = b"\x00\xff" * 450_000

    documents.commit([Create(KEY, {"bytes": chunk})])

    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data["bytes"] == chunk


def test_a_put_replaces_the_whole_document(documents: Documents) -> None:
    documents.commit([Create(KEY, {"a": 1, "blob": b"x"})])

    documents.commit([Put(KEY, {"b": 2})])

    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == {"b": 2}


def test_an_expiring_field_stays_a_text(documents: Documents) -> None:
    texts = ["2026-01-15T10:30:00.000000Z", "2026-01-15T10:30:00.120000Z", "2026-01-15T10:30:00.123456Z"]

    documents.commit([Create(Key("things", text), {"expires_at": text}) for text in texts])
    documents.commit([Create(Key("things", "never"), {"expires_at": None})])

    found = documents.get_many([Key("things", each) for each in [*texts, "never"]])
    assert [stored.data["expires_at"] for stored in found.values()] == [*texts, None]


@pytest.mark.parametrize("document_id", ["a", "Ω≈ç", "with space", "a.b", "_x_", "%2F", "?#&=", "'\"", "x" * 1500])
def test_ids_may_be_nearly_any_text(documents: Documents, document_id: str) -> None:
    key = Key("things", document_id)

    documents.commit([Create(key, {"id": document_id})])

    stored = documents.get(key)
    assert stored is not None
    assert stored.key == key
    assert documents.get_many([key]) == {key: stored}


@pytest.mark.parametrize(
    "key",
    [
        Key("things", ""),
        Key("things", "."),
        Key("things", ".."),
        Key("things", "a/b"),
        Key("things", "__x__"),
        Key("things", "x" * 1501),
        Key("things", "\ud800"),
        Key("Things", "a"),
        Key('things"', "a"),
        Key("", "a"),
    ],
    ids=lambda key: f"{key.collection}-{key.id[:10]!r}",
)
def test_an_impossible_key_is_refused_for_writing_and_absent_for_reading(documents: Documents, key: Key) -> None:
    with pytest.raises(ValueError, match="key"):
        documents.commit([Put(key, {"a": 1})])

    assert documents.get(key) is None
    assert documents.get_many([key, KEY]) == {}


@pytest.mark.parametrize(
    "data",
    [
        {"n": 2**63},
        {"n": [{"deep": -(2**63) - 1}]},
        {"n": float("nan")},
        {"n": [float("inf")]},
        {"n": "x" * 1_048_577},
        {"n": b"x" * 1_048_577},
        {"Name": 1},
        {"a.b": 1},
        {"_rev": 1},
        {"": 1},
    ],
    ids=lambda data: repr(data)[:30],
)
def test_what_no_store_keeps_is_refused_and_changes_nothing(documents: Documents, data: dict[str, object]) -> None:
    documents.commit([Create(KEY, {"a": 1})])

    with pytest.raises(ValueError):
        documents.commit([Put(Key("things", "other"), {"b": 1}), Put(KEY, data)])

    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == {"a": 1}
    assert documents.get(Key("things", "other")) is None
