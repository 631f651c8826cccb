"""A transfer order moves its units exactly once, whoever asks at once and however it ends, on every store."""

from shared.core.clock import SystemClock
from shared.core.errors import InvalidState, Problem
from shared.orders.rules import Status
from shared.ports.documents import Documents, Stored
from tests.contract.stock.buyers import fared
from tests.contract.trade.market import MANAGER, Market, a_market
from tests.stores import on_stores

CALLERS = 12


def at_once(market: Market, order: Stored, *targets: Status) -> list[str]:
    """Let many callers take an order further at once; return what the ones that may did."""
    done: list[str] = []

    def one(target: Status) -> None:
        try:
            market.move(order, target)
        except InvalidState:
            return
        done.append(target.value)

    fared([lambda target=target: one(target) for target in targets])  # type: ignore[misc]
    return done


def test_an_order_is_approved_and_fulfilled_once_by_many(documents: Documents) -> None:
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 10)
    order = market.order(4)

    approved = at_once(market, order, *[Status.APPROVED] * CALLERS)
    assert (approved, market.stock.level("cup")["reserved"]) == (["approved"], 4)
    fulfilled = at_once(market, order, *[Status.FULFILLED] * CALLERS)

    assert fulfilled == ["fulfilled"]
    here, there = market.stock.level("cup"), market.stock.level("cup", "other")
    assert (here["on_hand"], here["reserved"], there["on_hand"]) == (6, 0, 4)
    assert [one["quantity"] for one in market.stock.movements("cup", "other")] == [4]


@on_stores("sqlite-memory", "firestore-server")
def test_fulfilling_and_cancelling_at_once_do_one_of_both(documents: Documents) -> None:
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 100)
    for _ in range(5):
        order = market.order(4)
        market.move(order, Status.APPROVED)

        (done,) = at_once(market, order, *[Status.FULFILLED, Status.CANCELLED] * 4)

        assert market.transfers.get(order.key.id).data["status"] == done
        assert market.stock.level("cup")["reserved"] == 0
    moved = sum(one["quantity"] for one in market.stock.movements("cup", "other"))
    assert market.stock.level("cup")["on_hand"] == 100 - moved


@on_stores("sqlite-memory")
def test_orders_that_want_the_last_units_reserve_them_once(documents: Documents) -> None:
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 10)
    orders = [market.order(4) for _ in range(CALLERS)]

    outcomes = fared([lambda order=order: market.move(order, Status.APPROVED) for order in orders])  # type: ignore[misc]

    assert outcomes == {"done": 2, "short": CALLERS - 2}
    assert market.stock.level("cup")["reserved"] == 8


@on_stores("sqlite-memory")
def test_numbers_are_unique_and_rise_under_many_callers(documents: Documents) -> None:
    market = a_market(documents, SystemClock())

    assert fared([lambda: market.order(1)] * CALLERS) == {"done": CALLERS}
    numbers = [market.transfers.get(f"ORD{number:06d}").data["order_number"] for number in range(1, CALLERS + 1)]
    assert len(set(numbers)) == CALLERS


@on_stores("sqlite-memory")
def test_control_a_move_without_the_order_in_its_commit_moves_twice(documents: Documents) -> None:
    """What the checks above look for: stock that moves by itself, apart from the order's state, moves again."""
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 10)
    order = market.order(4)
    market.move(order, Status.APPROVED)

    for _ in range(2):
        try:
            market.transfers._move_stock(market.transfers.get(order.key.id), MANAGER)
        except Problem:
            break

    assert sum(one["quantity"] for one in market.stock.movements("cup", "other")) == 8
