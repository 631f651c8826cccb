"""Parts of a diff hold every row once, in order, and stay within what a document holds."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from shared.imports import packing
from shared.imports.packing import pieces

ROWS = st.lists(st.tuples(st.integers(), st.text(max_size=5)).map(list), max_size=40)


@given(ROWS, st.integers(1, 12))
def test_pieces_hold_every_row_once_and_no_more_than_asked_for(rows: list[list[object]], most: int) -> None:
    made = list(pieces(rows, most))

    assert [row for _, payload in made for row in from_json(payload)] == rows
    assert [count for count, _ in made] == [len(from_json(payload)) for _, payload in made]
    assert all(1 <= count <= most for count, _ in made)


def test_long_rows_are_parted_before_a_document_is_full() -> None:
    rows = [[number, "x" * 20_000] for number in range(100)]

    made = list(pieces(rows, 500))

    assert [count for count, _ in made] == [29, 29, 29, 13]
    assert max(len(payload) for _, payload in made) <= packing._MOST_BYTES


def test_a_row_that_is_longer_than_a_part_is_one_by_itself() -> None:
    assert [count for count, _ in pieces([["x" * 700_000], ["y"]], 500)] == [1, 1]
