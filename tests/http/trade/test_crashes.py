"""I01-I04 and J03, J05 on purchases and fulfilment: a process may die at any commit, a job may be cancelled at any."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.client import Answered
from tests.http.test_idempotency_crashes import Killed, Mortal
from tests.http.trade.drop_ship import DropShip
from tests.http.trade.shop import Shop


def dying(shop: Shop, commits: int, *, before: bool, act: Any) -> bool:
    """Let the process die at a commit of what it does; say whether it came that far."""
    real: Any = shop.app.documents
    Mortal(shop.app, commits, before=before)  # type: ignore[arg-type]
    try:
        act()
    except Killed:
        return True
    finally:
        shop.app.store.documents = real
    return False


@pytest.mark.parametrize("before", [True, False])
def test_a_purchase_that_died_at_its_commit_is_one_sale_after_the_retry(tmp_path: Path, *, before: bool) -> None:
    shop = Shop(tmp_path)
    cup = shop.a_product(stock=10)
    body, key = {"items": [{"product_id": cup, "quantity": 3}]}, {"Idempotency-Key": "k"}

    def send() -> Answered:
        return shop.operator.post("/api/v1/sales", body, headers=key)

    assert dying(shop, 1, before=before, act=send)
    first, second = send(), send()

    assert (first.status, first.body) == (201, second.body)
    assert (shop.on_hand(cup), shop.count("sales")) == (7, 1)
    assert [one["quantity"] for one in shop.movements(cup)] == [10, -3]


def test_control_a_purchase_without_a_key_is_two_sales_when_it_is_repeated(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    cup = shop.a_product(stock=10)

    assert dying(shop, 1, before=False, act=lambda: shop.buy((cup, 3)))
    shop.buy((cup, 3))

    assert (shop.on_hand(cup), shop.count("sales")) == (4, 2)


def test_32_equal_requests_at_once_are_one_sale(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    cup = shop.a_product(stock=100)
    client, body = shop.operator, {"items": [{"product_id": cup, "quantity": 3}]}
    answers: list[Answered] = []

    def send() -> None:
        answers.append(client.post("/api/v1/sales", body, headers={"Idempotency-Key": "k"}))

    threads = [threading.Thread(target=send) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert set(Counter(answer.status for answer in answers)) <= {201, 409}
    assert {answer.problem for answer in answers if answer.status == 409} <= {"IdempotencyInFlight"}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert (shop.on_hand(cup), shop.count("sales")) == (97, 1)


def test_a_key_is_one_users_on_one_path(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    cup = shop.a_product(stock=10)
    body, key = {"items": [{"product_id": cup, "quantity": 1}]}, {"Idempotency-Key": "k"}

    statuses = [
        shop.as_("operator", "usr_1").post("/api/v1/sales", body, headers=key).status,
        shop.as_("operator", "usr_2").post("/api/v1/sales", body, headers=key).status,
        shop.as_("operator", "usr_1").post("/api/v1/sales", {**body, "mode": "partial"}, headers=key).status,
    ]

    assert statuses == [201, 201, 422]
    assert shop.on_hand(cup) == 8


@pytest.mark.parametrize("before", [True, False])
def test_a_worker_that_dies_at_any_commit_orders_once(tmp_path: Path, before: bool) -> None:
    """Every commit of the job in turn is the last one; after the lease another delivery takes over."""
    shop = DropShip(tmp_path)
    died = 0
    for commits in range(1, 12):
        for supplier in shop.suppliers.values():
            supplier.placed.clear()
        kept = shop.order(
            {"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_a"},
            {"product_id": shop.pen, "quantity": 1, "supplier_id": "sup_b"},
        )
        answer = shop.fulfil(kept)
        died += dying(shop, commits, before=before, act=shop.work)
        job = shop.finish(answer)

        assert (job.status, shop.read(kept)["status"]) == ("succeeded", "fulfilled"), commits
        assert [len(shop.a.placed), len(shop.b.placed)] == [1, 1], commits
    assert died >= 6


@pytest.mark.parametrize("call", range(4))
def test_a_job_cancelled_while_a_supplier_is_called_ends_once_and_writes_nothing_later(
    tmp_path: Path, call: int
) -> None:
    shop = DropShip(tmp_path)
    kept = shop.order(
        {"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_a"},
        {"product_id": shop.pen, "quantity": 1, "supplier_id": "sup_b"},
    )
    answer = shop.fulfil(kept)
    calls = iter(range(99))

    def cancelling(real: Any) -> Any:
        def act(given: Any) -> Any:
            if next(calls) == call:
                shop.app.jobs.cancel(answer.json["job_id"])
            return real(given)

        return act

    for supplier in shop.suppliers.values():
        vars(supplier)["find"], vars(supplier)["place"] = cancelling(supplier.find), cancelling(supplier.place)
    job = shop.finish(answer)
    written = shop.app.documents.counts.writes
    shop.queue().post("/internal/tasks/fulfil-order", {"job_id": job.id, "step": 0, "lease_epoch": 1, "payload": {}})
    assert (job.status, shop.app.documents.counts.writes) == ("cancelled", written)

    for supplier in shop.suppliers.values():
        del vars(supplier)["find"], vars(supplier)["place"]
    order, _ = shop.fulfilled(kept)

    assert order["status"] == "fulfilled"
    assert [len(shop.a.placed), len(shop.b.placed)] == [1, 1]
