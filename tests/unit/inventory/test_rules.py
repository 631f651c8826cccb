"""The pure rules of stock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core.clock import instant
from shared.core.errors import InsufficientStock, InvalidState, QuantityMismatch
from shared.inventory.rules import (
    check_change,
    facts_of_product,
    facts_of_store,
    moved,
    new_level,
    new_stock,
    recounted,
    search_tokens,
    status_of,
    summed,
)
from shared.inventory.words import MovementType
from tests.http.inventory.builders import product_document
from tests.unit.inventory.builders import store_document

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 15, 13, tzinfo=UTC)


def a_level(**changed: Any) -> dict[str, Any]:
    facts = facts_of_product(product_document("CUP")) | facts_of_store(store_document("Main"))
    return recounted({**new_level("main", "cup", facts, NOW), **changed}, NOW)


@pytest.mark.parametrize(
    ("available", "threshold", "status"),
    [
        (0, 10, "critical"),
        (0, 0, "critical"),
        (1, 10, "low"),
        (10, 10, "low"),
        (11, 10, "sufficient"),
        (1, 0, "sufficient"),
    ],
)
def test_at_the_threshold_is_low(available: int, threshold: int, status: str) -> None:
    assert status_of(available, threshold) == status


def test_a_level_follows_its_quantities() -> None:
    held = {"a": [3, None], "b": [4, instant(LATER)], "c": [5, instant(NOW)]}
    level = a_level(on_hand=10, held=held, reorder_level=2)

    assert (level["reserved"], level["available"], level["effective_reorder_level"]) == (7, 3, 2)
    assert (level["stock_status"], level["low_stock"], level["value"]) == ("sufficient", False, "25.00")
    assert level["next_expiry"] == instant(NOW)


def test_values_are_rounded_half_up_and_negative_below_zero() -> None:
    assert a_level(on_hand=3, price="0.005")["value"] == "0.02"
    assert a_level(on_hand=-2)["value"] == "-5.00"
    assert a_level(on_hand=3, price=None)["value"] is None


@pytest.mark.parametrize(
    ("quantity", "kind", "refusal"),
    [
        (-7, MovementType.REMOVAL, None),
        (-8, MovementType.REMOVAL, InsufficientStock),
        (-8, MovementType.SALE, InsufficientStock),
        (-8, MovementType.TRANSFER_OUT, InsufficientStock),
        (-8, MovementType.CORRECTION, None),
        (-10, MovementType.CORRECTION, None),
        (-11, MovementType.CORRECTION, InsufficientStock),
        (1_000_000_000, MovementType.ADDITION, InvalidState),
    ],
)
def test_reserved_units_are_not_taken_but_may_be_corrected_away(
    quantity: int, kind: MovementType, refusal: type[Exception] | None
) -> None:
    level = a_level(on_hand=10, held={"a": [3, None]})
    if refusal is None:
        check_change(level, quantity, kind, NOW)
        return
    with pytest.raises(refusal):
        check_change(level, quantity, kind, NOW)


def test_the_expected_quantity_is_that_on_hand() -> None:
    level = a_level(on_hand=10, held={"a": [3, None]})

    check_change(level, -1, MovementType.REMOVAL, NOW, expected=10)
    with pytest.raises(QuantityMismatch) as refused:
        check_change(level, -1, MovementType.REMOVAL, NOW, expected=7)
    assert refused.value.extra == {"current_quantity": 10}


def test_below_zero_only_where_allowed() -> None:
    check_change(a_level(on_hand=1, allow_negative=True), -5, MovementType.SALE, NOW)


def test_movements_of_a_level_have_times_that_rise() -> None:
    first = moved(a_level(), 5, NOW)
    second = moved(first, 5, NOW)

    assert (first["last_updated"], second["last_updated"]) == (instant(NOW), "2026-01-15T12:00:00.000001Z")
    assert second["on_hand"] == 10


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-50, 50), max_size=20), st.lists(st.integers(1, 9), max_size=5))
def test_sums_follow_levels(quantities: list[int], held: list[int]) -> None:
    level, sums = a_level(), summed(new_stock("cup"), "lvl_1", None, a_level())
    for number, quantity in enumerate(quantities):
        after = moved({**level, "held": {str(n): [q, None] for n, q in enumerate(held[:number])}}, quantity, NOW)
        level, sums = after, summed(sums, "lvl_1", level, after)

    assert sums["current_stock"] == sum(quantities) == level["on_hand"]
    assert sums["available_stock"] == level["available"] >= 0
    assert sums["reserved_stock"] == level["reserved"]


def test_words_are_found_by_their_beginnings() -> None:
    assert search_tokens(["Édge-Cup", None]) == ["c", "cu", "cup", "e", "ed", "edg", "edge"]
    assert max(map(len, search_tokens(["x" * 40]))) == 12
