"""Which SKUs a publication asks the catalogue for: only those it cannot know already."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.clock import instant
from shared.oos.naming import Naming

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


class Catalogue:
    """Products by SKU; notes what it is asked for."""

    def __init__(self, products: dict[str, str], new: dict[str, str] | None) -> None:
        """Take all products, and the new ones (None for many)."""
        self.products, self.new = products, new
        self.asked: list[str] = []
        self.since: str | None = None

    def product_ids(self, skus: Collection[str]) -> dict[str, str]:
        """Return the ids of known SKUs."""
        self.asked = sorted(skus)
        return {sku: self.products[sku] for sku in skus if sku in self.products}

    def made_since(self, moment: str) -> dict[str, str] | None:
        """Return the new products."""
        self.since = moment
        return self.new


def rows(**named: str | None) -> dict[str, dict[str, Any]]:
    """Return published rows of one line each, by SKU with the product it was named with."""
    return {sku: {"lines": [{"sku": sku, "product_id": product_id}]} for sku, product_id in named.items()}


def pointer(named: timedelta, everything: timedelta) -> dict[str, str]:
    """Return a pointer that says how long ago SKUs were asked for, and how long ago all of them."""
    return {"named_at": instant(NOW - named), "all_named_at": instant(NOW - everything)}


FRESH = pointer(timedelta(minutes=5), timedelta(hours=23))


def test_the_first_publication_asks_for_every_sku() -> None:
    """Nothing is known; both times are noted."""
    catalogue = Catalogue({"A": "prd_a"}, {})

    named, told = Naming(catalogue).named({"A", "B"}, {}, {}, NOW)

    assert (named, catalogue.asked, catalogue.since) == ({"A": "prd_a"}, ["A", "B"], None)
    assert told == {"named_at": instant(NOW), "all_named_at": instant(NOW)}


def test_a_later_one_asks_for_new_skus_and_for_the_products_made_since() -> None:
    """A named SKU stays named; one without a product gets it from the new ones, in whatever case; times are noted."""
    catalogue = Catalogue({"C": "prd_c"}, {"b": "prd_b"})

    named, told = Naming(catalogue).named({"A", "B", "C", "D"}, rows(A="prd_a", B=None, D=None), FRESH, NOW)

    assert (named, catalogue.asked) == ({"A": "prd_a", "B": "prd_b", "C": "prd_c"}, ["C"])
    assert catalogue.since == instant(NOW - timedelta(minutes=15))
    assert told == {"named_at": instant(NOW), "all_named_at": FRESH["all_named_at"]}


def test_many_new_products_and_a_day_gone_by_mean_all_skus() -> None:
    """Whatever could have been missed is found within a day."""
    for catalogue, said in (
        (Catalogue({"A": "prd_a"}, None), FRESH),
        (Catalogue({"A": "prd_a"}, {}), pointer(timedelta(minutes=5), timedelta(days=1))),
    ):
        named, told = Naming(catalogue).named({"A"}, rows(A=None), said, NOW)

        assert (named, catalogue.asked) == ({"A": "prd_a"}, ["A"])
        assert told["all_named_at"] == instant(NOW)


def test_control_a_catalogue_that_hides_new_products_leaves_lines_without_theirs() -> None:
    """The new products are what finds B: without them it stays unnamed."""
    catalogue = Catalogue({"B": "prd_b"}, {})

    named, _ = Naming(catalogue).named({"B"}, rows(B=None), FRESH, NOW)

    assert (named, catalogue.asked) == ({}, [])
