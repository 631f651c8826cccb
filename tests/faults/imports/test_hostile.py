"""M03, T08, T10: whatever a file holds or an address leads to, the answer is a clear refusal or a row error."""

import gzip
import random
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.feeds import FeedReader
from shared.core.errors import Terminal
from shared.imports.clean import Cleaner
from shared.imports.columns import Columns
from shared.imports.rows import MOST_UPLOADED
from tests.faults.fetch.attacks import BAD_URLS, INSIDE
from tests.faults.imports.corpus import bomb, corpus, mutated
from tests.http.imports.client import Imports, importing

SEED = 7
MOST_MEMORY = 64 * 2**20
MOST_SECONDS = 2.0
MUTATIONS = 600
HOSTILE = {
    "dtd.xml": "bad_xml",
    "entities.xml": "bad_xml",
    "deep.xml": "bad_xml",
    "deep.json": "bad_json",
    "wide.csv": "too_many_columns",
    "long-cell.csv": "cell_too_long",
    "truncated.json": "bad_json",
    "bomb.csv.gz": "too_large",
    "redirect-loop": "redirect",
    "redirect-private": "url_not_allowed",
}


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    """Start an installation with its shop."""
    with importing(tmp_path) as made:
        yield made


def read(data: bytes, wanted: str = "auto") -> str:
    """Read a file to its end; return how it ended."""
    cleaner = Cleaner(Columns())
    try:
        feed = FeedReader().open(
            iter([data[at : at + 65_536] for at in range(0, len(data), 65_536)]), wanted, MOST_UPLOADED
        )
        rows = [cleaner.row(raw).error is None for raw in feed.rows]
    except Terminal as refused:
        return refused.code
    return f"{sum(rows)} of {len(rows)} rows"


def test_hostile_files_are_refused_in_time_and_in_little_memory() -> None:
    ends: dict[str, int] = {}
    files = list(corpus(SEED))
    slowest, largest = (0.0, ""), (0, "")
    for name, data in files:
        began = time.thread_time()
        end = read(data)
        slowest = max(slowest, (time.thread_time() - began, name))
        ends[end] = ends.get(end, 0) + 1
        if len(data) > 1_000:
            largest = max(largest, (_peak(data), name))

    print(f"seed {SEED}: {len(files)} files, slowest {slowest}, largest {largest}, ends {ends}")
    assert len(files) >= 300
    assert slowest[0] < MOST_SECONDS
    assert largest[0] < MOST_MEMORY
    assert ends["too_large"] == 1


def test_a_document_type_is_refused_before_any_entity_is_read() -> None:
    named = ("laughs", "outside entity", "parameter entity")

    assert {name: read(data) for name, data in corpus(SEED) if name in named} == dict.fromkeys(named, "bad_xml")


def _peak(data: bytes) -> int:
    tracemalloc.start()
    read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_reader_that_unpacks_at_once_breaks_the_same_bound() -> None:
    """Control: the bound is one that careless readers do not keep."""
    tracemalloc.start()
    whole = gzip.decompress(bomb(64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(whole) > MOST_MEMORY
    assert peak > MOST_MEMORY


def test_mutated_files_of_every_declared_format_end_in_words() -> None:
    rng = random.Random(SEED)
    files = [data for _, data in corpus(SEED) if len(data) < 5_000]
    ends = set()
    for number in range(MUTATIONS):
        wanted = ("auto", "csv", "tsv", "xml", "json", "jsonl")[number % 6]
        ends.add(read(mutated(rng.choice(files), rng), wanted))

    print(f"seed {SEED}: {MUTATIONS} mutations, {len(ends)} different ends")
    assert {"bad_xml", "bad_json"} <= ends


@pytest.mark.parametrize(("name", "code"), HOSTILE.items())
def test_hostile_files_of_the_shop_fail_with_their_reason(imports: Imports, name: str, code: str) -> None:
    run = imports.feed(f"/feeds/hostile/{name}")

    assert (run["status"], [error["code"] for error in run["errors"]]) == ("failed", [code])
    assert (imports.products(), imports.movements()) == ({}, [])
    hosts = {entry["path"] for entry in imports.shop.journal.entries()}
    assert hosts == {f"/feeds/hostile/{name}"}


@pytest.mark.parametrize("what", ["feed", "url", "store"])
def test_no_address_leads_inside(imports: Imports, what: str) -> None:
    key = {"feed": "feed_url", "url": "url", "store": "store_url"}[what]
    addresses = [f"http://{host}/" for host in INSIDE] + list(BAD_URLS)
    ends: dict[str, int] = {}
    for address in addresses:
        answer = imports.post(f"/scraping/{what}", json={key: address})
        if answer.status_code == 202:
            assert answer.json is not None
            end = imports.carried_out(answer)["errors"][0]["code"]
        else:
            end = str(answer.status_code)
        ends[end] = ends.get(end, 0) + 1

    print(f"{len(addresses)} addresses: {ends}")
    assert set(ends) <= {"422", "url_not_allowed", "dns"}
    assert imports.products() == {}


@pytest.mark.parametrize(
    "payload",
    [
        "'; DROP TABLE products; --",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "__proto__",
        "../../etc/passwd",
        "a\\'b",
        "%00",
        "<script>1</script>",
    ],
)
def test_payloads_are_texts(imports: Imports, payload: str) -> None:
    imports.upload(b"sku,title\nKEEP,Kept\n")

    run = imports.upload(f'sku,title,brand\nX-1,"{payload}","{payload}"\n'.encode())

    products = imports.products()
    assert run["totals"]["create"] == 1
    assert sorted(products) == ["KEEP", "X-1"]
    assert (products["X-1"]["name"], products["X-1"]["brand"]) == (payload, payload)


def test_a_description_keeps_no_script(imports: Imports) -> None:
    imports.upload(
        b'sku,title,body_html\nA,Tee,"<p onclick=""x()"">Soft</p><script>steal()</script><img src=x onerror=y>"\n'
    )

    assert imports.products()["A"]["description"] == "<p>Soft</p>"
