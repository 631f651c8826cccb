"""C03 for the catalogue: one story through every route gives the same answers on every store."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.ports.documents import Documents
from tests.http.inventory.builders import Shop, a_shop
from tests.stores import on_stores

_ID = re.compile(r"\b(?:prd|cat|vnd|vpr|vpc|cpr|chg|lvl|sto|mov|SKU)[_-][0-9A-Za-z]{10,}\b")
_NOISE = ("request_id", "next_cursor")


class Story:
    """Sends requests and keeps what came back, with ids told by when they were first seen."""

    def __init__(self, shop: Shop) -> None:
        """Begin with nothing."""
        self._shop, self._names, self.told = shop, dict[str, str](), list[Any]()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as admin, a minute after the one before; return what was answered."""
        self._shop.later(60)
        given = {} if body is None else {"body": body}
        answer = self._shop.admin.send(method, path, **given)
        text = answer.body.decode()
        plain = _ID.sub(lambda found: self._names.setdefault(found[0], f"id {len(self._names)}"), text)
        self.told.append((method, _ID.sub("*", path.partition("&cursor=")[0]), answer.status, _without_noise(plain)))
        return answer.json if answer.headers.get("Content-Type") == "application/json" else text


def _without_noise(text: str) -> Any:
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return (
        {name: value for name, value in content.items() if name not in _NOISE} if isinstance(content, dict) else content
    )


BASE = "/api/v1/products"


def told(shop: Shop) -> list[Any]:
    """Tell the story; return every answer."""
    story = Story(shop)
    ids = _listed(story.send, BASE)
    _changed(story.send, BASE, ids)
    _bought(story.send, BASE, ids)
    _ended(story.send, BASE, ids)
    return story.told


def _listed(send: Callable[..., Any], base: str) -> list[str]:
    """Make products and list them in many ways; return their ids."""
    products = [
        send(
            "POST", base, {"name": name, "sku": name, "category": kind, "brand": "Acme", "price": price, "stock": stock}
        )
        for name, kind, price, stock in (("Axe", "Tools", 5, 3), ("Bat", "Toys", None, 30), ("Cup", None, 2.5, None))
    ]
    ids = [product["id"] for product in products]
    send("POST", base, {"name": "Axe again", "sku": "AXE"})
    for query in (
        "",
        "?sort=-current_stock",
        "?stock_status=low",
        "?search=a&sort=sku",
        "?category=Tools,Toys&brand=Acme",
        "?status=all&sort=-updated_at",
        "?sort=sale_price&limit=2",
        f"?ids={ids[2]},{ids[0]}",
        "?page=2&limit=2",
    ):
        send("GET", f"{base}{query}")
    page = send("GET", f"{base}?limit=1&sort=-created_at")
    send("GET", f"{base}?limit=1&sort=-created_at&cursor={page['next_cursor']}")
    return ids


def _changed(send: Callable[..., Any], base: str, ids: list[str]) -> None:
    """Change products one by one and together, and scan one."""
    first = f"{base}/{ids[0]}"
    send("PATCH", first, {"price": 6, "stock": 12})
    send("GET", f"{first}?include=levels,vendors")
    send(
        "POST",
        f"{base}/bulk-price-update",
        {"product_ids": [ids[0]], "adjustment_type": "percentage", "adjustment_value": 10},
    )
    send("POST", f"{base}/bulk-edit", {"filter": {"brand": "Acme"}, "changes": {"brand": "Zoom", "status": "paused"}})
    for tail in ("changes", "price-history", "competitor-prices", "vendors", "suppliers"):
        send("GET", f"{first}/{tail}")
    send("POST", f"{first}/competitor-prices", {"competitor": "X", "price": 4})
    send("GET", f"{first}/competitor-prices?sort=-created_at")
    send("POST", "/api/v1/barcode/link", {"barcode": "036000291452", "product_id": ids[0]})
    send("POST", "/api/v1/barcode/scan", {"barcode": "(01)00036000291452(10)A"})
    send("GET", f"{base}?barcode=0036000291452")


def _bought(send: Callable[..., Any], base: str, ids: list[str]) -> None:
    """Let a vendor ask prices, and compare."""
    first = f"{base}/{ids[0]}"
    vendor = send("POST", "/api/v1/vendors", {"name": "Acme"})["id"]
    terms = {"product_id": ids[0], "unit_price": 3}
    send("POST", f"/api/v1/vendors/{vendor}/prices", terms)
    send("POST", f"/api/v1/vendors/{vendor}/prices", {**terms, "unit_price": 2})
    send("PATCH", f"/api/v1/vendors/{vendor}/prices/{ids[0]}", {"lead_time_days": 1})
    for tail in ("", "/prices", f"/prices/{ids[0]}", f"/prices/{ids[0]}/history"):
        send("GET", f"/api/v1/vendors/{vendor}{tail}")
    send("GET", "/api/v1/vendors?search=ac&sort=-created_at")
    send("GET", f"{first}/vendors?quantity=2")
    send("GET", f"{first}/vendors/comparison?quantity=7")
    send("DELETE", f"/api/v1/vendors/{vendor}")


def _ended(send: Callable[..., Any], base: str, ids: list[str]) -> None:
    """Rename and remove, count and export, and look at it all as older clients do."""
    category = send("GET", "/api/v1/categories?include_total=true")["items"][0]["id"]
    send("PATCH", f"/api/v1/categories/{category}", {"name": "Gear"})
    send("PUT", f"/api/v1/categories/{category}/thresholds", {"threshold": 40})
    for path in (
        f"/api/v1/categories/{category}/thresholds",
        f"{base}?stock_status=low",
        "/api/v1/inventory/low-stock",
    ):
        send("GET", path)
    send("DELETE", f"/api/v1/categories/{category}/thresholds")
    send("DELETE", f"/api/v1/categories/{category}")
    for tail in ("/stats", "/categories/list", "/brands/list", "/export", "/export?format=jsonl&sort=-name"):
        send("GET", f"{base}{tail}")
    send("DELETE", f"{base}/{ids[0]}")
    send("GET", base)
    send("GET", "/api/products?searchTerm=b")
    send("PUT", "/ecommerce/v1/create_category?category_name=T&category_slug=t")
    send("GET", "/ecommerce/v1/get_categories?order_by=category_name")
    send("GET", "/ecommerce/v1/get_products?order_by=price&order=desc")


@on_stores("sqlite-file", "firestore-server", "firestore-emulator")
def test_the_same_story_has_the_same_answers_on_every_store(documents: Documents, tmp_path: Path) -> None:
    here = told(a_shop(tmp_path / "here", documents))
    wanted = told(a_shop(tmp_path / "memory"))

    assert [entry[:3] for entry in here] == [entry[:3] for entry in wanted]
    for mine, expected in zip(here, wanted, strict=True):
        assert mine == expected
    assert len(here) == 60
    assert {status for _, _, status, _ in here} == {200, 201, 204, 409}


def test_control_a_deployment_that_differs_in_one_setting_tells_another_story(tmp_path: Path) -> None:
    other = told(a_shop(tmp_path / "other", DEFAULT_CURRENCY="USD"))

    assert sum(mine != expected for mine, expected in zip(other, told(a_shop(tmp_path / "memory")), strict=True)) > 20
