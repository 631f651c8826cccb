"""Lists: walks by cursor, the aliases of older backends, totals, and cursors that belong elsewhere."""

import base64
import random
from typing import Any

import pytest

from shared.ports.documents import Create, Key
from tests.client import Client
from tests.http.builders import Kernel, a_kernel, a_thing, seed

PATH = "/api/v1/things"


@pytest.fixture
def kernel() -> Kernel:
    made = a_kernel()
    seed(made, 25)
    return made


def walk(client: Client, **query: Any) -> list[str]:
    """Follow next_cursor to the end; return the ids."""
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = client.get(PATH, **query, **cursor).json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("sort", ["rank", "-rank", "name", "-name"])
@pytest.mark.parametrize("limit", [1, 7, 25, 1000])
def test_a_walk_covers_every_row_once_in_order(kernel: Kernel, sort: str, limit: int) -> None:
    field = sort.removeprefix("-")
    ids = [f"thg_{number:04d}" for number in range(1, 26)]
    ordered = sorted(ids, key=lambda each: (a_thing(int(each[-4:]))[field], each), reverse=sort.startswith("-"))

    assert walk(kernel.as_("viewer"), sort=sort, limit=limit) == ordered


def test_a_walk_never_repeats_or_skips_what_existed_throughout(kernel: Kernel) -> None:
    seed_number = 20260115
    rng = random.Random(seed_number)
    client = kernel.as_("viewer")
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    for step in range(100):
        page = client.get(PATH, sort="name", limit=3, **cursor).json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        name = f"thing {rng.randrange(7)}"
        kernel.app.store.write([Create(Key("things", f"new_{step:03d}"), a_thing(step, name=name))])

    print(f"seed {seed_number}, {len(seen)} rows")
    assert len(seen) == len(set(seen))
    assert {each for each in seen if each.startswith("thg_")} == {f"thg_{number:04d}" for number in range(1, 26)}


def test_the_link_leads_to_the_next_page(kernel: Kernel) -> None:
    client = kernel.as_("viewer")
    first = client.get(PATH, kind="red,blue", sort="-rank", limit=10)
    address, _, relation = first.headers["Link"].partition("; ")
    following = client.get(address.strip("<>"))

    assert relation == 'rel="next"'
    assert [item["rank"] for item in following.json["items"]] == list(range(15, 5, -1))
    assert "Link" not in client.get(PATH, limit=25).headers


@pytest.mark.parametrize(
    ("asked", "linked"),
    [
        ("skip=10&sort=rank&limit=5", "sort=rank&limit=5&"),
        ("sort=rank&limit=5&skip=10", "sort=rank&limit=5&"),
        ("sort=rank&%73kip=10&limit=5", "sort=rank&limit=5&"),
        ("skip=10", ""),
        ("per_page=5&page=3&sort=rank", "per_page=5&sort=rank&"),
        ("kind=red%2Cblue&limit=5", "kind=red%2Cblue&limit=5&"),
        ("kind=red,blue&limit=5", "kind=red%2Cblue&limit=5&"),
    ],
)
def test_the_link_keeps_what_was_asked_without_the_place(asked: str, linked: str) -> None:
    kernel = a_kernel()
    seed(kernel, 100)
    client = kernel.as_("viewer")
    answer = client.get(f"{PATH}?{asked}")
    cursor = answer.json["next_cursor"]

    assert answer.headers["Link"] == f'<{PATH}?{linked}cursor={cursor}>; rel="next"'
    assert client.get(f"{PATH}?{linked}cursor={cursor}").status == 200


def test_totals_are_given_when_asked_for_and_with_aliases(kernel: Kernel) -> None:
    client = kernel.as_("viewer")

    assert set(client.get(PATH).json) == {"items", "next_cursor"}
    assert client.get(PATH, include_total=True, kind="red").json["total"] == 13
    skipped = client.get(PATH, skip=20, limit=3).json
    assert {**skipped, "items": len(skipped["items"]), "next_cursor": ""} == {
        "items": 3,
        "next_cursor": "",
        "skip": 20,
        "limit": 3,
        "total": 25,
    }
    paged = client.get(PATH, page=3, per_page=10).json
    assert [item["rank"] for item in paged["items"]] == [21, 22, 23, 24, 25]
    assert {name: paged[name] for name in ("page", "limit", "total", "total_pages")} == {
        "page": 3,
        "limit": 10,
        "total": 25,
        "total_pages": 3,
    }


def test_an_empty_list_has_no_pages() -> None:
    page = a_kernel().as_("viewer").get(PATH, page=1).json

    assert page == {"items": [], "next_cursor": None, "total": 0, "page": 1, "limit": 50, "total_pages": 0}


def test_a_walk_may_change_its_limit_and_start_from_a_page(kernel: Kernel) -> None:
    client = kernel.as_("viewer")
    cursor = client.get(PATH, page=2, limit=10).json["next_cursor"]

    assert [item["rank"] for item in client.get(PATH, cursor=cursor, limit=2).json["items"]] == [21, 22]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/things", {}),
        (PATH, {"kind": "red"}),
        (PATH, {"sort": "-rank"}),
        (PATH, {"search": "x"}),
    ],
)
def test_a_cursor_of_another_list_is_400(kernel: Kernel, path: str, query: dict[str, Any]) -> None:
    client = kernel.as_("viewer")
    cursor = client.get(PATH, limit=1).json["next_cursor"]

    answer = client.get(path, cursor=cursor, **query)

    assert (answer.status, answer.codes) == (400, [("query:cursor", "bad_cursor")])


def test_a_cursor_lives_a_day(kernel: Kernel) -> None:
    client = kernel.as_("viewer")
    cursor = client.get(PATH, limit=1).json["next_cursor"]

    kernel.app.clock.advance(24 * 3600)
    assert client.get(PATH, cursor=cursor).status == 200
    kernel.app.clock.advance(1)
    assert client.get(PATH, cursor=cursor).codes == [("query:cursor", "bad_cursor")]


def forged(content: bytes) -> str:
    """Return a cursor with any content."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%00",
        "\u2713",
        "a" * 2001,
        forged(b"null"),
        forged(b"[]"),
        forged(b'["a", "b", ["c"]]'),
        forged(b'["a", 1e999, ["c"]]'),
        forged(b"[" * 500),
        forged(b"\xff"),
    ],
)
def test_a_forged_cursor_is_400(kernel: Kernel, cursor: str) -> None:
    assert kernel.as_("viewer").get(PATH, cursor=cursor).codes == [("query:cursor", "bad_cursor")]


@pytest.mark.parametrize(
    "place",
    [
        '[{"a": 1}, "x"]',
        "[true, 5]",
        '["x"]',
        '["x", "y", "z"]',
        "[[], []]",
        '[1, ""]',
        '[1, "a/b"]',
        '[1, ".."]',
        '[1, "__a__"]',
        '[9223372036854775808, "a"]',
    ],
)
def test_a_forged_place_is_400(kernel: Kernel, place: str) -> None:
    client = kernel.as_("viewer")
    real = client.get(PATH, limit=1).json["next_cursor"]
    digest, made_at, _ = base64.urlsafe_b64decode(real + "==").decode().split(",", 2)

    assert client.get(PATH, cursor=forged(f"{digest},{made_at},{place}]".encode())).problem == "BadRequest"
