"""Queries answer alike on every store, in order, and only in declared shapes."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.adapters.shapes import Shapes
from shared.ports.documents import Create, Documents, Key, Position, Put, Query, UndeclaredShape

ROWS: dict[str, dict[str, Any]] = {
    "a": {"state": "open", "place": "x", "rank": 3, "tags": ["red", 1, True]},
    "b": {"state": "open", "place": "y", "rank": 1, "tags": ["blue"]},
    "c": {"state": "done", "place": "x", "rank": 2, "tags": ["red", "blue"]},
    "d": {"state": "open", "place": "x", "rank": 3, "tags": []},
    "e": {"state": "open", "place": "x", "rank": None, "tags": "red"},
    "f": {"state": "open", "place": "x", "tags": None},
    "g": {"state": None, "place": "x", "rank": 2.5, "tags": ["red", 0, False]},
    "h": {"place": "x", "rank": -7},
}
OPEN = (("state", "open"),)


@pytest.fixture
def things(documents: Documents) -> Documents:
    """Give a store with the eight rows, and others in a collection beside it."""
    documents.commit([Create(Key("things", name), row) for name, row in ROWS.items()])
    documents.commit([Create(Key("others", name), row) for name, row in ROWS.items()])
    documents.counts.reset()
    return documents


def ids(documents: Documents, **query: Any) -> str:
    return "".join(stored.key.id for stored in documents.query(Query("things", **query)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "abcdefgh"),
        ({"equals": OPEN}, "abdef"),
        ({"equals": (("state", "open"), ("place", "x"))}, "adef"),
        ({"equals": (("state", ("done", "open")),)}, "abcdef"),
        ({"equals": (("state", ("done", "gone")), ("place", ("x", "y")))}, "c"),
        ({"equals": (("state", None),)}, "g"),
        ({"equals": (("state", "Open"),)}, ""),
        ({"equals": (("nowhere", "x"),)}, ""),
        ({"equals": (("rank", 3),)}, "ad"),
        ({"equals": (("rank", 3.0),)}, "ad"),
        ({"equals": (("rank", 2.5),)}, "g"),
        ({"contains": ("tags", "red")}, "acg"),
        ({"contains": ("tags", 1)}, "a"),
        ({"contains": ("tags", True)}, "a"),
        ({"contains": ("tags", False)}, "g"),
        ({"order_by": "rank"}, "ehbcgad"),
        ({"order_by": "rank", "descending": True}, "dagcbhe"),
        ({"order_by": "rank", "equals": OPEN}, "ebad"),
        ({"order_by": "rank", "equals": OPEN, "descending": True}, "dabe"),
        ({"order_by": "rank", "equals": (("state", "open"), ("place", "x"))}, "ead"),
        ({"order_by": "rank", "equals": (("state", ("open", "done")),)}, "ebcad"),
        ({"order_by": "rank", "contains": ("tags", "red")}, "cga"),
        ({"order_by": "rank", "at_least": 2}, "cgad"),
        ({"order_by": "rank", "at_most": 2}, "hbc"),
        ({"order_by": "rank", "below": 2}, "hb"),
        ({"order_by": "rank", "at_least": 1, "below": 3, "descending": True}, "gcb"),
        ({"order_by": "rank", "at_least": 2.5, "at_most": 2.5}, "g"),
        ({"order_by": "rank", "at_least": 4}, ""),
        ({"order_by": "rank", "limit": 2}, "eh"),
        ({"order_by": "rank", "offset": 2, "limit": 3}, "bcg"),
        ({"offset": 7}, "h"),
        ({"offset": 8}, ""),
        ({"after": Position(None, "c"), "limit": 2}, "de"),
        ({"order_by": "rank", "after": Position(3, "a")}, "d"),
        ({"order_by": "rank", "after": Position(2.5, "g"), "limit": 1}, "a"),
        ({"order_by": "rank", "after": Position(None, "e"), "limit": 2}, "hb"),
        ({"order_by": "rank", "descending": True, "after": Position(3, "d"), "limit": 2}, "ag"),
        ({"order_by": "rank", "descending": True, "after": Position(1, "b")}, "he"),
        ({"order_by": "rank", "descending": True, "after": Position(None, "e")}, ""),
        ({"order_by": "rank", "equals": OPEN, "after": Position(1, "b")}, "ad"),
        ({"order_by": "rank", "at_most": 3, "descending": True, "after": Position(2, "c"), "limit": 9}, "bh"),
        ({"order_by": "rank", "after": Position(2, "gone"), "offset": 1}, "ad"),
    ],
    ids=str,
)
def test_a_query_finds_these_in_this_order(things: Documents, query: dict[str, Any], expected: str) -> None:
    assert ids(things, **query) == expected


def test_documents_come_whole_with_their_versions(things: Documents) -> None:
    (stored,) = things.query(Query("things", equals=(("state", "done"),)))

    assert stored == things.get(Key("things", "c"))
    assert stored.data == ROWS["c"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 8),
        ({"equals": OPEN}, 5),
        ({"equals": OPEN, "limit": 1, "offset": 3}, 5),
        ({"order_by": "rank", "at_least": 2}, 4),
        ({"equals": OPEN, "order_by": "rank", "below": 3}, 1),
        ({"contains": ("tags", "red")}, 3),
        ({"equals": (("state", "gone"),)}, 0),
    ],
    ids=str,
)
def test_a_count_says_how_many_match(things: Documents, query: dict[str, Any], expected: int) -> None:
    assert things.count(Query("things", **query)) == expected


def test_an_unknown_collection_is_empty(documents: Documents) -> None:
    assert documents.query(Query("nothing")) == []
    assert documents.count(Query("nothing")) == 0


@pytest.mark.parametrize("descending", [False, True])
def test_a_walk_sees_each_document_once(documents: Documents, descending: bool) -> None:
    ranks = [None, 0.1, 0.30000000000000004, 1, 1, 1, 2**53, 1e300, -0.5, None]
    rows = {f"{number:02}": {"state": "open", "rank": rank} for number, rank in enumerate(ranks)}
    documents.commit([Put(Key("things", name), row) for name, row in rows.items()])

    walked = list(_walk(documents, descending=descending))

    expected = sorted(rows, key=lambda name: (rows[name]["rank"] is not None, rows[name]["rank"] or 0, name))
    assert walked == (expected[::-1] if descending else expected)


def _walk(documents: Documents, *, descending: bool) -> Iterator[str]:
    after = None
    while True:
        page = documents.query(Query("things", OPEN, order_by="rank", descending=descending, limit=3, after=after))
        yield from (stored.key.id for stored in page)
        if len(page) < 3:
            return
        after = Position(page[-1].data["rank"], page[-1].key.id)


def test_times_to_live_are_ordered_and_ranged_as_texts(documents: Documents) -> None:
    texts = [f"2026-01-15T10:{minute:02}:00.{micro:06}Z" for minute in (1, 2, 3) for micro in (0, 5)]
    documents.commit([Create(Key("things", f"{n}"), {"expires_at": text}) for n, text in enumerate(texts)])
    query = Query("things", order_by="expires_at", at_least=texts[1], below=texts[5])

    assert [stored.data["expires_at"] for stored in documents.query(query)] == texts[1:5]
    after = Position(texts[2], "2")
    assert ids(documents, order_by="expires_at", below=texts[5], after=after) == "34"
    assert ids(documents, equals=(("expires_at", texts[3]),)) == "3"


def test_texts_are_ordered_by_their_bytes(documents: Documents) -> None:
    names = ["", "A", "Z", "a", "zz", "ä", "東", "\uffee", "🧵"]
    documents.commit([Create(Key("things", name or "empty"), {"rank": name}) for name in reversed(names)])

    found = documents.query(Query("things", order_by="rank"))

    assert [stored.data["rank"] for stored in found] == names


def test_reads_are_counted_as_they_are_billed(things: Documents) -> None:
    things.query(Query("things", limit=3))
    assert things.counts.reads == 3
    things.query(Query("things", equals=(("state", "gone"),)))
    assert things.counts.reads == 4
    things.count(Query("things"))
    assert things.counts.reads == 5
    things.query(Query("things", offset=2, limit=3))
    assert things.counts.reads == 10


UNDECLARED = [
    {"equals": OPEN, "order_by": "place"},
    {"equals": (("place", "x"),), "order_by": "rank"},
    {"equals": (("state", "open"), ("color", "x")), "order_by": "rank"},
    {"equals": OPEN, "contains": ("tags", "red"), "order_by": "rank"},
    {"equals": OPEN, "order_by": "state"},
    {"equals": (("note", "x"),)},
    {"order_by": "note"},
    {"descending": True},
]


@pytest.mark.parametrize("query", UNDECLARED, ids=str)
def test_an_undeclared_shape_is_refused(things: Documents, query: dict[str, Any]) -> None:
    with pytest.raises(UndeclaredShape):
        things.query(Query("things", **query))
    with pytest.raises(UndeclaredShape):
        things.count(Query("things", **query))


def test_control_the_same_shape_passes_once_declared(documents: Documents, shapes: Shapes) -> None:
    query = Query("things", equals=(("place", "x"),), order_by="rank")
    with pytest.raises(UndeclaredShape):
        shapes.check(query)

    fields = [{"fieldPath": "place", "order": "ASCENDING"}, {"fieldPath": "rank", "order": "ASCENDING"}]
    Shapes.of({"indexes": [{"collectionGroup": "things", "fields": fields}]}).check(query)


@pytest.mark.parametrize(
    "query",
    [
        {"equals": (("state", "a"), ("state", "b"))},
        {"at_least": 1},
        {"limit": 0},
        {"offset": -1},
        {"equals": (("state", ()),)},
        {"equals": (("state", tuple(range(11))),)},
        {"equals": (("state", (None, "a")),)},
        {"equals": (("state", (True, 1)),)},
        {"contains": ("tags", ("a", "b"))},
        {"equals": (("state", ["a"]),)},
        {"equals": (("state", b"a"),)},
        {"contains": ("tags", None)},
        {"contains": ("tags", ["red"])},
        {"equals": (("bad name", "x"),)},
        {"order_by": "x') --"},
        {"contains": ("'", "x")},
        {"after": Position(None, "a/b")},
    ],
    ids=str,
)
def test_a_form_the_port_does_not_offer_is_refused(documents: Documents, query: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        documents.query(Query("things", **query))


def test_booleans_and_numbers_are_different_values(documents: Documents) -> None:
    rows = {"a": True, "b": 1, "c": 0, "d": False, "e": None, "f": 1.0}
    documents.commit([Create(Key("things", name), {"flag": flag}) for name, flag in rows.items()])

    found = [ids(documents, equals=(("flag", value),)) for value in (True, 1, 0, False, None, (0, 1))]

    assert found == ["a", "bf", "c", "d", "e", "bcf"]
