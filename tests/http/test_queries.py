"""Query strings are converted by declared types, bounded, and refused with the parameter's name."""

import pytest

from tests.client import Client
from tests.http.builders import a_kernel, seed

PATH = "/api/v1/things"


@pytest.fixture(scope="module")
def client() -> Client:
    kernel = a_kernel()
    seed(kernel, 10)
    return kernel.as_("viewer")


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("nonsense=1", "nonsense", "unknown_parameter"),
        ("Limit=1", "Limit", "unknown_parameter"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=1001", "limit", "out_of_range"),
        ("limit=x", "limit", "wrong_type"),
        ("limit=", "limit", "wrong_type"),
        ("limit=1.0", "limit", "wrong_type"),
        ("limit=1_0", "limit", "wrong_type"),
        ("limit=%20", "limit", "wrong_type"),
        ("limit=%D9%A1", "limit", "wrong_type"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("skip=-1", "skip", "out_of_range"),
        ("skip=10001", "skip", "offset_too_large"),
        ("page=0", "page", "out_of_range"),
        ("page=10001", "page", "out_of_range"),
        ("page=202&limit=50", "page", "offset_too_large"),
        ("page=1&skip=1", "cursor", "conflicting_parameters"),
        ("limit=5&per_page=6", "per_page", "conflicting_parameters"),
        ("sort=price", "sort", "not_allowed"),
        ("kind=green", "kind", "not_allowed"),
        ("kind=red,green", "kind", "not_allowed"),
        ("kind=" + "red," * 10 + "red", "kind", "too_long"),
        ("fresh=yes", "fresh", "wrong_type"),
        ("fresh=True", "fresh", "wrong_type"),
        ("owner=" + "x" * 201, "owner", "too_long"),
        ("owner=a%00b", "owner", "control_character"),
        ("search=" + "x" * 101, "search", "too_long"),
        ("search=", "search", "too_short"),
        ("made_from=yesterday", "made_from", "invalid_time"),
        ("made_from=2026-01-15T10:30:00", "made_from", "naive_time"),
        ("made_to=2026-02-30", "made_to", "invalid_date"),
    ],
)
def test_a_refused_parameter_is_422_by_name(client: Client, query: str, name: str, code: str) -> None:
    answer = client.get(f"{PATH}?{query}")

    assert (answer.status, answer.codes) == (422, [(f"query:{name}", code)])


@pytest.mark.parametrize(
    "query",
    [
        "kind=red&kind=blue",
        "kind=red,blue",
        "kind=all",
        "owner=all",
        "fresh=true",
        "fresh=1",
        "fresh=false",
        "fresh=0",
        "limit=1000",
        "per_page=5",
        "sort=-rank",
        "sort=name",
        "made_from=2026-01-15&made_to=2026-01-15T10:30:00%2B01:00",
        "owner=" + "x" * 200,
        "owner=%E2%9C%93",
    ],
)
def test_parameters_are_taken_in_each_of_their_spellings(client: Client, query: str) -> None:
    assert client.get(f"{PATH}?{query}").status == 200


def test_the_word_all_means_no_filter(client: Client) -> None:
    found = [len(client.get(f"{PATH}?{query}").json["items"]) for query in ("kind=red", "kind=all", "kind=red,all", "")]

    assert found == [5, 10, 10, 10]


@pytest.mark.parametrize("query", ["owner=%ff", "owner=%ed%a0%80", "&".join(f"a{n}=1" for n in range(101))])
def test_a_query_that_cannot_be_read_is_400(client: Client, query: str) -> None:
    assert client.get(f"{PATH}?{query}").problem == "BadRequest"


def test_unknown_parameters_are_refused_on_every_verb_and_ignored_on_legacy_paths() -> None:
    kernel = a_kernel()
    seed(kernel, 1)
    client = kernel.as_("admin")

    answers = [
        client.get("/api/v1/things/thg_0001?x=1"),
        client.post("/api/v1/things?x=1"),
        client.patch("/api/v1/things/thg_0001?x=1"),
        client.delete("/api/v1/things/thg_0001?x=1"),
        client.post("/api/v1/admin?x=1"),
    ]

    assert [answer.codes for answer in answers] == [[("query:x", "unknown_parameter")]] * 5
    assert client.get("/api/things?x=1&limit=").status == 200


def test_path_and_query_have_at_most_eight_kib(client: Client) -> None:
    room = 8 * 1024 - len("/nothing/")

    assert client.get("/nothing/" + "x" * room).status == 404
    assert client.get(f"{PATH}?owner={'x' * 8192}").problem == "UriTooLong"
