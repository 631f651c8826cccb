"""Kits whose components have lots: drawn first expiring first, and given back to the very lots, kit by kit."""

from pathlib import Path

from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from tests.http.trade.shop import Shop


def test_components_of_returned_kits_go_back_to_the_lots_they_came_from(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    cup = shop.a_product("Cup", stock=2)
    gift = shop.kit("Gift", {cup: 2}, sku="GIFT")
    for lot, expiry, units in (("L", "2026-02-28", 3), ("S", "2026-01-16", 3)):
        shop.app.ledger.book([Change(cup, shop.main, units, MovementType.ADDITION, lot=lot, expiry=expiry)])

    def held() -> dict[str | None, int]:
        level = shop.app.ledger.open([(cup, shop.main)]).level(cup, shop.main) or {}
        return {lot["lot"]: lot["quantity"] for lot in level["lots"]}

    sale = shop.buy((gift, 3)).json
    sold = held()
    back = {"items": [{"product_id": gift, "quantity": 1}]}
    assert shop.operator.post(f"/api/v1/sales/{sale['id']}/returns", back).status == 201
    returned = held()
    assert shop.manager.post(f"/api/v1/sales/{sale['id']}/void", {}).status == 201

    assert sold == {None: 2}
    assert returned == {"S": 2, None: 2}
    assert held() == {"S": 3, "L": 3, None: 2}
