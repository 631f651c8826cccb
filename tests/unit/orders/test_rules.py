"""The one table of transfer orders' states, and the rules of customers' orders."""

from itertools import product
from typing import Any

import pytest

from shared.core.caller import Caller, Role
from shared.core.errors import Forbidden, InvalidState
from shared.orders.rules import TRANSITIONS, CustomerStatus, Status, Stock, check_role, transition
from shared.orders.selection import BY_HAND, move_by_hand, outcome, reference_of, status_after


def test_the_table_is_that_of_the_contract() -> None:
    assert {(before.value, after.value): step.stock for (before, after), step in TRANSITIONS.items()} == {
        ("pending_review", "approved"): Stock.RESERVE,
        ("pending_review", "cancelled"): Stock.NOTHING,
        ("approved", "fulfilled"): Stock.MOVE,
        ("approved", "cancelled"): Stock.RELEASE,
    }


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_every_pair_is_in_the_table_or_refused_with_what_is_allowed(before: Status, after: Status) -> None:
    if (before, after) in TRANSITIONS:
        assert transition(before, after) is TRANSITIONS[before, after]
        return
    with pytest.raises(InvalidState) as refused:
        transition(before, after)
    assert refused.value.extra["current"] == before.value
    assert refused.value.extra["allowed"] == [each.value for each in Status if (before, each) in TRANSITIONS]


@pytest.mark.parametrize(
    ("role", "target", "own", "may"),
    [
        (Role.OPERATOR, Status.APPROVED, True, False),
        (Role.MANAGER, Status.APPROVED, False, True),
        (Role.OPERATOR, Status.FULFILLED, False, True),
        (Role.OPERATOR, Status.CANCELLED, True, True),
        (Role.OPERATOR, Status.CANCELLED, False, False),
        (Role.MANAGER, Status.CANCELLED, False, True),
    ],
)
def test_who_may_bring_an_order_where(role: Role, target: Status, own: bool, may: bool) -> None:
    caller = Caller("usr_1", "ada", role)
    try:
        check_role(caller, target, "usr_1" if own else "usr_2")
    except Forbidden:
        assert not may
    else:
        assert may


@pytest.mark.parametrize(("before", "after"), list(product(CustomerStatus, CustomerStatus)))
def test_a_person_moves_customers_orders_by_the_table_only(before: CustomerStatus, after: CustomerStatus) -> None:
    if after in BY_HAND.get(before, ()):
        move_by_hand(before, after)
        return
    with pytest.raises(InvalidState):
        move_by_hand(before, after)


def states(*words: str) -> list[dict[str, Any]]:
    """Return items in these states."""
    return [{"fulfillment_status": word} for word in words]


def test_an_order_stands_as_its_items_do() -> None:
    assert outcome(states("ordered", "shipped")) is CustomerStatus.FULFILLED
    assert outcome(states("ordered", "failed")) is CustomerStatus.PARTIALLY_FULFILLED
    assert outcome(states("failed", "pending")) is CustomerStatus.FULFILLMENT_FAILED
    assert status_after(states("pending", "pending"), cancelled=True) is CustomerStatus.PENDING
    assert status_after(states("ordered", "pending"), cancelled=True) is CustomerStatus.PARTIALLY_FULFILLED


def test_references_are_fixed_and_further_ones_numbered() -> None:
    assert reference_of("CO000001", "sup_a", 0) == "ONH-CO000001-sup_a"
    assert reference_of("CO000001", "sup_a", 1) == "ONH-CO000001-sup_a-2"
