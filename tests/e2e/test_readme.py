"""C05: what the README says is executed: the product is started, and its own commands are typed."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e import readme

ADDRESS = "http://127.0.0.1:8080"


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
def test_the_readmes_curls_sign_in_refresh_and_read_the_feeds(tmp_path: Path) -> None:
    lines = [line for line in readme.commands() if "curl" in line]
    assert [re.findall(r"http://127\.0\.0\.1:8080(/[^\s\"?]*)", line) for line in lines] == [
        ["/token"],
        ["/api/trigger-refresh"],
        ["/api/v1/refresh/status"],
        ["/api/shipbob/oos-orders"],
        ["/api/stord/oos-orders"],
        ["/api/v1/oos/orders"],
    ]

    with readme.running(tmp_path / "data") as address:
        readme.wait_until_read(address)
        printed = readme.shell([line.replace(ADDRESS, address) for line in lines])

    signed_in, triggered, status, shipbob, stord, page = printed
    assert signed_in == ""
    assert {job["source"] for job in json.loads(triggered)["jobs"]} == {"shipbob", "stord"}
    assert {source["source"] for source in json.loads(status)["sources"]} == {"shipbob", "stord"}
    assert [row["source"] for row in json.loads(shipbob)] == ["shipbob"] * 2
    assert [row["source"] for row in json.loads(stord)] == ["stord"] * 2
    assert [item["state"] for item in json.loads(page)["items"]] == ["open"] * 2


def test_the_readme_names_only_make_targets_that_exist() -> None:
    makefile = (readme.ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`|PORT=9000 )make ([a-z-]+)", (readme.ROOT / "README.md").read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))

    assert {"run", "test"} <= named
    assert named <= targets


def test_the_readme_is_at_most_a_hundred_and_fifty_lines() -> None:
    assert len((readme.ROOT / "README.md").read_text().splitlines()) <= 150
