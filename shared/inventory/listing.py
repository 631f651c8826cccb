"""Reading lists of stock, from a query of the wire to what the store is asked: loaded when the first list is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.core.once import once
from shared.core.page import Written
from shared.core.values import dataclass
from shared.inventory import lists
from shared.inventory.views import LEVEL_KEYS, MOVEMENT_KEYS, movement_view

if TYPE_CHECKING:
    from shared.inventory.list_models import HistoryFilter, LotFilter, LowStockFilter, MovementFilter, ReservationFilter
    from shared.inventory.lists import Asked
    from shared.inventory.models import LevelFilter
    from shared.inventory.reservations import Reservations
    from shared.inventory.rules import Data
    from shared.inventory.service import Levels
    from shared.inventory.sums import Sums
    from shared.ports.documents import Stored

__all__ = ["StockLists"]


@dataclass(frozen=True)
class StockLists:
    """What each list asks and how its rows are shown; reservations that have ended are taken out first."""

    sums: Sums
    level_views: Levels
    reservation_views: Reservations

    level_keys = LEVEL_KEYS
    movement_keys = MOVEMENT_KEYS

    def levels(self, wanted: LevelFilter) -> Asked:
        """Return what a list of levels asks."""
        self.sums.settle_due()
        return lists.levels(wanted)

    def low_stock(self, wanted: LowStockFilter) -> Asked:
        """Return what the list of levels that run low asks."""
        self.sums.settle_due()
        return lists.low_stock(wanted)

    def lots(self, wanted: LotFilter) -> Asked:
        """Return what the list of levels with lots asks."""
        self.sums.settle_due()
        return lists.lots(wanted, self.level_views.ledger.clock.now().date())

    def movements(self, wanted: MovementFilter) -> Asked:
        """Return what a list of movements asks."""
        return lists.movements(wanted)

    def history(self, product_id: str, wanted: HistoryFilter) -> Asked:
        """Return what the list of a product's movements asks."""
        return lists.movements(wanted, product_id)

    def reservations(self, wanted: ReservationFilter) -> Asked:
        """Return what a list of reservations asks."""
        self.sums.settle_due()
        return lists.reservations(wanted)

    @once
    def level_rows(self) -> Written[Stored]:
        """Return how levels are shown, as JSON."""
        return Written(self.level)

    def level(self, stored: Stored) -> Data:
        """Return a level as shown."""
        return self.level_views.listed(stored)

    def movement(self, stored: Stored) -> Data:
        """Return a movement as shown."""
        return movement_view(stored)

    def reservation(self, stored: Stored) -> Data:
        """Return a reservation as shown."""
        return self.reservation_views.shown(stored)
