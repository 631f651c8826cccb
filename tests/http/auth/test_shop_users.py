"""The user paths of the shop backend: its envelope, its codes, its parameters by body or query."""

from pathlib import Path

import pytest

from tests.http.auth.client import PASSWORD, Api


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Return the function with the demo users."""
    return Api(tmp_path)


def test_a_user_registers_and_signs_in(api: Api) -> None:
    wanted = {
        "first_name": "Eva",
        "last_name": "Low",
        "email": "eva@example.com",
        "password": PASSWORD,
        "is_active": False,
    }

    made = api.send("PUT", "/ecommerce/v1/register_user", json=wanted)
    signed = api.send(
        "POST", "/ecommerce/v1/login_user", query_string={"email": "EVA@example.com", "password": PASSWORD}
    )

    assert (made.status_code, made.json["status_code"], made.json["success"]) == (200, 200, True)
    assert set(made.json["data"]) == {
        "id",
        "first_name",
        "last_name",
        "timezone",
        "email",
        "is_active",
        "created_at",
        "updated_at",
    }
    assert (made.json["data"]["is_active"], made.json["data"]["timezone"]) == (True, "UTC")
    assert made.headers["Link"] == '</api/v1/auth/register>; rel="successor-version"'
    assert set(signed.json["data"]) == {"access_token", "refresh_token", "token_type", "expires_in"}
    me = api.send("GET", "/api/v1/auth/me", signed.json["data"]["access_token"])
    assert (me.json["email"], me.json["role"]) == ("eva@example.com", "operator")


def test_refusals_are_422_in_the_envelope_and_do_not_tell_unknown_from_wrong(api: Api) -> None:
    wrong = api.send(
        "POST", "/ecommerce/v1/login_user", json={"email": "operator@onhand.local", "password": "wrong one"}
    )
    unknown = api.send(
        "POST", "/ecommerce/v1/login_user", json={"email": "nobody@onhand.local", "password": "wrong one"}
    )
    taken = api.send(
        "PUT", "/ecommerce/v1/register_user", json={"email": "operator@onhand.local", "password": PASSWORD}
    )
    missing = api.send("PUT", "/ecommerce/v1/register_user", json={"email": "x@example.com"})

    for answer in (wrong, unknown, taken, missing):
        assert (answer.status_code, answer.json["status_code"], answer.json["success"]) == (422, 422, False)
        assert answer.json["data"] == {}
        assert answer.json["type"] == "/problems/ValidationFailed"
    assert wrong.json["message"] == unknown.json["message"]
