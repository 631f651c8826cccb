"""The report of an import as a file, and its diff read from both ends."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.imports.client import Imports, importing

KEYS = ["row", "action", "sku", "product_id", "code", "field", "message", "fields", "provenance"]
ROWS = 700


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    """Start an installation with its shop."""
    with importing(tmp_path) as made:
        yield made


def a_file(rows: int) -> bytes:
    """Return rows of which every seventh has a bad price and the second begins with a formula."""
    lines = [f"R-{n:04d},{'=1+1' if n == 2 else f'Cup {n}'},{'x' if n % 7 == 0 else n}" for n in range(1, rows + 1)]
    return "\n".join(["sku,name,price", *lines]).encode()


def reported(imports: Imports, run: dict[str, Any], query: str = "") -> Any:
    return imports.http.get(f"/api/v1/imports/{run['id']}/report?{query}", auth=("demo", "demo-password-1"))


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_every_row_is_reported_with_what_it_changes_or_what_is_wrong(imports: Imports) -> None:
    run = imports.upload(a_file(ROWS), dry_run="true")

    answer = reported(imports, run)
    rows = table(answer)

    day = imports.clock.now().date().isoformat()
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="import-{run["id"]}-{day}.csv"'
    assert list(rows[0]) == KEYS
    assert [int(row["row"]) for row in rows] == list(range(1, ROWS + 1))
    assert [row["action"] for row in rows] == ["error" if n % 7 == 0 else "create" for n in range(1, ROWS + 1)]
    assert json.loads(rows[0]["fields"])["name"] == {"before": None, "after": "Cup 1"}
    assert (rows[6]["code"], rows[6]["field"]) == ("bad_price", "sale_price")
    assert rows[6]["message"] == run["errors"][0]["message"]


def test_a_report_has_no_formula_and_json_lines_are_as_the_diff_shows_them(imports: Imports) -> None:
    run = imports.upload(b"sku,name,price\n=1+1,Cup,1\n@SUM(A1),Mug,2\nBAD,Jug,x\n", dry_run="true")

    rows = table(reported(imports, run, "bom=false"))
    lines = [json.loads(line) for line in reported(imports, run, "format=jsonl").text.splitlines()]
    shown = imports.diff(run)

    assert [row["sku"] for row in rows] == ["'=1+1", "'@SUM(A1)", ""]
    assert [{name: line[name] for name in shown[0]} for line in lines] == shown
    assert [line["field"] for line in lines] == [None, None, "sale_price"]


def test_a_report_can_hold_some_rows_and_begin_at_the_end(imports: Imports) -> None:
    run = imports.upload(a_file(ROWS), dry_run="true")

    errors = [int(row["row"]) for row in table(reported(imports, run, "action=error&sort=-row"))]

    assert errors == list(range(ROWS, 0, -7))
    assert reported(imports, run, "limit=5").status_code == 422
    assert reported(imports, run, "format=xlsx").status_code == 422


def test_a_file_that_could_not_be_read_says_so_in_its_report(imports: Imports) -> None:
    broken = imports.upload(b"<a><item>", name="a.xml")
    bad = imports.upload(b"sku,name,price\nA,Cup,x\nB,Mug,y\n")

    whole, rows = table(reported(imports, broken)), table(reported(imports, bad))

    assert [(row["row"], row["action"], row["code"]) for row in whole] == [("0", "error", "bad_xml")]
    assert [(row["row"], row["code"], row["field"]) for row in rows] == [
        ("1", "bad_price", "sale_price"),
        ("2", "bad_price", "sale_price"),
    ]
    assert table(reported(imports, broken, "action=create")) == []
    assert imports.http.get("/api/v1/imports/imp_none/report", auth=("demo", "demo-password-1")).status_code == 404


@pytest.mark.parametrize("limit", [97, 1000])
def test_a_diff_is_read_back_page_by_page(imports: Imports, limit: int) -> None:
    run = imports.upload(a_file(ROWS), dry_run="true")
    seen: list[int] = []
    query = f"sort=-row&limit={limit}"
    while query:
        page = imports.get(f"/imports/{run['id']}/diff?{query}")
        seen += [row["row"] for row in page["items"]]
        query = f"sort=-row&limit={limit}&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert seen == list(range(ROWS, 0, -1))
    skipped = imports.get(f"/imports/{run['id']}/diff?sort=-row&skip=650&limit=2&action=create")
    assert [row["row"] for row in skipped["items"]] == []
    assert skipped["total"] == 600


@pytest.mark.parametrize("address", ["gs://", "gs://bucket", "gs://bucket/", "s3:///key", "s3://"])
def test_an_object_needs_a_bucket_and_a_name(imports: Imports, address: str) -> None:
    answer = imports.post("/scraping/feed", json={"feed_url": address})

    assert (answer.status_code, (answer.json or {})["type"]) == (422, "/problems/UrlNotAllowed")
    assert imports.get("/imports?include_total=true")["total"] == 0
