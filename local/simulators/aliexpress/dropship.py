"""What AliExpress answers about finding, delivering and following goods: search, services with their fees, tracking."""

from collections.abc import Mapping
from typing import Any

from local.simulators.offers import CATEGORIES, Offer, OfferWorld

__all__ = ["FIRST_ID", "SERVICES", "found", "services", "tracked"]

FIRST_ID = 1_005_000_000_000
"""What is added to the number of an offer to make a product id."""
SERVICES: Mapping[str, tuple[str, str, int]] = {
    "AE_PREMIUM": ("Premium", "7.35", 6),
    "CAINIAO_STANDARD": ("Standard", "1.99", 14),
    "CAINIAO_SUPER_ECONOMY": ("Economy", "1.99", 40),
}
"""Services by code: company, fee in major units, most days."""
_MOST, _FEWEST = 50, 20
_NONE_YET = "1001"


def found(offers: list[Offer], told: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of the offers whose name holds every word; those of a category also where its name does."""
    words = told.get("keyWord", "").casefold().split()
    size = min(_MOST, max(_FEWEST, int(told.get("pageSize") or _FEWEST)))
    start = (int(told.get("pageIndex") or 1) - 1) * size
    wanted = told.get("categoryId")
    names = {str(number): f" {name.casefold()}" for number, name in CATEGORIES} if wanted else {}
    fitting = [
        offer
        for offer in offers
        if wanted in {None, str(offer.category)}
        and all(word in offer.name.casefold() + names.get(str(offer.category), "") for word in words)
    ]
    rows = [{"itemId": str(FIRST_ID + offer.id), "title": offer.name} for offer in fitting[start : start + size]]
    return {"products": {"selection_search_product": rows}, "totalCount": len(fitting), "pageIndex": start // size + 1}


def services(asked: Mapping[str, Any], offered: str) -> dict[str, Any]:
    """Return which services bring a SKU; the switch may say that there are none."""
    rows = [
        {
            "code": code,
            "company": company,
            "shipping_fee_cent": fee,
            "shipping_fee_currency": asked.get("currency", "EUR"),
            "free_shipping": False,
            "min_delivery_days": 3,
            "max_delivery_days": days,
            "tracking": True,
            "ship_from_country": "CN",
        }
        for code, (company, fee, days) in SERVICES.items()
    ]
    return {"success": True, "delivery_options": {"delivery_option_d_t_o": rows if offered == "all" else []}}


def tracked(world: OfferWorld, told: Mapping[str, str]) -> dict[str, Any]:
    """Return the tracking of an order, or that there is none yet."""
    order = next((one for one in world.orders if str(one.number) == told.get("ae_order_id")), None)
    if order is None or not order.tracking:
        return {"ret": False, "code": _NONE_YET}
    node = {"time_stamp": 1_700_000_000_000, "tracking_name": "Accepted", "tracking_detail_desc": "Accepted by carrier"}
    line = {"mail_no": order.tracking, "carrier_name": "CAINIAO", "detail_node_list": {"detail_node": [node]}}
    return {"ret": True, "code": "0", "data": {"tracking_detail_line_list": {"tracking_detail": [line]}}}
