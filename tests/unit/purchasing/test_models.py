"""What the document says of a vendor's price is what is taken."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from shared.purchasing.models import VendorPricePatch

NUMBER, TEXT, _ = VendorPricePatch.model_json_schema()["properties"]["unit_price"]["anyOf"]
PRICES = [0, 0.0, "0", "0.00", -1, 0.01, "0.01", "00000010", 99_999_999.99, "99999999.99", 100_000_000, "1.234", "1,5"]


def is_documented(price: Any) -> bool:
    """Say whether the document allows it."""
    if isinstance(price, str):
        return re.search(TEXT["pattern"], price) is not None
    return bool(NUMBER["exclusiveMinimum"] < price <= NUMBER["maximum"])


def is_taken(price: Any) -> bool:
    """Say whether the model takes it."""
    try:
        VendorPricePatch.model_validate({"unit_price": price})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("price", PRICES)
def test_a_price_is_taken_where_the_document_allows_it(price: object) -> None:
    assert is_taken(price) == is_documented(price)
