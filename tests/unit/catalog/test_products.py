"""Products on every store: claims, pairs, stock booked in the same commit, history, archiving."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ValidationError

from shared.catalog.change_models import NewProduct
from shared.catalog.models import PRODUCT_KEYS, Product
from shared.catalog.products import PRICE_CHANGES, Rules
from shared.core.caller import Caller, Role
from shared.core.conditions import Precondition
from shared.core.errors import (
    AlreadyExists,
    Forbidden,
    InsufficientStock,
    InvalidState,
    NotFound,
    PreconditionFailed,
    Problem,
    ValidationFailed,
)
from shared.inventory.keys import MOVEMENTS
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.ports.documents import Documents, Query
from tests.stores import on_stores
from tests.unit.catalog.builders import OPERATOR, Catalog, a_catalog, patch

_EACH = on_stores("sqlite-memory", "sqlite-file", "firestore-server", "firestore-emulator")
_ONE = on_stores("sqlite-memory")


def movements(catalog: Catalog) -> list[tuple[str, int, str]]:
    """Return the ledger: type, quantity and store of each movement."""
    found = catalog.store.query(Query(MOVEMENTS, order_by="created_at", limit=100))
    return [(row.data["transaction_type"], row.data["quantity"], row.data["store_id"]) for row in found]


@_EACH
def test_a_product_is_shown_as_the_contract_says(documents: Documents) -> None:
    catalog = a_catalog(documents)

    made = catalog.add(
        title="Cup",
        price="12.50",
        cost_price=7,
        stock=25,
        category="Home",
        brand="",
        barcode="036000291452",
        tags=["a"],
    )

    shown = catalog.show(made.key.id)
    assert shown == Product.model_validate(shown).model_dump(mode="json") | {
        "created_at": "2026-01-15T10:30:00.000000Z",
        "updated_at": "2026-01-15T10:30:00.000000Z",
    }
    assert list(shown) == list(PRODUCT_KEYS)
    assert shown["sku"].startswith("SKU-")
    wanted = {"name": "Cup", "sale_price": 12.5, "unit_cost": 7.0, "current_stock": 25, "stock_status": "sufficient"}
    assert wanted.items() <= shown.items()
    assert (shown["brand"], shown["category"], shown["status"], shown["version"]) == (None, "Home", "active", 1)
    assert movements(catalog) == [("initial", 25, "main")]


@_EACH
def test_of_32_who_take_a_sku_and_a_barcode_at_once_one_of_each_succeeds(documents: Documents) -> None:
    catalog = a_catalog(documents)

    def attempt(number: int) -> str:
        sku = "Ab-1" if number % 2 else "aB-1"
        barcode = ("036000291452", "0036000291452", "00036000291452")[number % 3]
        said = {"sku": sku} if number < 16 else {"barcode": barcode}
        try:
            return catalog.add(**said, current_stock=1).key.id
        except AlreadyExists as refused:
            return str(refused.extra["field"])

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(attempt, range(32)))

    assert outcomes.count("sku") == 15
    assert outcomes.count("barcode") == 15
    assert movements(catalog) == [("initial", 1, "main")] * 2


@_EACH
def test_a_refused_product_leaves_nothing_behind(documents: Documents) -> None:
    catalog = a_catalog(documents)

    for said, refusal in (
        ({"current_stock": -1}, InsufficientStock),
        ({"current_stock": 1, "store_id": "nowhere"}, NotFound),
        ({"category_id": "cat_unknown"}, NotFound),
        ({"images": ["http://example.com/x.png"]}, ValidationFailed),
    ):
        with pytest.raises(refusal):
            catalog.add(sku="A", category=None, **said)

    assert movements(catalog) == []
    assert catalog.store.query(Query("products")) == []
    assert catalog.add(sku="A").data["sku"] == "A"


@_EACH
def test_a_stock_edit_is_booked_as_the_difference(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(current_stock=5).key.id

    shown = catalog.change(product_id, current_stock=12)

    assert (shown["current_stock"], shown["stock"], shown["version"], shown["stock_version"]) == (12, 12, 1, 2)
    assert movements(catalog) == [("initial", 5, "main"), ("correction", 7, "main")]


@_EACH
def test_an_old_answer_sent_back_never_undoes_newer_stock(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(current_stock=5, sale_price=1).key.id
    old = catalog.show(product_id)
    catalog.products.ledger.book([Change(product_id, "main", -2, MovementType.SALE)])

    with pytest.raises(PreconditionFailed) as refused:
        catalog.change(product_id, **old | {"sale_price": 2})
    assert refused.value.extra["current_quantity"] == 3

    wanted = {name: value for name, value in old.items() if name not in {"current_stock", "stock"}}
    shown = catalog.change(product_id, **wanted | {"sale_price": 2})
    assert (shown["current_stock"], shown["sale_price"], shown["version"]) == (3, 2.0, 2)


@_EACH
def test_a_new_barcode_frees_the_old_one(documents: Documents) -> None:
    catalog = a_catalog(documents)
    first = catalog.add(barcode="036000291452").key.id
    second = catalog.add().key.id

    with pytest.raises(AlreadyExists):
        catalog.change(second, barcode="0036000291452")
    catalog.change(first, barcode="")

    assert catalog.show(first)["barcode"] is None
    assert catalog.change(second, barcode="0036000291452")["barcode"] == "0036000291452"


@_EACH
def test_a_changed_price_is_remembered_and_reaches_the_levels(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(sale_price="9.99", current_stock=2).key.id

    catalog.change(product_id, sale_price="10.50", name="Mug")

    rows = catalog.store.query(Query(PRICE_CHANGES))
    assert [(row.data["field"], row.data["old_price"], row.data["new_price"]) for row in rows] == [
        ("sale_price", "9.99", "10.50")
    ]
    (level,) = catalog.products.sums.levels_of(product_id)
    assert (level.data["product_name"], level.data["value"]) == ("Mug", "21.00")


@_EACH
def test_archiving_keeps_everything_and_can_be_undone(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(sku="A", current_stock=2).key.id

    for _ in range(2):
        catalog.products.archive(OPERATOR, product_id)

    assert (catalog.show(product_id)["status"], catalog.show(product_id)["version"]) == ("archived", 2)
    with pytest.raises(AlreadyExists):
        catalog.add(sku="a")
    catalog.products.ledger.book([Change(product_id, "main", 1, MovementType.ADDITION)])
    assert catalog.change(product_id, status="active")["current_stock"] == 3


@_EACH
def test_reserved_units_and_open_orders_keep_a_product(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(current_stock=2).key.id
    booking = catalog.products.ledger.open([(product_id, "main")])
    reservation = {
        "product_id": product_id,
        "store_id": "main",
        "quantity": 1,
        "status": "active",
        "expires_at": None,
    }
    booking.reserve("res_1", reservation)
    booking.write()

    with pytest.raises(InvalidState):
        catalog.products.archive(OPERATOR, product_id)


@_ONE
def test_an_edit_costs_no_more_than_it_touches(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add(current_stock=2).key.id

    documents.counts.reset()
    catalog.change(product_id, description="x")

    # product, sums, stock document; no level is read for what levels do not repeat. The last read is the answer's.
    # Written are the product and the row that says who changed it.
    assert (documents.counts.reads, documents.counts.writes) == (4, 2)


@_ONE
def test_conditions_come_before_what_is_said(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product_id = catalog.add().key.id

    with pytest.raises(PreconditionFailed):
        catalog.products.update(OPERATOR, product_id, patch(sku="other"), Precondition(parts=("none",)))
    with pytest.raises(PreconditionFailed):
        catalog.change(product_id, version=9, name="x")
    with pytest.raises(ValidationFailed):
        catalog.change(product_id)
    assert catalog.change(product_id, version=1)["version"] == 1


@_ONE
def test_operators_of_a_store_book_there_only(documents: Documents) -> None:
    catalog = a_catalog(documents)
    scoped = Caller("usr_2", "clerk", Role.OPERATOR, store_id="other")
    product_id = catalog.products.create(scoped, NewProduct(name="Cup", current_stock=3)).key.id

    assert movements(catalog) == [("initial", 3, "other")]
    with pytest.raises(Forbidden):
        catalog.products.update(scoped, product_id, patch(current_stock=4, store_id="main"))
    assert catalog.products.update(scoped, product_id, patch(name="Mug", store_id="main")).data["name"] == "Mug"


@_ONE
def test_strict_barcodes_and_image_hosts_are_the_deployments_choice(documents: Documents) -> None:
    catalog = a_catalog(documents, Rules(strict_barcodes=True, image_hosts=("shop.local:8080",)))

    with pytest.raises(ValidationFailed):
        catalog.add(barcode="036000291453")
    assert catalog.add(barcode="no digits", images=["http://shop.local:8080/a.png"]).data["barcode"] == "no digits"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "missing"),
        ({"name": "a", "title": "b"}, "conflict"),
        ({"name": "a", "price": 1, "unit_price": 2}, "conflict"),
        ({"name": "a", "stock": 1, "current_stock": 2}, "conflict"),
        ({"name": "a", "unit_cost": 1, "cost_price": 2}, "conflict"),
        ({"name": "a", "is_active": True, "status": "draft"}, "conflict"),
        ({"name": "a", "is_active": False, "status": "active"}, "conflict"),
        ({"name": "a", "sale_price": "1.005"}, "too_many_decimals"),
    ],
)
def test_two_names_of_one_value_must_agree_on_a_new_product(said: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NewProduct.model_validate(said)

    assert [error["type"] for error in refused.value.errors()] == [code]


@_ONE
def test_nothing_else_than_input_can_be_set(documents: Documents) -> None:
    """T03: stamps, sums and ids of a product are the server's."""
    catalog = a_catalog(documents)
    product_id = catalog.add().key.id
    before = catalog.show(product_id)

    for name in ("id", "available_stock", "reserved_stock", "stock_status", "created_at", "updated_at"):
        assert name not in NewProduct.model_fields
        with pytest.raises(Problem):
            catalog.change(product_id, **{name: "other"})

    assert catalog.show(product_id) == before
