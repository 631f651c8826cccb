"""The audit judges a level and its reservations as of one moment."""

from datetime import datetime, timedelta

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from tests.stores import INDEX_FILE
from tests.unit.inventory.builders import a_stock


class Passing(ManualClock):
    """A clock on which time passes whenever somebody looks at it, once `step` is set."""

    step = 0.0

    def now(self) -> datetime:
        """Return the time, and let some pass."""
        seen = super().now()
        self._now += timedelta(seconds=self.step)
        return seen


def test_reservations_that_end_while_the_audit_looks_are_no_difference() -> None:
    clock = Passing()
    stock = a_stock(SqliteDocuments(":memory:", Shapes.read(INDEX_FILE)), clock)
    stock.adjust("cup", 99)
    for seconds in range(10, 30):
        stock.reserve("cup", 2, seconds)
    clock.advance(10)
    clock.step = 1.0

    assert stock.audit.check().differences == []
