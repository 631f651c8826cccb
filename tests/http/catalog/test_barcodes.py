"""Barcodes over HTTP: scan, look-up, link, what an outside catalogue adds, and STRICT_BARCODES."""

from pathlib import Path
from typing import Any

import pytest

from shared.adapters.fetch.guard import Guard
from shared.adapters.fetch.scripted import Answer, ScriptedFetch
from shared.core.errors import Transient
from shared.ports.fetch import Request
from tests.http.catalog.builders import PRODUCTS, a_product, shown, state
from tests.http.inventory.builders import Shop, a_shop, ok

SCAN, LINK = "/api/v1/barcode/scan", "/api/v1/barcode/link"
UPC = "036000291452"


def scanned(shop: Shop, text: str) -> dict[str, Any]:
    """Return what a scan says."""
    return dict(ok(shop.viewer.post(SCAN, {"barcode": text})))


def test_every_form_of_a_code_finds_the_one_product(shop: Shop) -> None:
    product = a_product(shop, barcode=UPC, current_stock=3)
    forms = (
        UPC,
        f"0{UPC}",
        f"00{UPC}",
        f"(01)00{UPC}(10)LOT7(17)271200",
        f"]d20100{UPC}10LOT7\x1d17271200",
        f"\x1d0100{UPC}",
        f"https://id.example.com/01/00{UPC}/10/LOT7?17=271200",
    )

    found = [scanned(shop, form) for form in forms]

    assert {(one["product_id"], one["found"], one["gtin"]) for one in found} == {(product["id"], True, f"00{UPC}")}
    assert [one["symbology"] for one in found] == [
        "upc_a",
        "ean_13",
        "gtin_14",
        "gs1_elements",
        "gs1_elements",
        "gs1_elements",
        "gs1_digital_link",
    ]
    assert {(one["lot"], one["expiry"]) for one in (found[3], found[4], found[6])} == {("LOT7", "2027-12-31")}
    assert (found[0]["barcode"], found[0]["product_name"], found[0]["current_stock"]) == (UPC, "Cup", 3)
    assert ok(shop.viewer.get(f"/api/v1/barcode/lookup/{UPC}")) == found[0]


def test_a_text_is_matched_exactly_then_as_a_sku_and_never_refused(shop: Shop) -> None:
    by_sku = a_product(shop, sku="SHELF-9")
    by_text = a_product(shop, barcode="SHELF-10")
    wrong = a_product(shop, barcode="036000291453")

    found = [
        scanned(shop, text) for text in ("shelf-9", "SHELF-10", "036000291453", "0036000291453", "nothing", "\x00")
    ]

    assert [one["product_id"] for one in found] == [by_sku["id"], by_text["id"], wrong["id"], None, None, None]
    assert (found[2]["valid_check_digit"], found[2]["gtin"], found[2]["symbology"]) == (False, None, "upc_a")
    assert (found[4]["found"], found[4]["symbology"], found[4]["external_info"]) == (False, "other", None)
    assert shop.viewer.get("/api/v1/barcode/lookup/a/b").status == 404
    assert shop.viewer.post(SCAN, {"barcode": "x" * 513}).codes == [("/barcode", "too_long")]
    assert shop.viewer.get(f"/api/v1/barcode/lookup/{'x' * 513}").codes == [("path:code", "too_long")]


def test_linking_again_is_nothing_and_linking_another_is_refused(shop: Shop) -> None:
    first, second = a_product(shop), a_product(shop)
    body = {"barcode": f"(01)00{UPC}(10)A", "product_id": first["id"]}

    linked = ok(shop.operator.post(LINK, body))
    repeated = ok(shop.operator.post(LINK, {"barcode": UPC, "product_id": first["id"]}))
    before = state(shop)
    taken = shop.operator.post(LINK, {"barcode": f"0{UPC}", "product_id": second["id"]})

    assert (linked["success"], linked["barcode"], linked["valid_check_digit"]) == (True, f"00{UPC}", True)
    assert (repeated["barcode"], shown(shop, first["id"])["version"]) == (f"00{UPC}", 2)
    assert (taken.status, taken.problem, taken.json["field"]) == (409, "AlreadyExists", "barcode")
    assert shop.operator.post(LINK, {"barcode": UPC, "product_id": "no"}).status == 404
    assert state(shop) == before


def test_strict_barcodes_refuse_a_wrong_check_digit_wherever_one_is_written(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, STRICT_BARCODES="true")
    product = a_product(shop)
    before = state(shop)

    refusals = [
        shop.operator.post(PRODUCTS, {"name": "Cup", "barcode": "036000291453"}),
        shop.operator.patch(f"{PRODUCTS}/{product['id']}", {"barcode": "036000291453"}),
        shop.operator.post(LINK, {"barcode": "036000291453", "product_id": product["id"]}),
    ]

    assert [(refused.status, refused.codes) for refused in refusals] == [(422, [("/barcode", "bad_check_digit")])] * 3
    assert state(shop) == before
    assert scanned(shop, "036000291453")["valid_check_digit"] is False
    assert shop.operator.post(PRODUCTS, {"name": "Cup", "barcode": UPC}).status == 201


def with_catalogue(
    folder: Path, answer: Answer | Exception, url: str = "https://codes.example/v1/{barcode}?x=1"
) -> Any:
    """Return a shop whose outside catalogue answers like this, and the port that is asked."""
    shop = a_shop(folder, BARCODE_LOOKUP_URL=url, BARCODE_LOOKUP_KEY="secret-key-of-ours")

    def script(_: Request) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    fetch = ScriptedFetch(script, Guard((), allow_private=False))
    shop.app.__dict__["fetch"] = fetch
    return shop, fetch


def test_an_outside_catalogue_adds_what_it_knows(tmp_path: Path) -> None:
    shop, fetch = with_catalogue(tmp_path, Answer(200, b'{"title": "Tissues", "brand": "K"}'))

    found = scanned(shop, f"(01)00{UPC}(10)A/B")

    assert found["external_info"] == {"title": "Tissues", "brand": "K"}
    (asked,) = fetch.requests
    assert (asked.url, asked.headers["Authorization"]) == (
        f"https://codes.example/v1/00{UPC}?x=1",
        "Bearer secret-key-of-ours",
    )
    scanned(shop, "a/../b c")
    assert fetch.requests[1].url == "https://codes.example/v1/a%2F..%2Fb%20c?x=1"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b'{"title": "x"}'),
        Answer(500, b"oops"),
        Answer(200, b"<html>"),
        Answer(200, b"[1]"),
        Answer(200, b'{"title":', cut=True),
        Answer(200, b'{"a": "' + b"x" * 300_000 + b'"}'),
        Answer(302, b"", {"Location": "http://169.254.169.254/"}),
        Transient("timeout", "Too late."),
    ],
    ids=str,
)
def test_whatever_goes_wrong_outside_is_no_information_and_no_failure(
    tmp_path: Path, answer: Answer | Exception
) -> None:
    shop, fetch = with_catalogue(tmp_path, answer)

    assert scanned(shop, UPC)["external_info"] is None
    assert len(fetch.requests) == 1


def test_an_address_inside_is_never_asked(tmp_path: Path) -> None:
    shop, fetch = with_catalogue(tmp_path, Answer(200, b"{}"), "http://169.254.169.254/{barcode}")

    assert scanned(shop, UPC)["external_info"] is None
    assert fetch.requests == []
