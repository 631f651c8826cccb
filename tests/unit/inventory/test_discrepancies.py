"""What our books and the 3PLs disagree about: only what is known, and only while orders wait."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.inventory.discrepancies import Discrepancies
from shared.inventory.figure_models import DiscrepancyFilter

HELD: Mapping[str, Mapping[str, Sequence[str]]] = {
    "shipbob": {"CUP": ["1", "2"], "BOWL": ["3"], "POT": ["4"]},
    "stord": {"CUP": ["9"], "PLATE": ["8"]},
}
SELLABLE: Mapping[tuple[str, str], int | None] = {
    ("CUP", "shipbob"): 5,
    ("CUP", "stord"): 0,
    ("BOWL", "shipbob"): 0,
    ("POT", "shipbob"): None,
}
OURS = {"CUP": 3, "PLATE": 7, "POT": 9}


def live(skus: Sequence[str]) -> list[dict[str, Any]]:
    def told(sku: str, source: str) -> dict[str, Any]:
        units = SELLABLE.get((sku, source), -1)
        if units is None:
            return {"status": "error", "available": None}
        return {"status": "not_found", "available": None} if units < 0 else {"status": "ok", "available": units}

    return [{"sku": sku, "sources": {source: told(sku, source) for source in HELD}} for sku in skus]


def found(**query: Any) -> list[tuple[str, str, str, int, int, list[str]]]:
    service = Discrepancies(lambda source: HELD[source], live, lambda skus: {s: OURS[s] for s in skus if s in OURS})
    wanted = DiscrepancyFilter.model_validate(query)
    return [tuple(row.values()) for row in service.page(wanted, None).rows]


def test_phantom_is_sellable_there_and_hidden_is_free_here() -> None:
    assert found() == [
        ("CUP", "shipbob", "phantom", 3, 5, ["1", "2"]),
        ("CUP", "stord", "hidden", 3, 0, ["9"]),
        ("PLATE", "stord", "hidden", 7, 0, ["8"]),
    ]


def test_a_source_that_does_not_answer_says_nothing() -> None:
    assert "POT" not in {row[0] for row in found()}


def test_it_is_filtered_sorted_and_paged() -> None:
    service = Discrepancies(lambda source: HELD[source], live, lambda _: OURS)
    first = service.page(DiscrepancyFilter(limit=1, include_total=True), None)
    rest = service.page(DiscrepancyFilter(limit=5), first.next)

    assert [row[:2] for row in found(source=["stord"])] == [("CUP", "stord"), ("PLATE", "stord")]
    assert [row[0] for row in found(sort="-sku")] == ["PLATE", "CUP", "CUP"]
    assert (first.total, first.next) == (3, ["CUP", "shipbob"])
    assert [row["source"] for row in rest.rows] == ["stord", "stord"]
    assert rest.next is None
