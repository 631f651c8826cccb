"""The states of orders, and the state machine of transfer orders in one table; what is not in it is refused."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import parse_instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import Forbidden, InvalidState
from shared.core.values import dataclass

__all__ = [
    "CUSTOMER_ORDERS",
    "TRANSITIONS",
    "CustomerStatus",
    "ItemStatus",
    "Move",
    "Status",
    "Stock",
    "Transition",
    "allowed_from",
    "check_role",
    "is_late",
    "transition",
]

CUSTOMER_ORDERS = "customer_orders"
"""Where customers' orders lie."""


class Status(StrEnum):
    """Where a transfer order stands."""

    PENDING_REVIEW = "pending_review"
    APPROVED = "approved"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class Stock(StrEnum):
    """What a transition does to stock."""

    RESERVE = "reserve"
    MOVE = "move"
    RELEASE = "release"
    NOTHING = "nothing"


class CustomerStatus(StrEnum):
    """Where a customer's order stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    FULFILLED = "fulfilled"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLMENT_FAILED = "fulfillment_failed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class ItemStatus(StrEnum):
    """Where an item of an order stands."""

    PENDING = "pending"
    ORDERED = "ordered"
    FAILED = "failed"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Transition:
    """Who may make a transition, and what it does to stock. `or_requester`: the one who asked for the order may, too."""

    role: Role
    stock: Stock
    or_requester: bool = False


TRANSITIONS: Mapping[tuple[Status, Status], Transition] = {
    (Status.PENDING_REVIEW, Status.APPROVED): Transition(Role.MANAGER, Stock.RESERVE),
    (Status.PENDING_REVIEW, Status.CANCELLED): Transition(Role.MANAGER, Stock.NOTHING, or_requester=True),
    (Status.APPROVED, Status.FULFILLED): Transition(Role.OPERATOR, Stock.MOVE),
    (Status.APPROVED, Status.CANCELLED): Transition(Role.MANAGER, Stock.RELEASE, or_requester=True),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A decision on an order: the state it is to have, by whom, and what was said.

    `token` names the request that decides on several orders: the same one again finds its own decision made.
    """

    target: Status
    caller: Caller
    said: str | None = None
    condition: Precondition = NO_CONDITION
    token: str | None = None


def allowed_from(status: Status) -> list[str]:
    """Return the states that may follow."""
    return [after.value for before, after in TRANSITIONS if before is status]


def transition(status: Status, target: Status) -> Transition:
    """Return what a transition takes and does; raise InvalidState when there is none."""
    found = TRANSITIONS.get((status, target))
    if found is None:
        detail = f"An order that is {status.value} cannot become {target.value}."
        raise InvalidState(detail, current=status.value, allowed=allowed_from(status))
    return found


def check_role(caller: Caller, target: Status, requested_by: str | None = None) -> None:
    """Raise Forbidden when the caller may not bring an order of that requester (None: of anybody) into a state."""
    steps = [step for (_, after), step in TRANSITIONS.items() if after is target]
    own = requested_by is None or caller.user_id == requested_by
    if steps and not any(caller.may(step.role) or (step.or_requester and own) for step in steps):
        needed = min((step.role for step in steps), key=list(Role).index)
        besides = ", or the one who asked for the order" if any(step.or_requester for step in steps) else ""
        raise Forbidden(f"This needs the role {needed.value}{besides}.")


def is_late(order: Mapping[str, Any], now: datetime, sla_hours: float) -> bool:
    """Say whether an order has waited for its review longer than promised."""
    waiting = order["status"] == Status.PENDING_REVIEW.value
    return waiting and now - parse_instant(order["created_at"]) > timedelta(hours=sla_hours)
