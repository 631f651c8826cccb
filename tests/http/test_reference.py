"""The API page for people: it shows the document, escapes what it shows, and needs nothing from elsewhere."""

import json
import re
from pathlib import Path

from shared.http.reference import POLICY, reference

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text())


def test_every_operation_and_model_has_its_place() -> None:
    page = reference(DOCUMENT).decode()

    operations = [f"{verb}-{path}" for path, verbs in DOCUMENT["paths"].items() for verb in verbs]
    assert [name for name in operations if f'id="{name}"' not in page] == []
    assert [name for name in DOCUMENT["components"]["schemas"] if f'id="model-{name}"' not in page] == []


def test_every_link_leads_somewhere() -> None:
    page = reference(DOCUMENT).decode()

    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets - set(re.findall(r'id="([^"]+)"', page)) == set()
    assert set(re.findall(r'href="(/[^"]*)"', page)) == {"/openapi.json", "/problems"}


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = reference(DOCUMENT).decode()

    assert re.findall(r"<script|<link|<img|<iframe|src=|@import|url\(|https?://", page) == []
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")


def test_words_of_the_document_are_escaped() -> None:
    hostile = json.loads(json.dumps(DOCUMENT).replace("Make an account", "<script>alert(1)</script>"))

    page = reference(hostile).decode()

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_what_makes_or_replaces_shows_both_answers() -> None:
    def told(path: str) -> dict[str, object]:
        return {
            key: one.get("content") for key, one in DOCUMENT["paths"][path]["post"]["responses"].items() if key < "3"
        }

    prices = told("/api/v1/vendors/{id}/prices")
    assert sorted(prices) == ["200", "201"]
    assert prices["200"] == prices["201"] is not None
    assert sorted(told("/api/v1/products")) == ["201"]


def test_what_the_shop_takes_as_body_or_query_is_shown_as_both() -> None:
    asked = DOCUMENT["paths"]["/ecommerce/v1/get_categories"]["get"]

    shown = {one["name"]: one["required"] for one in asked["parameters"] if one["in"] == "query"}
    assert shown == dict.fromkeys(("page", "per_page", "order", "order_by"), False)
    assert "requestBody" in asked
