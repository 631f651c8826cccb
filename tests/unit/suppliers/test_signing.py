"""AliExpress' signature by the vectors measured for this project (sources.md 4.1), and what connectors read."""

from decimal import Decimal
from typing import Any

import pytest

from shared.adapters.suppliers.aliexpress.signing import signature
from shared.adapters.suppliers.reading import cents, plain, unwrap_list

PRODUCT = {
    "app_key": "12345678",
    "method": "aliexpress.ds.product.get",
    "timestamp": "1700000000000",
    "sign_method": "sha256",
    "session": "test-access-token",
    "product_id": "1005001234567890",
    "ship_to_country": "GB",
    "target_currency": "GBP",
    "target_language": "en",
}


@pytest.mark.parametrize(
    ("secret", "path", "parameters", "wanted"),
    [
        (
            "helloworld",
            "/order/get",
            {
                "access_token": "test",
                "app_key": "123456",
                "order_id": "1234",
                "sign_method": "sha256",
                "timestamp": "1517820392000",
            },
            "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A",
        ),
        ("my_app_secret_123", "", PRODUCT, "52D4D2279A1E918E8C761B7F11A8D1D06DC266886681F084E1B594E7618186CD"),
        (
            "my_app_secret_123",
            "/auth/token/create",
            {"app_key": "12345678", "timestamp": "1700000000000", "sign_method": "sha256", "code": "0_abc"},
            "7BFE369597A66816810731ADEF584FFC5ECE0E58C37B8335F9C8DD7011AE8688",
        ),
    ],
)
def test_the_vectors_hold(secret: str, path: str, parameters: dict[str, str], wanted: str) -> None:
    assert signature(secret, parameters, path=path) == wanted
    assert signature(secret, {**parameters, "sign": "x", "empty": ""}, path=path) == wanted
    assert signature(secret, {**parameters, "app_key": "1"}, path=path) != wanted


@pytest.mark.parametrize(
    ("wrapped", "found"),
    [
        ([{"a": 1}], [{"a": 1}]),
        ({"a": 1}, [{"a": 1}]),
        ({"dto": [{"a": 1}, {"a": 2}]}, [{"a": 1}, {"a": 2}]),
        ({"dto": []}, []),
        (None, []),
        ("5,000+", []),
        ([1, {"a": 1}], [{"a": 1}]),
    ],
)
def test_lists_are_found_in_every_wrapping(wrapped: Any, found: list[dict[str, int]]) -> None:
    assert unwrap_list(wrapped) == found


def test_descriptions_lose_their_mark_up_and_prices_stay_exact() -> None:
    html = "<p>A &amp; B</p><script>alert(1)</script><ul><li>one</li></ul>"

    assert plain(html) == "A & B\none"
    assert plain("<p></p>") is None
    assert [cents(value) for value in ("4.20", 0.1, "x", -1, None)] == [
        Decimal("4.20"),
        Decimal("0.10"),
        None,
        None,
        None,
    ]
