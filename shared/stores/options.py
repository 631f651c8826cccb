"""Stores and regions to choose from."""

from collections import Counter
from collections.abc import Sequence

from shared.stores.models import RegionOption, RegionSummary, Store, StoreOption, StoreType

__all__ = ["region_options", "region_summary", "store_options"]


def store_options(stores: Sequence[Store], regions: Sequence[str] | None) -> list[StoreOption]:
    """Return the stores of some regions (all without), by name."""
    return [
        StoreOption(
            value=store.id,
            label=store.name,
            store_id=store.id,
            store_name=store.name,
            store_code=store.code,
            region=store.region,
        )
        for store in stores
        if regions is None or store.region in regions
    ]


def region_options(stores: Sequence[Store]) -> list[RegionOption]:
    """Return `all` and every region with how many stores it has."""
    counts = Counter(store.region for store in stores)
    first = RegionOption(value="all", label=f"All Regions ({len(stores)} stores)", store_count=len(stores))
    others = [
        RegionOption(value=region, label=f"{region} ({count} stores)", store_count=count)
        for region, count in sorted(counts.items())
    ]
    return [first, *others]


def region_summary(stores: Sequence[Store]) -> list[RegionSummary]:
    """Return how many stores of which type each region has."""
    kinds = Counter((store.region, store.store_type) for store in stores)
    totals = Counter(store.region for store in stores)
    return [
        RegionSummary(
            region=region,
            total_stores=totals[region],
            **{f"{kind.value.lower()}_stores": kinds[region, kind] for kind in StoreType},
        )
        for region in sorted(totals)
    ]
