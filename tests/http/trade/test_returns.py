"""Returns and voids: entries of their own, net reports, and never more back than was sold."""

from pathlib import Path
from typing import Any

import pytest

from shared.core.caller import Caller, Role
from shared.sales.models import NewReturn
from tests.contract.stock.buyers import fared
from tests.http.trade.shop import Shop


class Till:
    """A shop that sold four cups and two pens."""

    def __init__(self, folder: Path) -> None:
        """Sell them."""
        self.shop = Shop(folder)
        self.cup = self.shop.a_product("Cup", stock=10)
        self.pen = self.shop.a_product("Pen", stock=10, sale_price="1.10")
        self.sale = self.shop.buy((self.cup, 4), (self.pen, 2)).json

    def back(self, units: int, **said: Any) -> Any:
        """Bring cups back."""
        body = {"items": [{"product_id": self.cup, "quantity": units}], **said}
        return self.shop.operator.post(f"/api/v1/sales/{self.sale['id']}/returns", body)

    def void(self) -> Any:
        """Void the sale."""
        return self.shop.manager.post(f"/api/v1/sales/{self.sale['id']}/void", {"reason": "mistake"})


@pytest.fixture(name="till")
def _till(tmp_path: Path) -> Till:
    return Till(tmp_path)


def test_a_return_is_an_entry_of_its_own_and_the_sale_stays(till: Till) -> None:
    answer = till.back(3, reason="broken")

    told = answer.json
    assert (answer.status, told["kind"], told["total_amount"], told["reason"]) == (201, "return", 7.5, "broken")
    assert [(line["quantity"], line["line_total"]) for line in told["items"]] == [(3, 7.5)]
    moved = till.shop.movements(till.cup)[-1]
    assert (moved["transaction_type"], moved["quantity"], moved["reference"]) == ("addition", 3, told["id"])
    assert till.shop.on_hand(till.cup) == 9
    assert till.shop.viewer.get(f"/api/v1/sales/{till.sale['id']}").json == till.sale
    assert till.shop.viewer.get(f"/api/v1/sales/{till.sale['id']}/returns").json == {"items": [told]}


def test_reports_are_net_from_the_day_of_the_return_and_count_sales_only(till: Till) -> None:
    till.shop.clock.advance(86_400)
    till.back(1)
    till.shop.drain()

    told = till.shop.viewer.get(
        "/api/v1/sales/report", start="2026-01-15", end="2026-01-16", bucket="daily", product_ids=till.cup
    ).json

    assert [(one["revenue"], one["quantity"], one["count"]) for one in told["buckets"]] == [(10.0, 4, 1), (-2.5, -1, 0)]
    assert (told["total_revenue"], told["sale_count"]) == (7.5, 1)


def test_no_more_comes_back_than_was_sold(till: Till) -> None:
    assert till.back(3).status == 201

    refused = till.shop.unchanged(lambda: till.back(2))

    assert (refused.status, refused.json["current"]) == (409, 1)
    twice = {"items": [{"product_id": till.pen, "quantity": 1}] * 3}
    assert till.shop.operator.post(f"/api/v1/sales/{till.sale['id']}/returns", twice).status == 409
    other = {"items": [{"product_id": "nothing", "quantity": 1}]}
    assert till.shop.operator.post(f"/api/v1/sales/{till.sale['id']}/returns", other).status == 404


def test_a_void_takes_back_what_is_left_once(till: Till) -> None:
    till.back(1)

    voided = till.void()
    again = till.shop.unchanged(till.void)

    assert (voided.json["kind"], voided.json["total_amount"]) == ("void", 9.7)
    assert (till.shop.on_hand(till.cup), till.shop.on_hand(till.pen)) == (10, 10)
    assert again.status == 409
    assert till.shop.operator.post(f"/api/v1/sales/{till.sale['id']}/void").status == 403


def test_many_at_once_bring_back_what_was_sold_and_no_more(till: Till) -> None:
    caller = Caller("usr_m", "m", Role.MANAGER)
    one = NewReturn.model_validate({"items": [{"product_id": till.cup, "quantity": 1}]})
    done: list[str] = []

    def bring() -> None:
        done.append(till.shop.app.sale_returns.take_back(caller, till.sale["id"], one)["id"])

    with pytest.MonkeyPatch.context() as patched:
        from shared.core.errors import InvalidState
        from tests.contract.stock import buyers

        patched.setitem(buyers._OUTCOMES, InvalidState, "refused")
        outcomes = fared([bring] * 12)

    assert outcomes == {"done": 4, "refused": 8}
    assert till.shop.on_hand(till.cup) == 10
