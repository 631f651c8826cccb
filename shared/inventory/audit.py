"""The audit: every level against the sum of its movements and its live reservations, and the repair of what differs.

It reads the ledger itself, movement by movement: right rather than quick, and meant for the night.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.core.clock import instant
from shared.core.errors import NotFound, Terminal
from shared.core.values import dataclass
from shared.inventory.figure_models import Audit, Difference
from shared.inventory.keys import LEVELS, MOVEMENTS, RESERVATIONS
from shared.inventory.ledger import Ledger
from shared.inventory.lots import add_lots, explained
from shared.inventory.rules import Data, live
from shared.jobs.kinds import Done
from shared.jobs.states import ItemStatus
from shared.jobs.step import Step
from shared.ports.documents import Key, Position, Query, Stored

__all__ = ["DIFFERS", "StockAudit"]

DIFFERS = "stock_differs"
_TRIES = 5
_AT_ONCE = 100
_MOST_TEXT = 500


@dataclass(frozen=True)
class StockAudit:
    """Comparing and repairing."""

    ledger: Ledger

    def check(self) -> Audit:
        """Compare every level with its ledger."""
        booked: dict[tuple[str, str], int] = defaultdict(int)
        reserved: dict[tuple[str, str], int] = defaultdict(int)
        lots: dict[tuple[str, str], Data] = defaultdict(dict)
        for movement in self.ledger.store.walk(Query(MOVEMENTS)):
            booked[_pair(movement)] += movement.data["quantity"]
            add_lots(lots[_pair(movement)], movement.data)
        now = self.ledger.clock.now()
        for reservation in self._running(Query(RESERVATIONS, (("status", "active"),)), now):
            reserved[_pair(reservation)] += reservation.data["quantity"]
        checked, differences = 0, []
        for level in self.ledger.store.walk(Query(LEVELS)):
            checked += 1
            pair = _pair(level)
            if any(_differences((level, now), booked[pair], reserved[pair], lots[pair])):
                differences += self._looked_at_again(level.key)
        return Audit(checked=checked, differences=differences)

    def watch(self, step: Step) -> Done:
        """Compare every level with its ledger, a hundred between two checkpoints; raise Terminal when one differs.

        The job's items name the levels that do. It may take several deliveries; a level that moved on after its turn was right then.
        """
        checked, differing = step.counts.get("checked", 0), step.counts.get("differing", 0)
        after = Position(None, step.cursor) if step.cursor else None
        while found := self.ledger.store.query(Query(LEVELS, limit=_AT_ONCE, after=after)):
            for level in found:
                differences = self._looked_at_again(level.key)
                if differences:
                    step.item(
                        level.key.id, ItemStatus.FAILED, DIFFERS, "; ".join(map(_sentence, differences))[:_MOST_TEXT]
                    )
                    differing += 1
            checked += len(found)
            after = Position(None, found[-1].key.id)
            step.checkpoint(cursor=after.id, counts={"checked": checked, "differing": differing})
        if differing:
            raise Terminal(DIFFERS, f"{differing} of {checked} levels differ from their ledger or their reservations.")
        return Done({"checked": checked})

    def repair(self, level_ids: Sequence[str]) -> list[Data]:
        """Make levels agree with their ledgers; return the movements `repair` that explain what was counted."""
        found = self._levels(list(dict.fromkeys(level_ids)))
        booking = self.ledger.open(_pair(level) for level in found)
        movements = []
        for level in found:
            pair = _pair(level)
            booked, lots = self._booked(pair)
            booking.relot(*pair, explained(lots))
            made = booking.repair(*pair, booked, self._held(pair, booking.now))
            movements += [made] if made else []
        booking.write()
        return movements

    def _levels(self, level_ids: Sequence[str]) -> list[Stored]:
        keys = [Key(LEVELS, level_id) for level_id in level_ids]
        found = self.ledger.store.get_many(keys)
        if len(found) < len(keys):
            raise NotFound("No stock level has one of these ids.", resource="inventory")
        return [found[key] for key in keys]

    def _looked_at_again(self, key: Key) -> list[Difference]:
        """Compare one level while nobody changes it: what moved during the walk is no difference, nor what ends meanwhile."""
        for _ in range(_TRIES):
            level, now = self.ledger.store.get(key), self.ledger.clock.now()
            if level is None:
                return []
            pair = _pair(level)
            reserved = sum(quantity for quantity, _ in self._held(pair, now).values())
            booked, lots = self._booked(pair)
            found = list(_differences((level, now), booked, reserved, lots))
            again = self.ledger.store.get(key)
            if again is not None and again.version == level.version:
                return found
        return []

    def _booked(self, pair: tuple[str, str]) -> tuple[int, Data]:
        """Return the units a ledger explains, and those of each lot."""
        query = Query(MOVEMENTS, (("product_id", pair[0]), ("store_id", pair[1])), order_by="created_at")
        booked, lots = 0, Data()
        for movement in self.ledger.store.walk(query):
            booked += movement.data["quantity"]
            add_lots(lots, movement.data)
        return booked, lots

    def _held(self, pair: tuple[str, str], now: datetime) -> Data:
        query = Query(RESERVATIONS, (("product_id", pair[0]), ("store_id", pair[1]), ("status", "active")))
        return {one.key.id: [one.data["quantity"], one.data["expires_at"]] for one in self._running(query, now)}

    def _running(self, query: Query, now: datetime) -> Iterator[Stored]:
        moment = instant(now)
        for one in self.ledger.store.walk(query):
            until = one.data["expires_at"]
            if until is None or until > moment:
                yield one


def _differences(seen: tuple[Stored, datetime], booked: int, reserved: int, lots: Data) -> Iterator[Difference]:
    """Yield what differs between a level as seen at a moment and what its ledger and reservations of that moment say."""
    level, now = seen
    pairs = {
        "on_hand": (level.data["on_hand"], booked),
        "reserved": (live(level.data, now), reserved),
        **_lots(level.data, lots),
    }
    for field, (stored, computed) in pairs.items():
        if stored != computed:
            yield Difference(inventory_id=level.key.id, field=field, stored=stored, computed=computed)


def _sentence(found: Difference) -> str:
    return f"{found.field} is {found.stored}, booked are {found.computed}"


def _lots(level: Data, booked: Data) -> dict[str, tuple[int, int]]:
    """Return what a level with lots holds of each, and what its ledger explains; of one without, nothing."""
    if "lots" not in level:
        return {}
    held = {lot["lot"] or "": lot["quantity"] for lot in level["lots"]}
    told = {name: lot["quantity"] for name, lot in booked.items()}
    return {f"lots/{name}": (held.get(name, 0), told.get(name, 0)) for name in held | told}


def _pair(stored: Stored) -> tuple[str, str]:
    return stored.data["product_id"], stored.data["store_id"]
