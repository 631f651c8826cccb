"""Products over HTTP: making, changing, archiving, listing, including, and who changed what."""

import pytest

from shared.catalog.models import PRODUCT_KEYS
from tests.http.catalog.builders import PRODUCTS, a_category, a_product, shown, state
from tests.http.inventory.builders import Shop, ok


def test_a_product_made_is_shown_with_every_key_and_its_place(shop: Shop) -> None:
    answer = shop.operator.post(
        PRODUCTS, {"title": "Cup", "price": "9.50", "cost_price": 4.25, "stock": 5, "category": "Kitchen"}
    )

    product = ok(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/products/{product['id']}"
    assert tuple(product) == PRODUCT_KEYS
    assert {name: product[name] for name in ("name", "title", "sale_price", "unit_cost", "cost_price")} == {
        "name": "Cup",
        "title": "Cup",
        "sale_price": 9.5,
        "unit_cost": 4.25,
        "cost_price": 4.25,
    }
    assert (product["current_stock"], product["stock"], product["stock_status"], product["stock_version"]) == (
        5,
        5,
        "low",
        1,
    )
    assert (product["currency"], product["status"], product["is_active"], product["version"]) == (
        "EUR",
        "active",
        True,
        1,
    )
    (movement,) = ok(shop.viewer.get("/api/v1/inventory/movements", product_id=product["id"]))["items"]
    assert (movement["transaction_type"], movement["quantity"]) == ("initial", 5)


def test_a_get_answer_can_be_edited_and_sent_back(shop: Shop) -> None:
    product = a_product(shop, sku="CUP", current_stock=5, sale_price=2)

    sent = {**product, "sale_price": 3, "stock": 8}
    changed = ok(shop.operator.put(f"{PRODUCTS}/{product['id']}", sent))

    assert (changed["sale_price"], changed["current_stock"], changed["version"]) == (3, 8, 2)
    again = shop.operator.put(f"{PRODUCTS}/{product['id']}", sent)
    assert (again.status, again.problem) == (412, "PreconditionFailed")


def test_old_stock_in_an_edited_answer_never_undoes_newer_stock(shop: Shop) -> None:
    product = a_product(shop, current_stock=5)
    shop.stock(product["id"], 7)
    before = state(shop)

    body = {"stock_version": product["stock_version"], "current_stock": 5}
    refused = shop.operator.patch(f"{PRODUCTS}/{product['id']}", body)

    edited = shop.operator.put(f"{PRODUCTS}/{product['id']}", {**product, "current_stock": 6})
    for answer in (refused, edited):
        assert (answer.status, answer.problem, answer.json["current_quantity"]) == (412, "PreconditionFailed", 12)
    assert state(shop) == before
    assert ok(shop.operator.patch(f"{PRODUCTS}/{product['id']}", {"current_stock": 5}))["current_stock"] == 5


def test_if_match_compares_the_version_whatever_the_representation(shop: Shop) -> None:
    product = a_product(shop, current_stock=5)
    path = f"{PRODUCTS}/{product['id']}"
    tag = shop.viewer.get(f"{path}?include=levels").headers["ETag"]
    shop.stock(product["id"], 1)

    renamed = shop.operator.patch(path, {"name": "Mug"}, headers={"If-Match": tag})
    second = shop.operator.patch(path, {"name": "Jug"}, headers={"If-Match": tag})

    assert (renamed.status, second.status, second.problem) == (200, 412, "PreconditionFailed")
    assert shop.viewer.get(path, headers={"If-None-Match": shop.viewer.get(path).headers["ETag"]}).status == 304


def test_levels_and_vendors_come_with_a_product_when_asked_for(shop: Shop) -> None:
    product = a_product(shop, current_stock=5)

    plain = shown(shop, product["id"])
    full = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}?include=levels,vendors"))

    assert "levels" not in plain
    assert [level["on_hand"] for level in full["levels"]] == [5]
    assert full["vendors"] == []
    assert shop.viewer.get(f"{PRODUCTS}/{product['id']}?include=raw").status == 422


def test_an_archived_product_leaves_the_lists_and_comes_back(shop: Shop) -> None:
    product = a_product(shop, sku="CUP", current_stock=2)
    path = f"{PRODUCTS}/{product['id']}"

    assert [shop.manager.delete(path).status for _ in range(2)] == [204, 204]

    assert shown(shop, product["id"])["status"] == "archived"
    assert ok(shop.viewer.get(PRODUCTS))["items"] == []
    assert [row["id"] for row in ok(shop.viewer.get(PRODUCTS, status="archived"))["items"]] == [product["id"]]
    assert shop.operator.post(PRODUCTS, {"name": "Other", "sku": "cup"}).json["field"] == "sku"
    assert shop.operator.post("/api/v1/inventory/adjust", {"product_id": product["id"], "quantity": 1}).status == 200
    assert ok(shop.operator.patch(path, {"is_active": True}))["status"] == "active"


def test_a_reserved_product_is_not_archived(shop: Shop) -> None:
    product = a_product(shop, current_stock=2)
    ok(shop.operator.post("/api/v1/inventory/reservations", {"product_id": product["id"], "quantity": 1}), 201)
    before = state(shop)

    path = f"{PRODUCTS}/{product['id']}"
    for refused in (shop.manager.delete(path), shop.manager.patch(path, {"status": "archived", "name": "Old"})):
        assert (refused.status, refused.problem) == (409, "InvalidState")
    assert state(shop) == before


@pytest.mark.parametrize(
    ("said", "status", "codes"),
    [
        ({}, 422, [("", "missing")]),
        ({"sku": "NEW"}, 422, [("/sku", "read_only")]),
        ({"price": 3, "sale_price": 4}, 422, [("/price", "conflict")]),
        ({"name": None}, 422, [("/name", "required")]),
        ({"sale_price": 1.005}, 422, [("/sale_price", "too_many_decimals")]),
        ({"category_id": "unknown"}, 404, []),
        ({"images": ["http://elsewhere.example/a.png"]}, 422, [("/images/0", "https_only")]),
        ({"current_stock": -1}, 409, []),
        ({"store_id": "unknown", "current_stock": 9}, 404, []),
        ({"version": 9, "name": "Mug"}, 412, [("/version", "stale")]),
    ],
    ids=str,
)
def test_a_refused_change_changes_nothing(
    shop: Shop, said: dict[str, object], status: int, codes: list[tuple[str, str]]
) -> None:
    product = a_product(shop, sku="CUP", current_stock=3, sale_price=2)
    before = state(shop)

    refused = shop.operator.patch(f"{PRODUCTS}/{product['id']}", said)

    assert (refused.status, refused.codes) == (status, codes)
    assert state(shop) == before


@pytest.mark.parametrize("character", ["a", "é", '"', "\\"])
def test_a_product_as_large_as_a_body_may_be_is_kept_or_refused_and_never_a_failure(shop: Shop, character: str) -> None:
    attributes = {f"k{number:02d}": character + "x" * 10 + character * 4989 for number in range(100)}
    product = a_product(shop, attributes={"a": "b"})
    shop.clock.advance(1)
    before = state(shop)

    answer = shop.operator.patch(
        f"{PRODUCTS}/{product['id']}", {"attributes": attributes, "description": character * 2}
    )

    assert answer.status in {200, 413, 422}, answer.body[:300]
    if answer.status != 200:
        assert state(shop) == before
        return
    (newest,) = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/changes", limit=1))["items"]
    (told,) = [change["after"] for change in newest["changes"] if change["field"] == "attributes"]
    assert len(told) == 2001


def test_changes_name_who_and_what_and_nothing_stored_for_finding(shop: Shop) -> None:
    product = a_product(shop, sku="CUP", sale_price=2)
    shop.clock.advance(60)
    ok(shop.manager.patch(f"{PRODUCTS}/{product['id']}", {"sale_price": 3, "category": "Kitchen"}))

    newest, first = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/changes"))["items"]

    assert (newest["user_id"], newest["version"]) == ("usr_manager", 2)
    assert {change["field"]: (change["before"], change["after"]) for change in newest["changes"]} == {
        "sale_price": ("2.00", "3.00"),
        "category": (None, "Kitchen"),
        "category_id": (None, shown(shop, product["id"])["category_id"]),
    }
    assert (first["user_id"], first["version"], first["reason"]) == ("usr_operator", 1, "created")
    assert shop.viewer.get(f"{PRODUCTS}/unknown/changes").status == 404


def test_a_renamed_category_is_repeated_by_products_and_levels(shop: Shop) -> None:
    category = a_category(shop, "Tools")
    product = a_product(shop, category_id=category["id"], current_stock=4)

    renamed = ok(shop.operator.patch(f"/api/v1/categories/{category['id']}", {"name": "Gear"}))

    assert (renamed["name"], renamed["slug"], renamed["product_count"], renamed["version"]) == ("Gear", "tools", 1, 2)
    after = shown(shop, product["id"])
    assert (after["category"], after["version"]) == ("Gear", 1)
    (level,) = ok(shop.viewer.get("/api/v1/inventory", product_id=product["id"]))["items"]
    assert level["category"] == "Gear"


def test_a_category_in_use_or_with_a_taken_slug_is_refused(shop: Shop) -> None:
    category = a_category(shop, "Tools")
    a_product(shop, category="Tools")

    taken = shop.operator.post("/api/v1/categories", {"name": "Other", "slug": "tools"})
    used = shop.manager.delete(f"/api/v1/categories/{category['id']}")

    assert (taken.status, taken.problem, taken.json["field"]) == (409, "AlreadyExists", "slug")
    assert (used.status, used.problem) == (409, "InvalidState")
    other = a_category(shop, "Toys")
    assert [shop.manager.delete(f"/api/v1/categories/{other['id']}").status for _ in range(2)] == [204, 404]
    names = [row["name"] for row in ok(shop.viewer.get("/api/v1/categories?include_total=true"))["items"]]
    assert names == ["Tools"]


def test_stock_worth_more_than_any_price_is_counted(shop: Shop) -> None:
    a_product(shop, sku="A", sale_price=99999999.99, current_stock=3)

    stats = ok(shop.viewer.get(f"{PRODUCTS}/stats"))
    kpi = ok(shop.viewer.get("/api/v1/inventory/kpi"))

    assert (stats["total_value"], kpi["total_inventory_value"]) == (299999999.97, 299999999.97)


def test_figures_and_choices_count_what_is_there(shop: Shop) -> None:
    a_product(shop, sku="A", sale_price=10, unit_cost=4, current_stock=20, category="Tools", brand="Acme")
    a_product(shop, sku="B", sale_price=5, unit_cost=4, current_stock=3, brand="Zoom")
    a_product(
        shop, sku="C", sale_price=5, currency="USD", current_stock=2, category="Tools", brand="Acme", status="draft"
    )
    gone = a_product(shop, sku="D", category="Old", brand="Old")
    shop.manager.delete(f"{PRODUCTS}/{gone['id']}")

    answer = shop.viewer.get(f"{PRODUCTS}/stats")

    stats = ok(answer)
    assert {name: stats[name] for name in ("total", "low_stock", "out_of_stock", "total_value", "currency")} == {
        "total": 3,
        "low_stock": 2,
        "out_of_stock": 0,
        "total_value": 215.0,
        "currency": "EUR",
    }
    assert stats["by_status"] == {"active": 2, "draft": 1, "paused": 0, "archived": 1}
    assert stats["avg_margin_percent"] == 40.0
    assert stats["categories"] == {"Tools": 2, "Uncategorized": 1}
    assert answer.headers["X-Data-As-Of"][:19] == stats["as_of"][:19]
    assert ok(shop.viewer.get(f"{PRODUCTS}/categories/list")) == [{"value": "Tools", "label": "Tools", "count": 2}]
    assert ok(shop.viewer.get(f"{PRODUCTS}/brands/list")) == [
        {"value": "Acme", "label": "Acme", "count": 2},
        {"value": "Zoom", "label": "Zoom", "count": 1},
    ]


def test_brands_are_counted_without_reading_the_catalogue(shop: Shop) -> None:
    def reads() -> int:
        before = shop.app.documents.counts.reads
        ok(shop.viewer.get(f"{PRODUCTS}/brands/list"))
        return shop.app.documents.counts.reads - before

    for number, brand in enumerate(["Acme", "Zoom", None, "Zoom", "Ärger", "acme", "Acme"]):
        a_product(shop, name=f"P{number}", brand=brand)
    few = reads()
    gone = a_product(shop, name="Gone", brand="Zoom")["id"]
    for number in range(30):
        a_product(shop, name=f"More {number}", brand=("Acme", "Zoom", None)[number % 3])
    assert shop.manager.delete(f"{PRODUCTS}/{gone}").status == 204

    assert reads() == few == 2 * 4 + 1  # one product and one count of each brand, and the end
    assert [(one["value"], one["count"]) for one in ok(shop.viewer.get(f"{PRODUCTS}/brands/list"))] == [
        ("Acme", 12),
        ("Zoom", 12),
        ("acme", 1),
        ("Ärger", 1),
    ]
    walked = shop.app.documents.counts.reads
    ok(shop.viewer.get(f"{PRODUCTS}/stats"))
    assert (
        shop.app.documents.counts.reads - walked > 37
    )  # the control: what walks the catalogue costs a read for each product


def test_a_list_is_paged_by_cursor_by_number_and_by_offset(shop: Shop) -> None:
    ids = [a_product(shop, name=f"P{number}")["id"] for number in range(5)]

    first = shop.viewer.get(PRODUCTS, limit=2)
    second = ok(shop.viewer.get(PRODUCTS, limit=2, cursor=first.json["next_cursor"]))
    numbered = ok(shop.viewer.get(PRODUCTS, limit=2, page=3))
    skipped = ok(shop.viewer.get(PRODUCTS, limit=2, skip=3))

    assert 'rel="next"' in first.headers["Link"]
    assert [row["id"] for row in [*first.json["items"], *second["items"], *numbered["items"]]] == ids
    assert {name: numbered[name] for name in ("total", "total_pages", "page", "limit", "next_cursor")} == {
        "total": 5,
        "total_pages": 3,
        "page": 3,
        "limit": 2,
        "next_cursor": None,
    }
    assert ([row["id"] for row in skipped["items"]], skipped["total"]) == (ids[3:], 5)
    foreign = shop.viewer.get(PRODUCTS, limit=2, cursor=first.json["next_cursor"], brand="x")
    assert (foreign.status, foreign.codes) == (400, [("query:cursor", "bad_cursor")])
    assert shop.viewer.get(f"{PRODUCTS}?colour=red").codes == [("query:colour", "unknown_parameter")]
    assert shop.viewer.get(f"{PRODUCTS}?sort=colour").codes == [("query:sort", "not_allowed")]
