"""Bodies are read strictly: what cannot be read is 400, what is refused is 422 with a pointer and a code."""

import json
from typing import Any

import pytest
from flask import Request

from shared.core.errors import BadRequest
from shared.http.uploads import upload_of
from tests.client import Answered
from tests.http.builders import Kernel, a_kernel

CANARY = "canary-4711"


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return a_kernel()


def post(kernel: Kernel, body: Any, path: str = "/api/v1/things", **headers: str) -> Answered:
    """Send a body as an operator."""
    return kernel.as_("operator").post(
        path, body, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"nonsense", "not_json"),
        (b" ", "not_json"),
        (b'{"rank": NaN}', "not_json"),
        (b'{"rank": Infinity}', "not_json"),
        (b"{} {}", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"{'name': 'x'}", "not_json"),
        (b'{"name": "\xff"}', "not_utf8"),
        ('{"name": "é"}'.encode("latin-1"), "not_utf8"),
        ('{"name": "x"}'.encode("utf-16"), "not_utf8"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b"[" * 500_000, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
    ],
)
def test_what_cannot_be_read_is_400(kernel: Kernel, body: bytes, code: str) -> None:
    answer = post(kernel, body)

    assert (answer.status, answer.problem, answer.codes) == (400, "BadRequest", [("", code)])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"rank": 1, "rank": 1}', "/rank"),
        (b'{"parts": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 1, "sku": "c"}]}', "/parts/1/sku"),
        (rb'{"rank": 1, "ran\u006b": 2}', "/rank"),
    ],
)
def test_a_key_that_comes_twice_is_400(kernel: Kernel, body: bytes, pointer: str) -> None:
    answer = post(kernel, body)

    assert (answer.status, answer.codes) == (400, [(pointer, "duplicate_key")])


def test_thirty_two_levels_are_read_and_brackets_in_texts_do_not_count(kernel: Kernel) -> None:
    deep = b'{"unknown":' + b"[" * 31 + b"]" * 31 + b"}"
    texts = json.dumps({"name": "[{" * 10, "tags": ["[[[[["] * 20}).encode()

    assert post(kernel, deep).codes == [("/unknown", "unknown_field")]
    assert post(kernel, texts).status == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"rank": "1"}, "/rank", "wrong_type"),
        ({"rank": True}, "/rank", "wrong_type"),
        (b'{"rank": 5.0}', "/rank", "wrong_type"),
        (b'{"rank": 1e2}', "/rank", "wrong_type"),
        (b'{"rank": 12345678901234567890123}', "/rank", "out_of_range"),
        ({"rank": 1_000_000_001}, "/rank", "out_of_range"),
        ({"rank": -1_000_000_001}, "/rank", "out_of_range"),
        ({"rank": None}, "/rank", "wrong_type"),
        ({"ok": 1}, "/ok", "wrong_type"),
        ({"ok": "true"}, "/ok", "wrong_type"),
        ({"name": 5}, "/name", "wrong_type"),
        ({"name": "  "}, "/name", "too_short"),
        ({"name": "x" * 21}, "/name", "too_long"),
        ({"name": "a\u0000b"}, "/name", "control_character"),
        ({"name": "a\u009fb"}, "/name", "control_character"),
        ({"name": "a\rb"}, "/name", "control_character"),
        (rb'{"name": "\ud800"}', "/name", "lone_surrogate"),
        (rb'{"tags": ["ok", "\udfff!"]}', "/tags/1", "lone_surrogate"),
        ({"kind": "green"}, "/kind", "not_allowed"),
        ({"price": "1.005"}, "/price", "too_many_decimals"),
        ({"price": 1.005}, "/price", "too_many_decimals"),
        ({"price": "1.000"}, "/price", "too_many_decimals"),
        ({"price": -0.01}, "/price", "out_of_range"),
        ({"price": "-1"}, "/price", "out_of_range"),
        ({"price": 100_000_000}, "/price", "out_of_range"),
        (b'{"price": 1E+400}', "/price", "out_of_range"),
        ({"price": "1_000"}, "/price", "wrong_type"),
        ({"price": "\u0661\u0662"}, "/price", "wrong_type"),
        ({"price": "1e3"}, "/price", "wrong_type"),
        ({"price": True}, "/price", "wrong_type"),
        ({"price": None}, "/price", "wrong_type"),
        ({"made_at": "2026-01-15T10:30:00"}, "/made_at", "naive_time"),
        ({"made_at": "2026-02-30T10:30:00Z"}, "/made_at", "invalid_time"),
        ({"made_at": "0001-01-01T00:00:00+23:59"}, "/made_at", "invalid_time"),
        ({"made_at": "2026-01-15T10:30:00.1234567Z"}, "/made_at", "invalid_time"),
        ({"made_at": 1768473000}, "/made_at", "invalid_time"),
        ({"on": "2026-01-15T00:00:00Z"}, "/on", "invalid_date"),
        ({"on": "2026-02-30"}, "/on", "invalid_date"),
        ({"owner_id": 5}, "/owner_id", "wrong_type"),
        ({"unknown": 1}, "/unknown", "unknown_field"),
        ({"parts": [{"sku": "a", "quantity": 1, "x/y~z": 1}]}, "/parts/0/x~1y~0z", "unknown_field"),
        ({"parts": [{"sku": "a"}]}, "/parts/0/quantity", "missing"),
        ({"parts": {}}, "/parts", "wrong_type"),
        (b"[]", "", "wrong_type"),
        (b"null", "", "wrong_type"),
        (b'"text"', "", "wrong_type"),
    ],
)
def test_a_refused_value_is_422_with_its_pointer(kernel: Kernel, body: Any, pointer: str, code: str) -> None:
    answer = post(kernel, body)

    assert (answer.status, answer.problem, answer.codes) == (422, "ValidationFailed", [(pointer, code)])


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({"name": "  caf\u0065\u0301 "}, "name", "caf\u00e9"),
        ({"name": "a\nb\tc"}, "name", "a\nb\tc"),
        ({"name": "\U0001f4e6" * 20}, "name", "\U0001f4e6" * 20),
        (rb'{"name": "\ud83d\udce6"}', "name", "\U0001f4e6"),
        ({"price": 19.99}, "price", 19.99),
        ({"price": "19.90"}, "price", 19.9),
        ({"price": 0}, "price", 0.0),
        ({"price": "99999999.99"}, "price", 99_999_999.99),
        ({"rank": -1_000_000_000}, "rank", -1_000_000_000),
    ],
)
def test_a_value_is_kept_in_its_one_form(kernel: Kernel, body: Any, field: str, expected: object) -> None:
    assert post(kernel, body).json[field] == expected


def test_all_refused_values_are_told_at_once(kernel: Kernel) -> None:
    answer = post(kernel, {"rank": "1", "z": 1}, "/api/v1/things?limit=1")

    assert sorted(answer.codes) == [
        ("/rank", "wrong_type"),
        ("/z", "unknown_field"),
        ("query:limit", "unknown_parameter"),
    ]


def test_input_is_never_echoed(kernel: Kernel) -> None:
    bodies: list[Any] = [
        {"rank": CANARY},
        {"kind": CANARY},
        {"name": CANARY * 3},
        {"price": CANARY},
        {"made_at": CANARY},
        {"on": CANARY},
        {"parts": CANARY},
        f'{{"{CANARY}'.encode(),
    ]

    assert [CANARY in post(kernel, body).body.decode() for body in bodies] == [False] * len(bodies)
    assert CANARY not in kernel.as_("operator").get("/api/v1/things", kind=CANARY).body.decode()


def test_a_pointer_is_short_and_visible(kernel: Kernel) -> None:
    answer = post(kernel, {"\u0007" + "k" * 5000: 1})

    assert answer.codes == [("/?" + "k" * 199, "unknown_field")]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_json_in_utf8_is_taken(kernel: Kernel, content_type: str) -> None:
    assert post(kernel, {}, Content_Type=content_type).status == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": ""},
        {"Content_Type": "application/json; charset=latin-1"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Encoding": "gzip"},
    ],
)
def test_other_media_types_are_415(kernel: Kernel, headers: dict[str, str]) -> None:
    assert post(kernel, b"{}", **headers).problem == "UnsupportedMediaType"


def test_an_empty_body_is_an_empty_object_without_content_type(kernel: Kernel) -> None:
    assert kernel.as_("operator").post("/api/v1/things").status == 201


def test_an_operation_without_body_takes_an_empty_object_only(kernel: Kernel) -> None:
    client = kernel.as_("admin")

    empty: tuple[dict[str, object] | bytes, ...] = ({}, b"")
    assert [client.post("/api/v1/admin", body).status for body in empty] == [202, 202]
    assert client.post("/api/v1/admin", {"x": 1}).codes == [("/x", "unknown_field")]


def test_a_megabyte_is_read_and_one_byte_more_is_413(kernel: Kernel) -> None:
    padding = 2**20 - len('{"unknown":""}')
    exact = b'{"unknown":"' + b"x" * padding + b'"}'

    assert post(kernel, exact).codes == [("/unknown", "unknown_field")]
    assert post(kernel, exact + b" ").problem == "PayloadTooLarge"


def test_legacy_paths_ignore_unknown_keys_read_numbers_as_ids_and_naive_times_as_utc(kernel: Kernel) -> None:
    body: dict[str, Any] = {"unknown": 1, "owner_id": 5, "made_at": "2026-01-15T10:30:00"}

    assert post(kernel, body, "/api/things").status == 201
    assert [code for _, code in post(kernel, body).codes] == ["naive_time", "wrong_type", "unknown_field"]


def test_a_part_of_a_form_without_a_name_is_400() -> None:
    part = b"--x\r\nContent-Disposition: form-data%s\r\n\r\nv\r\n"
    body = part % b'; name="a"' + part % b"" + b"--x--\r\n"

    with pytest.raises(BadRequest, match="has no name"):
        upload_of(Request({"CONTENT_TYPE": "multipart/form-data; boundary=x"}), body)
