"""M04, whole: what is exported and imported again is what was there, formulas, quotes, lists and all."""

import random
from pathlib import Path
from typing import Any

from tests.http.imports.client import Imports, importing

_LEADS = ("=", "+", "-", "@", "'=", "''-", "'", "", "", "\u00e9", '"', ",")
_KEPT = (
    "sku",
    "name",
    "description",
    "brand",
    "category",
    "barcode",
    "sale_price",
    "unit_cost",
    "current_stock",
    "tags",
    "images",
)


def filled(imports: Imports, count: int = 40) -> None:
    """Make products that a careless table would spoil."""
    rng = random.Random(5)
    for number in range(count):
        lead = rng.choice(_LEADS)
        body = {
            "name": f'{lead}Cup "{number}", new',
            "sku": f"{rng.choice(_LEADS)}S{number:03d}",
            "description": f"{lead}two\nlines, one; {number}",
            "brand": rng.choice((None, "=cmd|' /C calc'!A0", "Acme, Sons")),
            "category": rng.choice((None, "@Tools", "Kitchen")),
            "sale_price": rng.choice((None, "0.05", "1234.50", "99999999.99")),
            "unit_cost": rng.choice((None, "3.10")),
            "current_stock": rng.choice((None, 0, 7, 1200)),
            "tags": rng.choice(([], ["a, b", "=c"], ["x"])),
            "images": rng.choice(([], ["https://a.example/x,y.png", "https://b.example/z.png"])),
        }
        answer = imports.post("/products", json=body)
        assert answer.status_code == 201, answer.text


def exported(imports: Imports) -> bytes:
    """Return all products as CSV."""
    answer = imports.http.get("/api/v1/products/export?sort=sku", auth=("demo", "demo-password-1"))
    assert answer.status_code == 200
    return bytes(answer.data)


def products(imports: Imports) -> list[dict[str, Any]]:
    """Return what matters of every product, by SKU."""
    items = imports.get("/products?sort=sku&limit=200")["items"]
    return [{name: item[name] for name in _KEPT} for item in items]


def test_importing_an_export_changes_nothing(tmp_path: Path) -> None:
    with importing(tmp_path) as imports:
        filled(imports)

        run = imports.upload(exported(imports))

        assert {name: run["totals"][name] for name in ("rows", "create", "update", "skip", "error")} == {
            "rows": 40,
            "create": 0,
            "update": 0,
            "skip": 0,
            "error": 0,
        }


def test_an_export_makes_the_same_products_somewhere_else(tmp_path: Path) -> None:
    with importing(tmp_path / "one") as imports:
        filled(imports)
        table, wanted = exported(imports), products(imports)

    with importing(tmp_path / "two") as imports:
        run = imports.upload(table)

        assert (run["totals"]["create"], run["totals"]["error"]) == (40, 0)
        assert products(imports) == wanted
