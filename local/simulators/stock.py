"""Stock of a simulated warehouse network: units per good and site, consistent with what ran out."""

from collections.abc import Iterable, Sequence

from local.demo.baskets import Good
from local.demo.chance import chance
from shared.core.values import dataclass

__all__ = ["Level", "Stock"]


@dataclass(slots=True)
class Level:
    """Units of one good at one site; what may be sold now is on hand less committed."""

    on_hand: int
    committed: int
    awaiting: int

    @property
    def free(self) -> int:
        """Return the units not promised to anybody."""
        return max(0, self.on_hand - self.committed)


class Stock:
    """Levels by (good number, site); a level is made from the seed when first looked at."""

    def __init__(self, goods: Iterable[Good], sites: int, seed: int, short: Iterable[tuple[int, int]] = ()) -> None:
        """Take the goods, the number of sites, and the pairs that have nothing free."""
        self.goods = {good.number: good for good in goods}
        self.by_sku = {good.sku: good for good in self.goods.values()}
        self.sites = sites
        self._seed = seed
        self._short = set(short)
        self._levels: dict[tuple[int, int], Level] = {}

    def level(self, number: int, site: int) -> Level:
        """Return the level of a good at a site; it may be changed in place."""
        pair = (number, site)
        if pair not in self._levels:
            self._levels[pair] = self._first(pair)
        return self._levels[pair]

    def levels(self, number: int) -> Sequence[Level]:
        """Return the levels of a good, one per site."""
        return [self.level(number, site) for site in range(self.sites)]

    def run_out(self, number: int, site: int) -> None:
        """Leave nothing free of a good at a site."""
        level = self.level(number, site)
        level.committed = level.on_hand

    def _first(self, pair: tuple[int, int]) -> Level:
        rng = chance("level", self._seed, *pair)
        if pair in self._short:
            units = rng.randrange(6)
            return Level(units, units, rng.choice((0, 0, 40, 120)))
        on_hand = rng.randrange(8, 400)
        return Level(on_hand, rng.randrange(on_hand // 3 + 1), rng.choice((0, 0, 60)))
