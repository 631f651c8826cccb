"""What holds on every route of the catalogue: T03 mass assignment, T10 injection, I01-I02 idempotency."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client import Client
from tests.http.catalog.builders import PRODUCTS, a_category, a_product, a_vendor, shown, state
from tests.http.inventory.builders import Shop, ok

READ_ONLY: dict[str, Any] = {
    "id": "prd_other",
    "version_": 7,
    "role": "admin",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "created_by": "usr_other",
    "user_id": "usr_other",
    "stock_version": 99,
    "reserved_stock": 5,
    "available_stock": 5,
    "stock_status": "sufficient",
    "predicted_depletion_date": "2026-02-01",
    "product_count": 9,
    "is_recommended": False,
    "words": ["x"],
    "shelf": "live",
    "price_cents": 1,
    "__proto__": {},
    "levels": [],
}
INJECTIONS = (
    "'; DROP TABLE documents; --",
    '" OR ""="',
    "\\'; --",
    "../../etc/passwd",
    "..%2f..%2f",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "%' OR 1=1 --",
    "_%_%",
    "$where",
    "__proto__",
    "constructor",
    "json_extract(body)",
    "x' UNION SELECT body FROM documents --",
    "\\u0000",
    "()|&;`id`",
    "\uff07 OR 1=1",
    "1e309",
    "-0",
)


class Written:
    """One object of each kind, and every route that writes."""

    def __init__(self, shop: Shop) -> None:
        """Make the objects."""
        self.product = a_product(shop, sku="CUP", sale_price=2, current_stock=3)["id"]
        self.category = a_category(shop)["id"]
        self.vendor = a_vendor(shop)["id"]
        ok(
            shop.operator.post(f"/api/v1/vendors/{self.vendor}/prices", {"product_id": self.product, "unit_price": 1}),
            201,
        )

    def routes(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return verb, path and a good body of every writing route."""
        product = f"{PRODUCTS}/{self.product}"
        vendor = f"/api/v1/vendors/{self.vendor}"
        return [
            ("POST", PRODUCTS, {"name": "New"}),
            ("PATCH", product, {"name": "Mug"}),
            ("PUT", product, {"name": "Jug"}),
            ("POST", f"{PRODUCTS}/bulk-price-update", {"updates": [{"product_id": self.product, "price": 5}]}),
            ("POST", f"{PRODUCTS}/bulk-edit", {"product_ids": [self.product], "changes": {"brand": "B"}}),
            ("POST", f"{product}/competitor-prices", {"competitor": "C", "price": 1}),
            ("POST", "/api/v1/categories", {"name": "Other"}),
            ("PATCH", f"/api/v1/categories/{self.category}", {"name": "Gear"}),
            ("POST", "/api/v1/barcode/link", {"barcode": "036000291452", "product_id": self.product}),
            ("POST", "/api/v1/vendors", {"name": "V"}),
            ("PATCH", vendor, {"name": "W"}),
            ("PUT", vendor, {"name": "X"}),
            ("POST", f"{vendor}/prices", {"product_id": self.product, "unit_price": 2}),
            ("PATCH", f"{vendor}/prices/{self.product}", {"unit_price": 3}),
            ("PUT", f"{vendor}/prices/{self.product}", {"unit_price": 4}),
        ]


def test_no_route_takes_what_is_not_its_to_take(shop: Shop) -> None:
    made = Written(shop)
    before, tried, taken = state(shop), 0, []

    for method, path, body in made.routes():
        for name, value in READ_ONLY.items():
            answer = shop.admin.send(method, path, {**body, name: value})
            tried += 1
            if answer.status != 422:
                taken.append((method, path, name, answer.status))

    assert taken == []
    assert tried == 15 * len(READ_ONLY)
    assert state(shop) == before


def test_control_the_same_bodies_without_the_extra_key_are_taken(shop: Shop) -> None:
    made = Written(shop)

    statuses = [shop.admin.send(method, path, body).status for method, path, body in made.routes()]

    assert set(statuses) <= {200, 201}


def test_hostile_texts_are_texts_wherever_they_are_sent(shop: Shop) -> None:
    made = Written(shop)
    counts = {name: len(rows) for name, rows in state(shop).items()}
    reading = (
        f"{PRODUCTS}?search={{}}",
        f"{PRODUCTS}?category={{}}",
        f"{PRODUCTS}?brand={{}}&supplier_id={{}}",
        f"{PRODUCTS}?barcode={{}}",
        f"{PRODUCTS}?ids={{}}",
        f"{PRODUCTS}?sort={{}}",
        f"{PRODUCTS}/export?search={{}}",
        "/api/v1/vendors?search={}",
        "/api/products?search={}",
        "/ecommerce/v1/get_products?category_ids={}",
        "/ecommerce/v1/get_product?product_id={}",
    )
    from urllib.parse import quote

    statuses = set()
    for text in INJECTIONS:
        for path in reading:
            answer = shop.viewer.get(path.replace("{}", quote(text, safe="")))
            statuses.add(answer.status)
            rows = answer.json["items"] if answer.status == 200 and "items" in answer.body[:9].decode() else []
            assert rows == [], (path, text)
        for path in (f"{PRODUCTS}/", "/api/v1/categories/", "/api/v1/vendors/", "/api/v1/barcode/lookup/"):
            statuses.add(shop.viewer.get(path + text.replace("/", "")).status)
    assert statuses <= {200, 404, 422}
    assert {name: len(rows) for name, rows in state(shop).items()} == counts
    for text in INJECTIONS:
        ok(shop.operator.patch(f"{PRODUCTS}/{made.product}", {"name": text, "brand": text, "attributes": {text: text}}))
        after = shown(shop, made.product)
        assert (after["name"], after["brand"], after["attributes"]) == (text, text, {text: text})
        found = ok(shop.viewer.get(PRODUCTS, brand=text))["items"]
        assert len(found) == 1, text


@pytest.mark.parametrize("number", range(15))
def test_a_repeated_request_has_one_effect_and_one_answer(shop: Shop, number: int) -> None:
    method, path, body = Written(shop).routes()[number]
    headers = {"Idempotency-Key": f"key-{number}"}

    first = shop.admin.send(method, path, body, headers=headers)
    after = state(shop)
    again = shop.admin.send(method, path, body, headers=headers)
    other_body = shop.admin.send(method, path, {**body, "version": 1}, headers=headers)
    other_user = shop.manager.send(method, path, {"name": None}, headers=headers)

    assert first.status in {200, 201}
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (first.status, first.body, "true")
    assert (other_body.status, other_user.status) == (422, 422)
    assert state(shop) == after


def test_of_32_who_send_one_key_at_once_one_makes_the_product(shop: Shop) -> None:
    def send(client: Client) -> tuple[int, bytes]:
        answer = client.post(PRODUCTS, {"name": "Cup", "current_stock": 4}, headers={"Idempotency-Key": "one"})
        return answer.status, answer.body

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, [shop.operator] * 32))

    good = {body for status, body in answers if status == 201}
    assert {status for status, _ in answers} <= {201, 409}
    assert len(good) == 1
    assert len(ok(shop.viewer.get(PRODUCTS))["items"]) == 1
    assert len(ok(shop.viewer.get("/api/v1/inventory/movements"))["items"]) == 1


def test_a_patch_that_says_nothing_changes_nothing(shop: Shop) -> None:
    written = Written(shop)
    paths = [
        f"/api/v1/categories/{written.category}",
        f"/api/v1/vendors/{written.vendor}",
        f"/api/v1/vendors/{written.vendor}/prices/{written.product}",
    ]
    before = state(shop)

    assert [(shop.operator.patch(path, {}).status, shop.operator.patch(path).status) for path in paths] == [
        (200, 200)
    ] * 3
    assert state(shop) == before
