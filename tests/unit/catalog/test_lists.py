"""Lists of products: every filter alone and together, in every order, against a naive reading of the same products."""

from dataclasses import replace
from typing import Any

from shared.catalog.listing import ProductLists
from shared.catalog.lists import asked
from shared.catalog.models import ProductFilter
from shared.core.words import matches, words
from shared.ports.documents import Documents, Position
from tests.stores import on_stores
from tests.unit.catalog.builders import Catalog, a_catalog

Shown = dict[str, Any]

_BOTH = on_stores("sqlite-memory", "firestore-server")
_ONE = on_stores("sqlite-memory")

SORTS = (
    "name",
    "-name",
    "-created_at",
    "created_at",
    "-updated_at",
    "sku",
    "sale_price",
    "-sale_price",
    "current_stock",
)
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"category": ["Tools"]},
    {"category": ["Tools", "Toys"], "brand": ["Acme", "Zoom"]},
    {"brand": ["Acme"], "stock_status": ["low"]},
    {"stock_status": ["critical", "low"]},
    {"stock_status": ["sufficient"], "status": ["paused"]},
    {"status": ["all"]},
    {"status": ["archived", "draft"]},
    {"search": "ham"},
    {"search": "ham big", "category": ["Tools"]},
    {"search": "--"},
    {"supplier_id": ["sup_1"]},
    {"created_from": "2026-01-15T10:31:00Z", "created_to": "2026-01-15T10:34:00Z"},
    {"created_to": "2026-01-15T10:33:00Z", "stock_status": ["low"]},
)


def filled(documents: Documents) -> Catalog:
    """Return a catalogue of 24 products that differ in everything lists look at."""
    catalog = a_catalog(documents)
    for number in range(24):
        catalog.clock.advance(30)
        catalog.add(
            name=f"{('Hammer', 'Ball', 'Hat')[number % 3]} {('big', 'small')[number % 2]} {number % 5}",
            sku=f"P-{(number * 7) % 24:02d}",
            category=("Tools", "Toys", None)[number % 3],
            brand=("Acme", "Zoom", None, "Acme")[number % 4],
            status=("active", "active", "paused", "draft", "archived")[number % 5],
            sale_price=None if number % 6 == 0 else number % 4 + 1,
            current_stock=None if number % 7 == 0 else (number * 5) % 18,
            supplier_id="sup_1" if number % 8 == 0 else None,
        )
    return catalog


def _lists(catalog: Catalog) -> ProductLists:
    return ProductLists(catalog.products.store, catalog.products.sums, catalog.products)


def naive(catalog: Catalog, wanted: ProductFilter) -> list[Shown]:
    """Read every product and do what the contract says, one by one."""
    everything = list(_lists(catalog).rows(ProductFilter(status=["all"])))
    kept = [product for product in everything if fits(product, wanted)]
    field = wanted.order.field
    present = sorted(
        kept,
        key=lambda p: ((p[field] is not None, p[field] or 0) if field == "sale_price" else (True, p[field]), p["id"]),
    )
    return present[::-1] if wanted.order.descending else present


def fits(product: Shown, wanted: ProductFilter) -> bool:
    """Say whether a product is meant, in the contract's words."""
    texts = [product[name] for name in ("name", "sku", "barcode", "brand", "category")]
    made = product["created_at"]
    return (
        (not wanted.category or product["category"] in wanted.category)
        and (not wanted.brand or product["brand"] in wanted.brand)
        and (not wanted.supplier_id or product["supplier_id"] in wanted.supplier_id)
        and (not wanted.stock_status or product["stock_status"] in wanted.stock_status)
        and (
            product["status"] != "archived"
            if not wanted.status
            else ("all" in wanted.status or product["status"] in wanted.status)
        )
        and (wanted.search is None or (bool(words(wanted.search)) and matches(words(wanted.search), texts)))
        and (wanted.created_from is None or wanted.created_from.isoformat()[:19] <= made[:19])
        and (wanted.created_to is None or made[:19] <= wanted.created_to.isoformat()[:19])
    )


def walked(lists: ProductLists, wanted: ProductFilter) -> list[str]:
    """Return the ids of a list read page by page."""
    seen: list[str] = []
    after = None
    while True:
        page = lists.page(wanted, after)
        seen += [item["id"] for item in page.items]
        if page.following is None:
            return seen
        after = Position(*page.following)


@_BOTH
def test_every_list_is_the_naive_one_page_by_page(documents: Documents) -> None:
    catalog = filled(documents)
    lists = _lists(catalog)

    for said in FILTERS:
        for sort in SORTS:
            wanted = ProductFilter.model_validate({**said, "sort": sort, "limit": 5})
            expected = [product["id"] for product in naive(catalog, wanted)]
            assert walked(lists, wanted) == expected, (said, sort)
            assert [row["id"] for row in lists.rows(wanted)] == expected, (said, sort)
            total = lists.page(wanted.model_copy(update={"include_total": True}), None).total
            assert total == len(expected), (said, sort)


@_BOTH
def test_products_that_are_named_pass_the_other_filters_too(documents: Documents) -> None:
    catalog = filled(documents)
    lists = _lists(catalog)
    ids = [product["id"] for product in naive(catalog, ProductFilter(status=["all"], sort="sku"))]

    for sort in SORTS:
        wanted = ProductFilter.model_validate(
            {"ids": [*ids[:15], "unknown"], "category": ["Tools"], "sort": sort, "limit": 2}
        )
        expected = [product["id"] for product in naive(catalog, wanted) if product["id"] in ids[:15]]
        assert walked(lists, wanted) == expected, sort


@_ONE
def test_control_a_list_that_forgets_what_no_index_holds_is_another_one(documents: Documents) -> None:
    catalog = filled(documents)
    lists = _lists(catalog)
    others = []

    for said in FILTERS:
        wanted = ProductFilter.model_validate({**said, "sort": "-updated_at"})
        forgetful = replace(asked(wanted), keep=None)
        seen = [row.product.key.id for row in lists._walk(forgetful)]
        others.append(seen != [product["id"] for product in naive(catalog, wanted)])

    assert others.count(True) == 10


@_BOTH
def test_a_page_costs_the_same_at_every_depth(documents: Documents) -> None:
    catalog = filled(documents)
    lists = _lists(catalog)
    wanted = ProductFilter(limit=3)
    costs, after = [], None

    for _ in range(4):
        documents.counts.reset()
        page = lists.page(wanted, after)
        costs.append(documents.counts.reads)
        assert page.following is not None
        after = Position(*page.following)

    # Four products (one more than shown), their four sums.
    assert costs == [8, 8, 8, 8]


@_BOTH
def test_a_barcode_is_found_in_each_of_its_forms(documents: Documents) -> None:
    catalog = filled(documents)
    made = catalog.add(name="Milk", barcode="036000291452")
    lists = _lists(catalog)

    forms = ("036000291452", "0036000291452", "00036000291452", "(01)00036000291452")

    assert [[item["id"] for item in lists.page(ProductFilter(barcode=form), None).items] for form in forms] == [
        [made.key.id]
    ] * 4
    assert lists.page(ProductFilter(barcode="036000291453"), None).items == []
