"""Products made together are what products made one by one are, and all are refused with one of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from shared.catalog.change_models import NewProduct
from shared.catalog.history import PRODUCT_CHANGES, ChangeFilter, change_view, changes_of_product
from shared.catalog.record import PRODUCTS, _at_most, refuse_too_large
from shared.core.errors import AlreadyExists, ValidationFailed
from shared.ports.documents import Documents, Query
from tests.stores import on_stores
from tests.unit.catalog.builders import OPERATOR, Catalog, a_catalog

_ONE = on_stores("sqlite-memory")


def wanted(number: int, **said: Any) -> NewProduct:
    """Return a product to make."""
    return NewProduct.model_validate({"name": f"Cup {number}", "sku": f"CUP-{number}", "price": "2.50", **said})


def history(catalog: Catalog, product_id: str) -> list[dict[str, Any]]:
    """Return the changes of a product as shown."""
    found = catalog.store.query(changes_of_product(product_id, ChangeFilter()))
    return [change_view(stored, product_id) for stored in found]


@_ONE
def test_products_made_together_are_those_made_one_by_one(documents: Documents) -> None:
    catalog = a_catalog(documents)

    made = catalog.products.create_many(OPERATOR, [wanted(number) for number in range(60)])
    alone = catalog.products.create(OPERATOR, wanted(60))

    like = catalog.show(alone.key.id)
    for number, one in enumerate(made):
        shown = catalog.show(one.key.id)
        own = {"id": one.key.id, "name": f"Cup {number}", "title": f"Cup {number}", "sku": f"CUP-{number}"}
        assert shown == like | own


@_ONE
def test_each_of_many_products_has_a_history_of_its_own(documents: Documents) -> None:
    catalog = a_catalog(documents)

    made = [
        one
        for at in (0, 50, 100)
        for one in catalog.products.create_many(OPERATOR, [wanted(number) for number in range(at, at + 50)])
    ]

    for number, one in enumerate(made):
        (change,) = history(catalog, one.key.id)
        said = {each["field"]: each["after"] for each in change["changes"]}
        assert (change["product_id"], change["version"], change["reason"]) == (one.key.id, 1, "created")
        assert (said["sku"], said["name"]) == (f"CUP-{number}", f"Cup {number}")
    assert documents.count(Query(PRODUCT_CHANGES)) == 3


@_ONE
@pytest.mark.parametrize("sku", ["CUP-0", "cup-7", "TAKEN"])
def test_a_sku_that_is_taken_refuses_all_of_them(documents: Documents, sku: str) -> None:
    catalog = a_catalog(documents)
    catalog.add(sku="Taken")
    many = [*(wanted(number) for number in range(20)), wanted(20, sku=sku)]

    with pytest.raises(AlreadyExists):
        catalog.products.create_many(OPERATOR, many)

    assert (documents.count(Query(PRODUCTS)), documents.count(Query(PRODUCT_CHANGES))) == (1, 1)


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii"), max_size=10),
        st.text() | st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.lists(st.text(), max_size=4),
        max_size=8,
    )
)
def test_a_product_is_at_most_as_long_as_its_texts_say(product: dict[str, Any]) -> None:
    assert len(to_json(product)) <= _at_most(product)


@pytest.mark.parametrize("odd", [{"stores": {"s": 1}}, [{"a": 1}], ["a", 1]])
def test_what_is_no_text_is_measured(odd: object) -> None:
    assert _at_most({"odd": odd}) > 900_000


def test_a_product_that_is_too_long_is_refused_and_one_that_only_might_be_is_not() -> None:
    refuse_too_large({"attributes": "x" * 890_000})

    with pytest.raises(ValidationFailed):
        refuse_too_large({"attributes": "x" * 910_000})
