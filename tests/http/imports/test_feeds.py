"""Feeds of every format through dry run, apply and undo: api.md 2.11."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.imports.client import Imports, importing

FEEDS = (
    ("google.xml", "xml"),
    ("atom.xml", "xml"),
    ("google.tsv", "tsv"),
    ("shopify.csv", "csv"),
    ("products.csv.gz", "csv"),
    ("products.json", "json"),
    ("products.jsonl", "jsonl"),
    ("european.csv", "csv"),
)
QUANTITIES = {"shopify.csv", "products.csv.gz", "products.json", "products.jsonl", "european.csv"}
RUN = (
    "id job_id kind source format status dry_run update_existing mapping_config totals errors content_hash created_by "
    "created_at applied_at version"
)
NONE = {"rows": 0, "create": 0, "update": 0, "unchanged": 0, "skip": 0, "error": 0}


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    """Start an installation with its shop."""
    with importing(tmp_path) as made:
        yield made


def totals(**counts: int) -> dict[str, int]:
    return NONE | counts


@pytest.mark.parametrize(("name", "form"), FEEDS)
def test_a_feed_is_shown_applied_and_taken_back(imports: Imports, name: str, form: str) -> None:
    ready = imports.feed(f"/feeds/{name}", dry_run=True)
    assert imports.products() == {}

    applied = imports.act(ready, "apply")
    products, movements = imports.products(), imports.movements()
    again = imports.feed(f"/feeds/{name}", dry_run=True)
    undone = imports.act(applied, "undo")
    after = imports.products()

    assert " ".join(ready) == RUN
    assert (ready["status"], ready["format"], ready["kind"]) == ("ready", form, "feed")
    assert ready["totals"] == totals(rows=12, create=12)
    assert (applied["status"], applied["totals"]) == ("applied", ready["totals"])
    assert sorted(products) == [f"SHOP-{number:03d}" for number in range(1, 13)]
    assert {product["status"] for product in products.values()} == {"draft"}
    assert (products["SHOP-010"]["sale_price"], products["SHOP-009"]["name"]) == ("1234.56", "Thé d'été")
    assert products["SHOP-001"]["stock"] == (25 if name in QUANTITIES else 1)
    assert products["SHOP-006"]["stock"] == 0
    assert {movement["transaction_type"] for movement in movements} == {"import"}
    assert {movement["reference"] for movement in movements} == {ready["id"]}
    assert again["totals"] == totals(rows=12, unchanged=12)
    assert undone["status"] == "undone"
    assert {(product["status"], product["stock"]) for product in after.values()} == {("archived", 0)}


def test_the_diff_says_before_and_after_in_the_order_of_the_file(imports: Imports) -> None:
    imports.upload(b"sku,title,price,stock\nA,Tee,10.00,5\nB,Cap,4,1\n")

    run = imports.upload(b"sku,title,price,stock\nB,Cap,4,1\nA,Tee,12.5,7\nC,Hat,1.234,\nD,,1,\n", dry_run="true")
    rows = imports.diff(run)

    assert [(row["row"], row["action"], row["sku"], row["code"]) for row in rows] == [
        (1, "unchanged", "B", None),
        (2, "update", "A", None),
        (3, "create", "C", "ambiguous_number"),
        (4, "error", "D", "missing_name"),
    ]
    assert rows[1]["fields"] == {
        "sale_price": {"before": 10.0, "after": 12.5},
        "stock": {"before": 5, "after": 7},
    }
    assert run["errors"] == [
        {"row": 4, "field": "name", "code": "missing_name", "message": "A new product needs a name."}
    ]
    assert imports.diff(run, "action=update,error")[1]["row"] == 4


def test_the_diff_has_pages(imports: Imports) -> None:
    lines = "".join(f"P-{number},Thing {number},1.00\n" for number in range(1, 1206))
    run = imports.upload(f"sku,title,price\n{lines}".encode(), dry_run="true")
    path, seen = f"/imports/{run['id']}/diff?limit=500", []

    page = imports.get(path)
    seen += [row["row"] for row in page["items"]]
    while page["next_cursor"]:
        page = imports.get(f"{path}&cursor={page['next_cursor']}")
        seen += [row["row"] for row in page["items"]]

    assert seen == list(range(1, 1206))
    skipped = imports.get(f"/imports/{run['id']}/diff?skip=1200&limit=10")
    assert ([row["row"] for row in skipped["items"]], skipped["total"]) == ([1201, 1202, 1203, 1204, 1205], 1205)
    assert imports.get(f"/imports/{run['id']}/diff?cursor=nonsense")["status"] == 400


def test_of_two_rows_with_one_key_the_last_wins(imports: Imports) -> None:
    run = imports.upload(b"sku,title,price\nA,First,1\nB,Other,1\na,Last,2\n")

    assert run["totals"] == totals(rows=3, create=2, skip=1)
    assert [row["code"] for row in imports.diff(run)] == ["duplicate_row", None, None]
    assert imports.products()["a"]["name"] == "Last"


def test_empty_cells_and_missing_columns_change_nothing(imports: Imports) -> None:
    imports.upload(b"sku,title,price,stock,brand\nA,Tee,10.00,5,Acme\n")

    run = imports.upload(b"sku,title,price,stock\nA,,,\n")

    assert run["totals"] == totals(rows=1, unchanged=1)
    assert imports.products()["A"]["stock"] == 5


@pytest.mark.parametrize(("text", "known", "unknown"), [("in stock", 5, 1), ("sold out", 0, 0), ("preorder", 0, 0)])
def test_words_of_availability(imports: Imports, text: str, known: int, unknown: int) -> None:
    imports.upload(b"sku,title,stock\nA,Tee,5\n")

    imports.upload(f"sku,title,stock\nA,Tee,{text}\nB,Cap,{text}\n".encode())

    products = imports.products()
    assert (products["A"]["stock"], products["B"]["stock"]) == (known, unknown)


def test_rows_are_matched_by_sku_barcode_and_address(imports: Imports) -> None:
    imports.upload(b"sku,title,barcode\nA,Tee,4006381333931\n")
    imports.upload(b"title,link\nMug,https://shop.example/mug\n")

    by_barcode = imports.upload(b"title,barcode\nTee again,04006381333931\n")
    by_address = imports.upload(b"title,link\nMug again,https://shop.example/mug\n")

    assert (by_barcode["totals"]["update"], by_address["totals"]["update"]) == (1, 1)
    assert sorted(product["name"] for product in imports.products().values()) == ["Mug again", "Tee again"]


def test_existing_products_are_skipped_when_asked(imports: Imports) -> None:
    imports.upload(b"sku,title,price\nA,Tee,1\n")

    run = imports.upload(b"sku,title,price\nA,Changed,2\nB,New,2\n", update_existing="false")

    assert run["totals"] == totals(rows=2, create=1, skip=1)
    assert imports.products()["A"]["name"] == "Tee"


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("Référence;Désignation;Prix;Quantité;Marque;Devise", ";"),
        ("Artikelnummer\tTitel\tPreis\tBestand\tHersteller\tWährung", "\t"),
    ],
)
def test_european_headers_are_understood(imports: Imports, header: str, separator: str) -> None:
    row = separator.join(["EU-1", "Théière", "1.234,50", "12,0", "Bleu", "CHF"])

    imports.upload(f"{header}\n{row}\n".encode("cp1252"))

    product = imports.products()["EU-1"]
    shown = [product[name] for name in ("name", "sale_price", "stock", "brand", "currency")]
    assert shown == ["Théière", "1234.50", 12, "Bleu", "CHF"]


def test_a_mapping_wins_over_synonyms(imports: Imports) -> None:
    fields = {"mapping_config": '{"Code": "sku", "Label": "title", "Net": "price"}'}

    run = imports.upload(b"Code,Label,Net,price\nX-1,Thing,3.00,9.99\n", **fields)

    assert run["mapping_config"] == {"Code": "sku", "Label": "title", "Net": "price"}
    assert imports.products()["X-1"]["sale_price"] == "3.00"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"mapping_config": '{"a": "role"}'}, "/mapping_config/a"),
        ({"mapping_config": "["}, "/mapping_config"),
        ({"dry_run": "maybe"}, "/dry_run"),
        ({"feed_type": "xlsx"}, "/feed_type"),
        ({"admin": "true"}, "/admin"),
    ],
)
def test_wrong_options_are_refused_and_nothing_is_kept(imports: Imports, fields: Any, pointer: str) -> None:
    answer = imports.send(b"sku,title\nA,Tee\n", **fields)

    assert answer.status_code == 422
    assert answer.json is not None
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert imports.get("/imports?include_total=true")["total"] == 0


def test_what_is_no_upload_is_refused(imports: Imports) -> None:
    workbook = b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml"

    assert imports.send(workbook, "book.xlsx").status_code == 415
    assert imports.send(b"PK\x03\x04" + b"\0" * 26 + b"custom.xml", "Book.XLSX").status_code == 415
    assert imports.post("/imports", json={"file": "x"}).status_code == 415
    assert imports.post("/imports").status_code == 422
    assert imports.post("/imports", data={"other": "x"}, content_type="multipart/form-data").status_code == 422


def test_an_upload_with_one_key_is_taken_once_whatever_its_boundary(imports: Imports) -> None:
    def send(boundary: str) -> Any:
        part = 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nsku,title\nA,Tee\n'
        body = f"--{boundary}\r\n{part}\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return imports.post("/imports", data=body, content_type=kind, headers={"Idempotency-Key": "once"})

    first, second = send("one"), send("two")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert imports.get("/imports?include_total=true")["total"] == 1


def test_all_rows_bad_is_a_failure_that_changes_nothing(imports: Imports) -> None:
    run = imports.feed("/feeds/hostile/bad-rows.csv")

    assert (run["status"], run["totals"]) == ("failed", totals(rows=5, error=5))
    assert [error["row"] for error in run["errors"]] == [1, 2, 3, 4, 5]
    assert imports.get(f"/jobs/{run['job_id']}")["error"]["code"] == "all_rows_bad"
    assert imports.products() == {}


def test_rows_that_are_all_bad_for_what_the_catalogue_lacks_are_a_failure_too(imports: Imports) -> None:
    run = imports.upload(b"sku,name,price\nNONE-1,,1\nNONE-2,,2\n")

    assert (run["status"], run["totals"]) == ("failed", totals(rows=2, error=2))
    assert [error["code"] for error in run["errors"]] == ["missing_name", "missing_name"]
    assert imports.get(f"/jobs/{run['job_id']}")["error"]["code"] == "all_rows_bad"
    assert imports.products() == {}


def test_imports_are_listed_by_when_they_were_made(imports: Imports) -> None:
    first = imports.upload(b"sku,name\nWHEN-1,One\n")
    imports.clock.advance(3 * 86_400)
    second = imports.upload(b"sku,name\nWHEN-2,Two\n")

    def listed(query: str) -> list[str]:
        return [run["id"] for run in imports.get(f"/imports?{query}")["items"]]

    assert listed(f"created_from={second['created_at'][:10]}") == [second["id"]]
    assert listed(f"created_to={first['created_at'][:10]}&kind=upload") == [first["id"]]
    assert listed(f"created_from={first['created_at']}&status=applied") == [second["id"], first["id"]]
    assert listed("created_to=2000-01-01") == []


def test_good_rows_are_applied_beside_bad_ones(imports: Imports) -> None:
    run = imports.feed("/feeds/hostile/ragged.csv")
    job = imports.get(f"/jobs/{run['job_id']}")

    assert [job[name] for name in ("items_processed", "items_succeeded", "items_failed")] == [4, 2, 2]
    assert (run["status"], run["totals"]) == ("applied", totals(rows=4, create=2, error=2))
    assert sorted(imports.products()) == ["R-1", "R-4"]


def test_the_same_url_twice_updates_the_same_draft(imports: Imports) -> None:
    url = f"{imports.shop.origin}/products/linen-shirt"
    imports.scrape("url", url=url)
    imports.shop.change({"op": "set_price", "sku": "SHOP-001", "cents": 5555})

    run = imports.scrape("url", url=url, extract_reviews=True)

    products = imports.products()
    assert (len(products), products["SHOP-001"]["sale_price"]) == (1, "55.55")
    assert imports.diff(run)[0]["fields"]["attributes"]["after"] == {"rating": "4.6", "review_count": "31"}


@pytest.mark.parametrize(
    ("slug", "price", "source"),
    [
        ("linen-shirt", 49.9, "json-ld"),
        ("clay-mug", 14.5, "meta"),
        ("oak-stool", 129.0, "microdata"),
        ("wool-scarf", 39.0, "meta"),
    ],
)
def test_a_page_says_where_each_value_was_read(imports: Imports, slug: str, price: float, source: str) -> None:
    run = imports.scrape("url", url=f"{imports.shop.origin}/products/{slug}", dry_run=True)

    row = imports.diff(run)[0]
    assert row["fields"]["sale_price"]["after"] == price
    assert row["provenance"]["sale_price"] == source


def test_a_price_is_never_guessed_from_a_script(imports: Imports) -> None:
    imports.scrape("url", url=f"{imports.shop.origin}/products/glass-vase")

    assert imports.products()["SHOP-005"]["sale_price"] is None


def test_robots_are_obeyed(imports: Imports) -> None:
    run = imports.scrape("url", url=f"{imports.shop.origin}/products/desk-lamp-secret")

    assert (run["status"], run["errors"][0]["code"]) == ("failed", "robots_disallowed")
    asked = [entry["path"] for entry in imports.shop.journal.entries()]
    assert asked == ["/robots.txt"]


def test_a_shop_is_read_by_list_sitemap_or_links_at_a_request_a_second(imports: Imports) -> None:
    found = {}
    for fault in ("none", "no_product_list", "no_sitemap"):
        imports.shop.fault(fault)
        before = imports.clock.monotonic()
        run = imports.scrape("store", store_url=imports.shop.origin, dry_run=True)
        requests = len(imports.shop.journal.entries())
        imports.shop.journal.clear()
        found[fault] = run["totals"]["create"]
        assert imports.clock.monotonic() - before >= requests - 2

    assert found == {"none": 12, "no_product_list": 11, "no_sitemap": 11}
    imports.shop.fault("no_products")
    assert imports.scrape("store", store_url=imports.shop.origin)["errors"][0]["code"] == "no_products"


def test_a_shop_is_read_within_the_asked_bounds(imports: Imports) -> None:
    few = imports.scrape("store", store_url=imports.shop.origin, max_products=3, dry_run=True)
    some = imports.scrape("store", store_url=imports.shop.origin, category_filter="kitchen", dry_run=True)

    assert (few["totals"]["create"], some["totals"]["create"]) == (3, 3)


def test_a_short_description_gets_a_draft_to_accept(imports: Imports) -> None:
    url = f"{imports.shop.origin}/products/oak-stool"
    imports.scrape("url", url=url, enrich_with_ai=False)
    assert imports.get("/ai/drafts")["items"] == []
    imports.shop.change({"op": "set_price", "sku": "SHOP-003", "cents": 13900})

    imports.scrape("url", url=url)
    imports.finish(imports.get("/jobs?job_type=generate-content")["items"][0]["id"])

    drafts = imports.get("/ai/drafts")["items"]
    assert [(draft["product_id"], list(draft["fields"])) for draft in drafts] == [
        (imports.products()["SHOP-003"]["id"], ["description"])
    ]
    assert imports.products()["SHOP-003"]["description"] == "Solid oak, oiled."


def test_a_diff_of_several_parts_is_shown_in_order_applied_and_taken_back(imports: Imports) -> None:
    rows = [{"sku": f"P-{number}", "title": f"Part {number}", "price": "2.50", "stock": "3"} for number in range(1, 91)]
    ready = imports.upload(json.dumps(rows).encode(), "parts.json", dry_run="true")

    shown, backwards = imports.diff(ready), imports.diff(ready, "limit=1000&sort=-row")
    applied = imports.act(ready, "apply")
    kept, products = imports.diff(applied), imports.products()
    undone = imports.act(applied, "undo")

    assert [(row["row"], row["sku"]) for row in shown] == [(number, f"P-{number}") for number in range(1, 91)]
    assert backwards == shown[::-1]
    assert [row["product_id"] for row in kept] == [products[f"P-{number}"]["id"] for number in range(1, 91)]
    assert {product["stock"] for product in products.values()} == {3}
    assert (applied["totals"], undone["status"]) == (totals(rows=90, create=90), "undone")
    assert {product["stock"] for product in imports.products().values()} == {0}
