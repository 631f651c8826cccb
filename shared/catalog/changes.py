"""What a request asks of a product: pure rules from what was said and what is to what will be.

One value may come under two names (a pair). On a change the name whose value differs from the present one wins, so that an
edited GET answer, which holds both, means what was edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.catalog.record import kept_attributes
from shared.catalog.states import PAIRS, ProductStatus
from shared.core.errors import FieldError, ValidationFailed
from shared.inventory.rules import follows_category

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.catalog.change_models import NewProduct, ProductPatch

__all__ = ["asked_changes", "new_fields", "refuse_empty", "status_after"]

Data = dict[str, Any]

_CLEARABLE = (
    "description",
    "brand",
    "package_size",
    "barcode",
    "unit_cost",
    "sale_price",
    "seo_title",
    "seo_description",
    "supplier_id",
    "supplier_product_id",
    "source_url",
)
_NULLABLE = frozenset({*_CLEARABLE, *PAIRS["unit_cost"], *PAIRS["sale_price"]})
_FIRM = ("name", "reorder_threshold", "currency", "images", "tags")
_PLAIN = (*_CLEARABLE, *_FIRM)
# May change while the version stays: ignored in a body that names its version.
_VOLATILE = frozenset(
    {
        "available_stock",
        "reserved_stock",
        "stock_status",
        "stock_version",
        "predicted_depletion_date",
        "effective_reorder_threshold",
        "threshold_rule",
    }
)
_INCLUDED = ("levels", "vendors")
_SHOWN = ("id", *sorted(_VOLATILE), "created_at", "updated_at")
_EMPTY_IS_NULL = ("brand", "package_size", "barcode")


def new_fields(wanted: NewProduct, *, sku: str, currency: str) -> Data:
    """Return the stored fields of a product to make, except its category, stock and stamps."""
    said = wanted.model_dump(mode="python")
    status = wanted.status or (ProductStatus.PAUSED if wanted.is_active is False else ProductStatus.ACTIVE)
    return {
        **{name: _kept(name, said[name]) for name in _PLAIN},
        "currency": wanted.currency or currency,
        "sku": wanted.sku or sku,
        "status": status.value,
        "attributes": kept_attributes(wanted.attributes),
        "predicted_depletion_date": None,
        "follows_category_threshold": _follows(wanted),
    }


def _follows(wanted: NewProduct) -> bool:
    """Say whether a product to make has no threshold of its own: none was given, or it was said so."""
    said = wanted.follows_category_threshold
    return "reorder_threshold" not in wanted.model_fields_set if said is None else said


def refuse_empty(patch: ProductPatch) -> None:
    """Refuse a change that says nothing."""
    if not patch.model_fields_set:
        raise ValidationFailed.at("", "missing", "Say what to change.")


def asked_changes(patch: ProductPatch, product: Mapping[str, Any], shown: Mapping[str, Any]) -> Data:
    """Return the fields that change, as stored, with `current_stock` when the sum is to be another.

    `shown` is the product as a GET answers it. Raise ValidationFailed for pairs that disagree, for what cannot be cleared,
    and for what is not input (unless it is what it is anyway).
    """
    given = {name: getattr(patch, name) for name in patch.model_fields_set}
    _refuse_other(given, shown)
    follows = follows_category(product)
    present = {**product, "current_stock": shown["current_stock"], "follows_category_threshold": follows}
    changes: Data = {}
    for name in (*_PLAIN, "current_stock", "follows_category_threshold"):
        told = _told(given, name, present[name])
        if told is not None:
            changes[name] = _checked(*told)
    if "attributes" in given:
        attributes = _checked("attributes", given["attributes"])
        changes["attributes"] = kept_attributes(attributes)
    status = status_after(given, product["status"])
    return {name: value for name, value in {**changes, "status": status}.items() if value != present[name]}


def status_after(given: Mapping[str, Any], present: str) -> str:
    """Return the status asked for by `status` and its older mirror `is_active`."""
    for name in ("status", "is_active"):
        if name in given:
            _checked(name, given[name])
    status = str(given.get("status", present))
    active = ProductStatus.ACTIVE.value
    was_active = present == active
    mirror = given.get("is_active", was_active)
    if mirror == was_active:
        return status
    if status == present:
        return active if mirror else ProductStatus.PAUSED.value
    if mirror != (status == active):
        raise _conflict("is_active", "status")
    return status


def _told(given: Mapping[str, Any], name: str, present: Any) -> tuple[str, Any] | None:
    """Return under which name another value than the present one was said, and that value."""
    said = [(each, _kept(name, given[each])) for each in (name, *PAIRS.get(name, ())) if each in given]
    differing = [(each, value) for each, value in said if value != present]
    for each, value in differing[1:]:
        if value != differing[0][1]:
            raise _conflict(each, differing[0][0])
    return differing[0] if differing else None


def _kept(name: str, value: Any) -> Any:
    """Return a value as it is stored."""
    if name in ("unit_cost", "sale_price"):
        return None if value is None else str(value)
    return None if value == "" and name in _EMPTY_IS_NULL else value


def _checked(name: str, value: Any) -> Any:
    if value is None and name not in _NULLABLE:
        raise ValidationFailed.at(f"/{name}", "required", "This key cannot be cleared.")
    return value


def _refuse_other(given: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    """Refuse keys that are not input and say something new."""
    sku = given.get("sku", shown["sku"])
    if sku != shown["sku"]:
        raise ValidationFailed.at("/sku", "read_only", "A SKU stays what it is.")
    moves = any(given.get(name) not in (None, shown["current_stock"]) for name in ("current_stock", "stock"))
    for name in _SHOWN:
        is_condition = name == "stock_version" and (moves or given.get(name) is None)
        differs = name in given and given[name] != shown.get(name) and not is_condition
        if differs and not (name in _VOLATILE and given.get("version") is not None):
            raise _not_input(name)
    for name in _INCLUDED:  # as they were when the product was read, and that is told by its version
        if name in given and given.get("version") is None:
            raise _not_input(name)


def _not_input(name: str) -> ValidationFailed:
    return ValidationFailed.at(f"/{name}", "unknown_field", "This key cannot be changed here.")


def _conflict(name: str, other: str) -> ValidationFailed:
    message = f"{name} and {other} are one value and differ."
    return ValidationFailed(message, errors=(FieldError(f"/{name}", "conflict", message),))
