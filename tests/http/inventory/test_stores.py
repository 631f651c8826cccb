"""Stores and regions over HTTP."""

from typing import Any

import pytest

from shared.inventory.places import KIND
from shared.ports.documents import Query
from shared.stores.models import Store
from tests.http.inventory.builders import Shop, ok

STORES = "/api/v1/stores"
NEW = {"name": "North Hub", "region": "North", "store_type": "Urban"}


def test_a_store_is_made_with_a_code_from_its_name(shop: Shop) -> None:
    answer = shop.manager.post(STORES, {**NEW, "name": "Café Süd"})
    store = ok(answer, 201)

    assert answer.headers["Location"] == f"{STORES}/{store['id']}"
    assert list(store) == list(Store.model_fields)
    assert (store["code"], store["timezone"], store["is_default"], store["is_active"]) == (
        "CAFE-SUD",
        "UTC",
        False,
        True,
    )
    assert (store["address"], store["manager_id"], store["version"]) == (None, None, 1)
    assert ok(shop.viewer.get(f"{STORES}/{store['id']}")) == store
    assert ok(shop.manager.post(STORES, {**NEW, "name": "Cafe Sud"}), 201)["code"] == "CAFE-SUD-2"


def test_a_fresh_deployment_has_one_default_store_called_main(shop: Shop) -> None:
    shop.store()

    (default,) = [store for store in ok(shop.viewer.get(STORES))["items"] if store["is_default"]]

    assert (default["code"], default["store_type"]) == ("MAIN", "Warehouse")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": "MAIN"}, 409),
        ({"code": "main"}, 409),
        ({"manager_id": "usr_none"}, 404),
        ({"store_type": "Castle"}, 422),
        ({"timezone": "Mars/Olympus"}, 422),
        ({"name": ""}, 422),
        ({"id": "sto_1"}, 422),
        ({"is_default": "yes"}, 422),
    ],
)
def test_bad_stores_are_refused(shop: Shop, body: dict[str, Any], status: int) -> None:
    shop.app.stores.ensure_default()

    assert shop.manager.post(STORES, {**NEW, **body}).status == status
    assert shop.app.store.count(Query("stores")) == 1


@pytest.mark.parametrize("path", [STORES, f"{STORES}/options", f"{STORES}/regions/summary", "/api/stores"])
def test_whoever_lists_stores_first_finds_the_default_one(shop: Shop, path: str) -> None:
    found = ok(shop.viewer.get(path))

    assert len(found["items"] if path == STORES else found) == 1
    (store,) = ok(shop.viewer.get(STORES))["items"]
    assert (store["code"], store["is_default"], store["id"]) == ("MAIN", True, shop.app.stores.ensure_default())


def test_only_managers_change_stores(shop: Shop) -> None:
    assert shop.operator.post(STORES, NEW).status == 403
    assert shop.viewer.delete(f"{STORES}/sto_none").status == 403


def test_the_default_moves_and_is_never_lost(shop: Shop) -> None:
    store = shop.store()
    main = shop.app.stores.ensure_default()

    moved = ok(shop.manager.patch(f"{STORES}/{store}", {"is_default": True}))

    assert moved["is_default"] is True
    assert ok(shop.viewer.get(f"{STORES}/{main}"))["is_default"] is False
    assert shop.app.stores.ensure_default() == store
    assert shop.manager.patch(f"{STORES}/{store}", {"is_default": False}).problem == "InvalidState"
    assert shop.manager.delete(f"{STORES}/{store}").problem == "InvalidState"


def test_a_renamed_store_relabels_its_levels(shop: Shop) -> None:
    store, product = shop.store(), shop.product()
    level = shop.stock(product, 3, store)

    ok(shop.manager.put(f"{STORES}/{store}", {"name": "South Hub", "region": "South", "store_type": "Warehouse"}))
    after = shop.level(product, store)

    assert after == {**level, "store_name": "South Hub", "region": "South"}
    assert ok(shop.viewer.get("/api/v1/inventory", search="south", region="South"))["items"] == [after]
    assert len(ok(shop.viewer.get("/api/v1/inventory/warehouse"))["items"]) == 1


def test_a_store_with_many_levels_is_relabelled_by_a_job(shop: Shop) -> None:
    store = shop.store()
    for number in range(101):
        shop.stock(shop.product(f"SKU{number}"), 1, store)

    ok(shop.manager.patch(f"{STORES}/{store}", {"name": "South Hub"}))
    (job,) = [each for each in ok(shop.viewer.get("/api/v1/jobs"))["items"] if each["job_type"] == KIND]
    body = {"job_id": job["id"], "step": 0, "lease_epoch": 1, "payload": {}}
    shop.app.job_runner.deliver(KIND, body)

    assert ok(shop.viewer.get(f"/api/v1/jobs/{job['id']}"))["status"] == "succeeded"
    names = {stored.data["store_name"] for stored in shop.app.store.query(Query("levels", limit=200))}
    assert names == {"South Hub"}


def test_a_store_goes_only_when_nothing_is_in_it(shop: Shop) -> None:
    store, product = shop.store(), shop.product()
    shop.stock(product, 3, store)
    assert shop.manager.delete(f"{STORES}/{store}").problem == "InvalidState"
    ok(shop.operator.post("/api/v1/inventory/adjust", {"product_id": product, "store_id": store, "quantity": -3}))

    assert shop.manager.delete(f"{STORES}/{store}").status == 204

    assert shop.viewer.get(f"{STORES}/{store}").problem == "NotFound"
    assert shop.manager.delete(f"{STORES}/{store}").problem == "NotFound"
    assert ok(shop.viewer.get("/api/v1/inventory"))["items"] == []
    assert len(ok(shop.viewer.get("/api/v1/inventory/movements", store_id=store))["items"]) == 2
    assert ok(shop.manager.post(STORES, {**NEW, "code": "NORTH-HUB"}), 201)["code"] == "NORTH-HUB"


def test_lists_filter_sort_and_page(shop: Shop) -> None:
    shop.app.stores.ensure_default()
    for name, region, kind in (("Alpha", "West", "Urban"), ("Beta", "East", "Tourist"), ("Gamma", "West", "Tourist")):
        shop.store(name, region=region, store_type=kind, city=f"{name}ville")

    def names(**query: Any) -> list[str]:
        return [store["name"] for store in ok(shop.viewer.get(STORES, **query))["items"]]

    assert names() == ["Alpha", "Beta", "Gamma", "Main"]
    assert names(sort="-region", limit=3)[0] in {"Alpha", "Gamma"}
    assert names(region=["West", "East"], store_type="Tourist") == ["Beta", "Gamma"]
    assert names(search="gammav") == ["Gamma"]
    assert names(is_active=False) == []
    first = ok(shop.viewer.get(STORES, limit=3))
    assert [store["name"] for store in ok(shop.viewer.get(STORES, limit=3, cursor=first["next_cursor"]))["items"]] == [
        "Main"
    ]
    assert ok(shop.viewer.get(STORES, page=2, limit=3))["total_pages"] == 2


def test_regions_and_stores_to_choose_from(shop: Shop) -> None:
    shop.app.stores.ensure_default()
    store = shop.store("Alpha", region="West", code="ALPHA")
    shop.store("Gamma", region="West", store_type="Tourist")

    assert ok(shop.viewer.get(f"{STORES}/regions/options")) == [
        {"value": "all", "label": "All Regions (3 stores)", "store_count": 3},
        {"value": "Main", "label": "Main (1 stores)", "store_count": 1},
        {"value": "West", "label": "West (2 stores)", "store_count": 2},
    ]
    assert ok(shop.viewer.get(f"{STORES}/options", region="West"))[0] == {
        "value": store,
        "label": "Alpha",
        "store_id": store,
        "store_name": "Alpha",
        "store_code": "ALPHA",
        "region": "West",
    }
    summary = ok(shop.viewer.get(f"{STORES}/regions/summary"))[1]
    assert (summary["region"], summary["total_stores"], summary["urban_stores"], summary["tourist_stores"]) == (
        "West",
        2,
        1,
        1,
    )
    assert summary["warehouse_stores"] == 0


def test_of_two_who_saw_the_same_store_one_changes_it(shop: Shop) -> None:
    store = shop.store()
    tag = {"If-Match": shop.viewer.get(f"{STORES}/{store}").headers["ETag"]}

    ok(shop.manager.patch(f"{STORES}/{store}", {"city": "Ulm"}, headers=tag))
    second = shop.manager.patch(f"{STORES}/{store}", {"city": "Bonn"}, headers=tag)

    assert second.problem == "PreconditionFailed"
    assert ok(shop.viewer.get(f"{STORES}/{store}"))["city"] == "Ulm"
    assert shop.manager.patch(f"{STORES}/{store}", {"city": "Bonn", "version": 1}).status == 412
