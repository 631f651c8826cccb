"""Tags, conditional reads and conditional changes."""

import pytest

from shared.core.conditions import version_part
from tests.http.builders import Kernel, a_kernel, seed

PATH = "/api/v1/things/thg_0001"


@pytest.fixture
def kernel() -> Kernel:
    made = a_kernel()
    seed(made, 3)
    return made


def test_a_tag_names_the_version_before_the_dot_and_the_body_after_it(kernel: Kernel) -> None:
    client = kernel.as_("operator")
    first = client.get(PATH).headers["ETag"].strip('"').split(".")
    same = client.get(PATH).headers["ETag"].strip('"').split(".")
    client.patch(PATH, {"name": "other"})
    changed = client.get(PATH).headers["ETag"].strip('"').split(".")

    assert first == same
    assert first[0] == version_part("thg_0001", 1)
    assert changed[0] == version_part("thg_0001", 2)
    assert changed[1] != first[1]


def test_equal_tags_need_no_body(kernel: Kernel) -> None:
    client = kernel.as_("viewer")
    whole = client.get(PATH)

    same = client.get(PATH, headers={"If-None-Match": f'"other", W/{whole.headers["ETag"]}'})

    assert (same.status, same.body) == (304, b"")
    assert same.headers["ETag"] == whole.headers["ETag"]
    assert "Content-Type" not in same.headers
    assert client.get(PATH, headers={"If-None-Match": "*"}).status == 304


@pytest.mark.parametrize("header", ['"other"', "nonsense", "", '"unterminated'])
def test_another_tag_brings_the_body(kernel: Kernel, header: str) -> None:
    assert kernel.as_("viewer").get(PATH, headers={"If-None-Match": header}).status == 200


def test_prepared_bytes_have_the_tag_they_were_given(kernel: Kernel) -> None:
    whole = kernel.client.get("/api/v1/bytes")
    same = kernel.client.get("/api/v1/bytes", headers={"If-None-Match": '"abc"'})

    assert (whole.status, whole.body, whole.headers["ETag"]) == (200, b"[1]", '"abc"')
    assert whole.headers["Vary"] == "Authorization, Origin, Accept-Encoding"
    assert (same.status, same.body) == (304, b"")


def test_a_change_passes_with_the_tag_of_the_last_read(kernel: Kernel) -> None:
    client = kernel.as_("operator")
    tag = client.get(PATH).headers["ETag"]

    assert client.patch(PATH, {"name": "new"}, headers={"If-Match": tag}).status == 200
    assert client.patch(PATH, {"name": "newer"}, headers={"If-Match": tag}).problem == "PreconditionFailed"


def test_only_the_version_part_is_compared(kernel: Kernel) -> None:
    part = version_part("thg_0001", 1)

    assert kernel.as_("operator").patch(PATH, {}, headers={"If-Match": f'"x.y", "{part}.other"'}).status == 200


@pytest.mark.parametrize("header", ['"other"', 'W/"{}.x"', '"x.{}"'])
def test_a_tag_of_something_else_changes_nothing(kernel: Kernel, header: str) -> None:
    before = kernel.app.documents.counts.writes

    answer = kernel.as_("operator").patch(PATH, {}, headers={"If-Match": header.format(version_part("thg_0001", 1))})

    assert (answer.status, answer.codes) == (412, [("header:If-Match", "stale")])
    assert kernel.app.documents.counts.writes == before


def test_a_star_wants_the_resource_to_exist(kernel: Kernel) -> None:
    client = kernel.as_("operator")

    assert client.patch(PATH, {}, headers={"If-Match": "*"}).status == 200
    assert client.patch("/api/v1/things/nope", {}, headers={"If-Match": "*"}).problem == "NotFound"


@pytest.mark.parametrize("header", ["", "abc", '"a" "b"', '"a",', "W/x", '"unterminated'])
def test_bad_syntax_is_400(kernel: Kernel, header: str) -> None:
    answer = kernel.as_("operator").patch(PATH, {}, headers={"If-Match": header})

    assert (answer.status, answer.codes) == (400, [("header:If-Match", "invalid")])


@pytest.mark.parametrize(("version", "status"), [(1, 200), (None, 200), (0, 412), (2, 412)])
def test_a_version_in_the_body_is_a_condition(kernel: Kernel, version: int | None, status: int) -> None:
    assert kernel.as_("operator").patch(PATH, {"version": version}).status == status


def test_a_deployment_may_insist_on_conditions() -> None:
    kernel = a_kernel(REQUIRE_PRECONDITIONS="true")
    seed(kernel, 1)
    client = kernel.as_("operator")

    missing = client.patch(PATH, {"name": "new"})

    assert (missing.status, missing.problem) == (428, "PreconditionRequired")
    assert client.patch(PATH, {"name": "new"}, headers={"If-Match": client.get(PATH).headers["ETag"]}).status == 200
    assert client.patch("/api/v1/things/nope", {}).problem == "NotFound"
