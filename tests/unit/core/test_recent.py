"""What is remembered: rows by the version of their document, within bounds, the last ones for certain."""

from typing import Any

from shared.core.once import Recent
from shared.core.page import Rows, Written
from shared.ports.documents import Key, Stored


def _stored(document_id: str, version: str, **data: Any) -> Stored:
    return Stored(Key("things", document_id), data, version)


def test_the_last_ones_are_remembered_for_certain_and_never_more_than_twice_as_many() -> None:
    recent: Recent[int, int] = Recent(4)
    for number in range(100):
        recent.keep(number, number * 10)
        known = [name for name in range(100) if name in recent._new or name in recent._old]
        assert set(range(max(0, number - 3), number + 1)) <= set(known)
        assert len(known) <= 8

    assert [recent.get(number) for number in (99, 98, 0)] == [990, 980, None]


def test_what_is_asked_for_again_and_again_stays() -> None:
    recent: Recent[str, str] = Recent(4)
    recent.keep("home", "x")
    for number in range(50):
        assert recent.get("home") == "x"
        recent.keep(f"other {number}", "y")


def test_a_row_is_made_once_for_each_version_of_a_document() -> None:
    made: list[str] = []

    def show(stored: Stored) -> dict[str, Any]:
        made.append(stored.version)
        return {"id": stored.key.id, **stored.data}

    written = Written(show)
    first = written.rows([_stored("a", "1", name="ä", price=1.5), _stored("b", "2", name=None)])
    again = written.rows([_stored("b", "2", name=None), _stored("a", "3", name="new"), _stored("c", "1")])

    assert first == [b'{"id":"a","name":"\xc3\xa4","price":1.5}', b'{"id":"b","name":null}']
    assert again == [b'{"id":"b","name":null}', b'{"id":"a","name":"new"}', b'{"id":"c"}']
    assert isinstance(again, Rows)
    assert made == ["1", "2", "3", "1"]
