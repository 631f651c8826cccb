"""The pair rules as properties: an edited answer means its edit, whichever name was edited."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalog.change_models import ProductPatch
from shared.catalog.changes import asked_changes, status_after
from shared.catalog.states import PAIRS
from shared.catalog.views import product_view
from shared.core.errors import ValidationFailed
from shared.inventory.rules import new_stock
from shared.ports.documents import Key, Stored

STATUSES = ("active", "draft", "paused", "archived")
PRODUCT: dict[str, Any] = {
    **dict.fromkeys(("description", "category_id", "category", "brand", "package_size", "barcode", "seo_title")),
    **dict.fromkeys(
        ("seo_description", "supplier_id", "supplier_product_id", "source_url", "predicted_depletion_date")
    ),
    "sku": "A",
    "name": "Cup",
    "unit_cost": "7.00",
    "sale_price": "12.50",
    "currency": "EUR",
    "status": "active",
    "reorder_threshold": 10,
    "images": [],
    "tags": [],
    "attributes": "{}",
    "created_at": "2026-01-15T10:30:00.000000Z",
    "updated_at": "2026-01-15T10:30:00.000000Z",
    "version": 3,
}
SHOWN = product_view(Stored(Key("products", "prd_1"), PRODUCT, "1"), {**new_stock("prd_1"), "current_stock": 5})
NAMES = [(name, each) for name, others in PAIRS.items() for each in (name, *others)]
_OTHER = {"name": "Mug", "sale_price": 3, "unit_cost": 2, "current_stock": 9}
_STORED = _OTHER | {"sale_price": "3.00", "unit_cost": "2.00"}


def asked(**said: Any) -> dict[str, Any]:
    """Return what a body asks of the product."""
    return asked_changes(ProductPatch.model_validate(said), PRODUCT, SHOWN)


def test_an_answer_sent_back_asks_for_nothing() -> None:
    assert asked(**SHOWN) == {}


@pytest.mark.parametrize(("name", "edited"), NAMES)
def test_of_two_names_the_edited_one_wins(name: str, edited: str) -> None:
    assert asked(**SHOWN | {edited: _OTHER[name]}) == {name: _STORED[name]}


@pytest.mark.parametrize(("name", "edited"), [(name, each) for name, each in NAMES if name != each])
def test_two_different_edits_of_one_value_are_a_conflict(name: str, edited: str) -> None:
    third = {"name": "Bowl", "sale_price": 4, "unit_cost": 4, "current_stock": 4}[name]

    with pytest.raises(ValidationFailed) as refused:
        asked(**{name: _OTHER[name], edited: third})

    assert refused.value.errors[0].code == "conflict"


@given(st.sampled_from(STATUSES), st.sampled_from([None, *STATUSES]), st.sampled_from([None, True, False]))
def test_status_and_its_mirror_never_contradict_what_comes_out(
    present: str, status: str | None, mirror: bool | None
) -> None:
    given = {name: value for name, value in (("status", status), ("is_active", mirror)) if value is not None}
    changed = [name for name, value in given.items() if value not in (present, present == "active")]
    try:
        after = status_after(given, present)
    except ValidationFailed:
        assert changed == ["status", "is_active"]
        assert mirror != (status == "active")
        return

    assert after == (status if "status" in changed else after)
    assert "is_active" not in changed or mirror == (after == "active")
    assert changed or after == present


@pytest.mark.parametrize("name", ["name", "title", "status", "is_active", "tags", "attributes", "current_stock"])
def test_what_every_product_has_cannot_be_cleared(name: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        asked(**{name: None})

    assert [(error.pointer, error.code) for error in refused.value.errors] == [(f"/{name}", "required")]


def test_null_clears_what_is_optional_under_any_name() -> None:
    assert asked(price=None, cost_price=None) == {"sale_price": None, "unit_cost": None}


def test_values_that_move_while_the_version_stays_are_ignored_beside_it() -> None:
    assert asked(version=3, available_stock=99, stock_status="low") == {}
    with pytest.raises(ValidationFailed):
        asked(available_stock=99)


def test_a_sku_stays() -> None:
    with pytest.raises(ValidationFailed) as refused:
        asked(sku="a")

    assert refused.value.errors[0].code == "read_only"
