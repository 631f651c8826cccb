"""Keeping what repeats products true after changes too wide for one commit: bulk edits, categories renamed or with new thresholds.

Levels repeat their product's name, price, category and threshold; products repeat their category's name and thresholds. Narrow
changes are written in the commit that makes them; after wide ones this is done at once, a few products to a commit, and again by a job
(`catalog-upkeep`, started in that commit) should the process have died in between. All of it is safe to repeat.

The job walks the products of a category with new thresholds twice: the second time when every commit that had read the older
ones before they changed (a product moved here, a level made) has landed or failed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from shared.catalog.categories import category_key
from shared.catalog.products import Products
from shared.catalog.record import PRODUCTS, product_key, with_finders
from shared.core.values import dataclass
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import CATALOG_UPKEEP
from shared.ports.documents import Position, Put, Query, Stored

__all__ = ["KIND", "Upkeep"]

KIND = CATALOG_UPKEEP
_IN_ONE_COMMIT = 20
_STEP = 500
_AT_ONCE = 20
_LANDED_S = 120.0
_FIRST, _SECOND = "1", "2"


@dataclass(frozen=True)
class Upkeep:
    """Repeats names and prices where they are repeated."""

    products: Products

    def run(self, wanted: dict[str, Any]) -> None:
        """Do what a job's input says: `product_ids`, or a `category_id` whose present name is repeated.

        Of a category with new `thresholds`, so many products as a caller can wait for.
        """
        if "thresholds" in wanted:
            for stored in self._of_category(wanted["category_id"], None, _AT_ONCE):
                self.products.repeat_thresholds(stored.key.id, wanted["category_id"])
        elif "category_id" in wanted:
            category = self.products.store.get(category_key(wanted["category_id"]))
            if category is not None:
                self.rename_category(category.key.id, category.data["name"])
        else:
            self.relabel(wanted["product_ids"])

    def work(self, step: Step) -> Done | Continue:
        """Do what a job's input says, for certain and in pieces that a repeated delivery goes on from."""
        if "thresholds" not in step.input:
            self.run(dict(step.input))
            return Done()
        walk, _, last = (step.cursor or _FIRST).partition(" ")
        category_id, after = step.input["category_id"], Position(None, last) if last else None
        while found := self._of_category(category_id, after, _IN_ONE_COMMIT):
            for stored in found:
                self.products.repeat_thresholds(stored.key.id, category_id)
            after = Position(None, found[-1].key.id)
            step.checkpoint(cursor=f"{walk} {found[-1].key.id}")
        if walk == _SECOND:
            return Done()
        step.checkpoint(cursor=_SECOND)
        return Continue(_LANDED_S)

    def relabel(self, product_ids: Sequence[str]) -> None:
        """Let the levels of products repeat them as they are now, a few products to a commit."""
        for begin in range(0, len(product_ids), _IN_ONE_COMMIT):
            some = product_ids[begin : begin + _IN_ONE_COMMIT]
            self.products.store.atomically(partial(self._relabelled, some))

    def rename_category(self, category_id: str, name: str) -> None:
        """Let the products of a category repeat its name: outside of any commit, and safe to do again."""
        after: Position | None = None
        while found := self._of_category(category_id, after):
            for stored in found:
                if stored.data["category"] != name:
                    self.products.store.atomically(partial(self._renamed, stored.key.id, category_id, name))
            after = Position(None, found[-1].key.id)

    def _of_category(self, category_id: str, after: Position | None, limit: int = _STEP) -> list[Stored]:
        return self.products.store.query(Query(PRODUCTS, (("category_id", category_id),), limit=limit, after=after))

    def _relabelled(self, product_ids: Sequence[str]) -> None:
        keys = [product_key(product_id) for product_id in product_ids]
        for key, stored in self.products.store.get_many(keys).items():
            self.products.sums.relabel_product(key.id, stored.data)

    def _renamed(self, product_id: str, category_id: str, name: str) -> None:
        stored = self.products.get(product_id)
        if stored.data["category_id"] == category_id and stored.data["category"] != name:
            data = with_finders({**stored.data, "category": name})
            self.products.store.write([Put(stored.key, data, stored.version)])
            self.products.sums.relabel_product(product_id, data)
