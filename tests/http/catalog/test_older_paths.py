"""The documented paths of the store operations demo and of the shop backend."""

from typing import Any

from tests.client import Answered
from tests.http.catalog.builders import PRODUCTS, a_category, a_product
from tests.http.inventory.builders import Shop, ok

SHOP = "/ecommerce/v1"
PRODUCT1 = [
    "id",
    "product_id",
    "name",
    "product_name",
    "sku",
    "brand",
    "category",
    "package_size",
    "unit_price",
    "currency",
    "created_at",
]
PRODUCT2 = [
    "id",
    "product_name",
    "description",
    "category_id",
    "price",
    "is_active",
    "quantity",
    "created_at",
    "updated_at",
]


def test_the_demo_lists_products_by_name_as_a_bare_array(shop: Shop) -> None:
    ids = [a_product(shop, name=name, brand="Acme", sale_price=2)["id"] for name in ("Bat", "Ant", "Cat")]

    answer = shop.viewer.get("/api/products?searchTerm=an&limit=2&unknown=1")

    assert [row["name"] for row in ok(answer)] == ["Ant"]
    whole = shop.viewer.get("/api/products", brand="Acme", limit=2)
    assert ([row["product_name"] for row in whole.json], whole.headers["X-Total-Count"]) == (["Ant", "Bat"], "3")
    assert whole.headers["Link"] == '</api/v1/products>; rel="successor-version"'
    assert list(whole.json[0]) == PRODUCT1
    assert [row["id"] for row in ok(shop.viewer.get(f"/api/products/bulk?ids={ids[2]},no&ids={ids[0]}"))] == [
        ids[2],
        ids[0],
    ]
    one = shop.viewer.get(f"/api/products/{ids[0]}")
    assert (one.json["unit_price"], one.headers["Link"]) == (
        2.0,
        f'</api/v1/products/{ids[0]}>; rel="successor-version"',
    )
    canonical = shop.viewer.get(f"/api/v1/products/{ids[0]}")
    assert one.headers["ETag"].partition(".")[0] == canonical.headers["ETag"].partition(".")[0]
    assert shop.viewer.get("/api/products/no").problem == "NotFound"
    assert shop.viewer.get("/api/products?limit=0").status == 422
    assert ok(shop.viewer.get("/api/products/brands/list")) == [{"value": "Acme", "label": "Acme", "count": 3}]


def test_the_demo_makes_products_in_its_envelope(shop: Shop) -> None:
    answer = shop.operator.post(
        "/api/products", {"product_name": "Cup", "unit_price": 2.5, "category": "Tools", "junk": 1}
    )

    made = ok(answer, 201)
    assert list(made) == ["success", "data", "message", "error"]
    assert (made["success"], made["error"], list(made["data"])) == (True, None, PRODUCT1)
    assert ok(shop.viewer.get(f"{PRODUCTS}/{made['data']['product_id']}"))["category"] == "Tools"
    assert shop.operator.post("/api/products", {"brand": "x"}).codes == [("/name", "missing")]
    assert shop.operator.post("/api/products", {"name": "a", "product_name": "b"}).codes == [("/name", "conflict")]
    assert shop.operator.post("/api/products", {"name": "a", "unit_price": -1}).status == 422
    assert shop.viewer.post("/api/products", {"name": "a"}).status == 403


def data(answer: Answered) -> Any:
    """Return what a good answer of the shop backend holds."""
    assert (answer.status, answer.json["status_code"], answer.json["success"]) == (200, 200, True), answer.body
    return answer.json["data"]


def refusal(answer: Answered) -> tuple[int, int, bool, Any]:
    """Return what the shop's clients look at in a refusal."""
    body = answer.json
    assert body["message"] == body["detail"]
    return answer.status, body["status_code"], body["success"], body["data"]


def test_the_shop_takes_parameters_as_body_or_query_and_the_body_wins(shop: Shop) -> None:
    made = data(shop.operator.put(f"{SHOP}/create_category?category_name=Query&category_slug=query-slug"))
    shop.clock.advance(1)
    other = data(
        shop.operator.put(
            f"{SHOP}/create_category?category_name=Query", {"category_name": "Body", "category_slug": "b"}
        )
    )

    assert list(made) == ["id", "category_name", "category_slug", "created_at"]
    assert (made["category_slug"], other["category_name"]) == ("query-slug", "Body")
    listed = data(shop.viewer.get(f"{SHOP}/get_categories?order_by=category_name&order=desc&per_page=1"))
    assert ([row["category_name"] for row in listed["categories"]], listed["total"]) == (["Query"], 2)
    by_id = data(shop.viewer.send("GET", f"{SHOP}/get_categories?page=9", {"page": 2, "per_page": 1}))
    assert [row["id"] for row in by_id["categories"]] == [other["id"]]


def test_the_shop_refuses_in_its_own_way(shop: Shop) -> None:
    a_category(shop, "Tools")

    assert refusal(shop.operator.put(f"{SHOP}/create_category", {"category_name": "T", "category_slug": "tools"})) == (
        422,
        422,
        False,
        {},
    )
    product = {"product_name": "Cup", "category_id": "no", "price": 2}
    assert refusal(shop.operator.put(f"{SHOP}/create_product", product))[0] == 404
    assert refusal(shop.viewer.get(f"{SHOP}/get_product?product_id=no"))[0] == 422
    assert refusal(shop.viewer.get(f"{SHOP}/get_product"))[0] == 422
    assert refusal(shop.viewer.get(f"{SHOP}/get_categories?page=10000&per_page=1000"))[0] == 422
    assert refusal(shop.viewer.get(f"{SHOP}/get_categories?page=x"))[0] == 422
    assert refusal(shop.viewer.put(f"{SHOP}/create_category", {"category_name": "T", "category_slug": "t"}))[0] == 403
    nobody = shop.viewer.as_("Bearer x")
    assert refusal(nobody.get(f"{SHOP}/get_categories"))[:3] == (401, 401, False)


def test_the_shop_refuses_an_unknown_path_and_another_verb_in_its_own_way_too(shop: Shop) -> None:
    assert refusal(shop.viewer.get(f"{SHOP}/get_nothing")) == (404, 404, False, {})
    other = shop.viewer.send("POST", f"{SHOP}/get_products")
    assert (refusal(other), other.headers["Allow"]) == ((405, 405, False, {}), "GET, HEAD, OPTIONS")
    assert "status_code" not in shop.viewer.get("/api/nothing").json


def test_the_shop_makes_lists_and_shows_products(shop: Shop) -> None:
    tools, toys = (a_category(shop, name)["id"] for name in ("Tools", "Toys"))
    made = [
        data(
            shop.operator.put(f"{SHOP}/create_product", {"product_name": name, "category_id": category, "price": price})
        )
        for name, category, price in (("Saw", tools, "12.5"), ("Ball", toys, 3), ("Axe", tools, 20))
    ]
    hidden = data(
        shop.operator.put(f"{SHOP}/create_product?product_name=Old&category_id={toys}&price=1.00&is_active=false")
    )
    shop.stock(made[0]["id"], 4)

    assert (list(made[0]), made[0]["price"], made[0]["quantity"], hidden["is_active"]) == (PRODUCT2, "12.50", 0, False)
    listed = data(shop.viewer.get(f"{SHOP}/get_products?category_ids={tools}&order_by=price&order=desc"))
    assert ([row["product_name"] for row in listed["products"]], listed["total"]) == (["Axe", "Saw"], 2)
    assert (listed["products"][0]["category_name"], listed["products"][0]["category_slug"]) == ("Tools", "tools")
    for spelled in (f"{tools},{toys}", f'["{tools}","{toys}"]', f"{tools}&category_ids={toys}"):
        assert data(shop.viewer.get(f"{SHOP}/get_products?category_ids={spelled}"))["total"] == 4
    one = data(shop.viewer.get(f"{SHOP}/get_product?product_id={made[0]['id']}"))
    assert (one["quantity"], [(row["product_id"], row["quantity"]) for row in one["inventory"]]) == (
        4,
        [(made[0]["id"], 4)],
    )
    assert list(one["inventory"][0]) == ["id", "product_id", "quantity", "created_at", "updated_at"]
