"""Signing in, sessions and one's own account on the wire."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.http.auth.client import PASSWORD, Api

USER_KEYS = {
    "id",
    "username",
    "email",
    "full_name",
    "first_name",
    "last_name",
    "role",
    "store_id",
    "region",
    "timezone",
    "language",
    "avatar_url",
    "is_active",
    "created_at",
    "updated_at",
    "last_login_at",
    "version",
}


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Start the function."""
    return Api(tmp_path)


def code(answer: Any) -> str:
    """Return the first field error's code."""
    assert answer.mimetype == "application/problem+json"
    return str(answer.json["errors"][0]["code"])


def test_registering_makes_an_operator(api: Api) -> None:
    answer = api.send("POST", "/api/v1/auth/register", json={"email": "ada@example.com", "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json.keys() == USER_KEYS
    assert (answer.json["role"], answer.json["username"]) == ("operator", "ada@example.com")
    assert answer.headers["Location"] == f"/api/v1/users/{answer.json['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert api.login("ADA@example.com")["user"]["id"] == answer.json["id"]


def test_of_thirty_two_parallel_registrations_one_is_201(api: Api) -> None:
    def register(number: int) -> int:
        email = "ada@example.com" if number % 2 else "ADA@EXAMPLE.COM"
        body = {"email": email, "password": PASSWORD}
        return int(api.send("POST", "/api/v1/auth/register", json=body).status_code)

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(register, range(32)))

    # A slot for hashing may be busy for longer than a caller waits; such a caller made nothing either.
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 503}


def test_closed_registration_is_forbidden(tmp_path: Path) -> None:
    api = Api(tmp_path, REGISTRATION="closed")

    answer = api.send("POST", "/api/v1/auth/register", json={"email": "ada@example.com", "password": PASSWORD})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer", "expected"),
    [
        ({"password": PASSWORD}, "/email", "missing"),
        ({"email": "ada@example.com"}, "/password", "missing"),
        ({"email": "nobody", "password": PASSWORD}, "/email", "invalid_email"),
        ({"email": "a@example.com", "password": "sh0r+"}, "/password", "too_short"),
        ({"email": "a@example.com", "password": "x" * 129}, "/password", "too_long"),
        ({"email": "a@example.com", "password": "password123"}, "/password", "password_common"),
        ({"email": "a@example.com", "password": PASSWORD, "role": "admin"}, "/role", "unknown_field"),
        ({"email": "a@example.com", "password": PASSWORD, "timezone": "Mars"}, "/timezone", "unknown_time_zone"),
        ({"email": "a@example.com", "password": 12345678}, "/password", "wrong_type"),
    ],
)
def test_a_bad_registration_is_refused_where_it_is_bad(
    api: Api, body: dict[str, Any], pointer: str, expected: str
) -> None:
    answer = api.send("POST", "/api/v1/auth/register", json=body)

    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json["errors"]] == [(pointer, expected)]
    assert str(body.get("password", "?")) not in answer.text


def test_logging_in_returns_a_pair(api: Api) -> None:
    answer = api.send("POST", "/api/v1/auth/login", json={"email": "manager@onhand.local", "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 900)
    assert answer.json["user"]["role"] == "manager"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["operator@onhand.local", "nobody@onhand.local"])
def test_a_wrong_login_says_the_same_for_everybody(api: Api, name: str) -> None:
    answer = api.send("POST", "/api/v1/auth/login", json={"email": name, "password": "wrong"})

    assert (answer.status_code, code(answer)) == (401, "bad_credentials")
    assert answer.json["detail"] == "The name or the password is wrong."
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="onhand"')


def test_five_failures_bring_429_with_retry_after(api: Api) -> None:
    body = {"email": "operator@onhand.local", "password": "wrong"}
    statuses = [api.send("POST", "/api/v1/auth/login", json=body).status_code for _ in range(5)]

    answer = api.send("POST", "/api/v1/auth/login", json=body | {"password": PASSWORD})

    assert statuses == [401] * 5
    assert (answer.status_code, answer.json["type"], answer.headers["Retry-After"]) == (
        429,
        "/problems/RateLimited",
        "2",
    )
    api.clock.advance(2)
    assert api.login()["user"]["username"] == "operator"


def test_a_login_without_a_name_is_refused(api: Api) -> None:
    answer = api.send("POST", "/api/v1/auth/login", json={"password": PASSWORD})

    assert (answer.status_code, code(answer), answer.json["errors"][0]["pointer"]) == (422, "missing", "/email")


@pytest.mark.parametrize("how", ["json", "data"])
def test_token_answers_as_the_older_backend(api: Api, how: str) -> None:
    given: dict[str, Any] = {how: {"username": "operator", "password": PASSWORD}}

    answer = api.send("POST", "/token", **given)

    assert answer.status_code == 200
    assert answer.json.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "username",
        "role",
        "message",
    }
    assert (answer.json["username"], answer.json["role"], answer.json["expires_in"]) == ("operator", "operator", 900)
    assert "Authorization" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_token_gives_the_basic_header_for_the_pair_only(api: Api) -> None:
    answer = api.send("POST", "/token", json={"username": "feed", "password": "feed-password-of-old", "more": 1})

    expected = "Basic " + base64.b64encode(b"feed:feed-password-of-old").decode()
    assert answer.headers["Authorization"] == expected
    assert answer.json["refresh_token"] is None
    for headers in ({"Authorization": expected}, {"Authorization": f"Bearer {answer.json['access_token']}"}):
        me = api.send("GET", "/api/v1/auth/me", headers=headers)
        assert (me.status_code, me.json["id"], me.json["username"]) == (200, "basic", "feed")


@pytest.mark.parametrize("path", ["/token", "/api/v1/auth/login"])
def test_the_basic_pair_is_no_stored_user(api: Api, path: str) -> None:
    answer = api.send("POST", path, json={"username": "feed", "password": "wrong"})

    assert answer.status_code == 401


@pytest.mark.parametrize("body", [{}, {"username": "operator"}, {"password": "x"}, {"username": 7, "password": "x"}])
def test_token_needs_both(api: Api, body: dict[str, Any]) -> None:
    assert api.send("POST", "/token", json=body).status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/auth/refresh", "/token/refresh"])
def test_a_refresh_token_is_used_once(api: Api, path: str) -> None:
    first = api.login()["refresh_token"]
    answer = api.send("POST", path, json={"refresh_token": first})
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    api.clock.advance(21)

    reused = api.send("POST", path, json={"refresh_token": first})
    ended = api.send("POST", path, json={"refresh_token": answer.json["refresh_token"]})

    assert [(each.status_code, code(each)) for each in (reused, ended)] == [(401, "token_reused")] * 2


def test_an_access_token_is_no_refresh_token_nor_the_reverse(api: Api) -> None:
    pair = api.login()

    assert api.send("POST", "/api/v1/auth/refresh", json={"refresh_token": pair["access_token"]}).status_code == 401
    assert api.send("GET", "/api/v1/auth/me", pair["refresh_token"]).status_code == 401


def test_logging_out_ends_one_session_or_all(api: Api) -> None:
    one, two, three = (api.login() for _ in range(3))
    token = one["access_token"]

    assert (
        api.send("POST", "/api/v1/auth/logout", token, json={"refresh_token": one["refresh_token"]}).status_code == 204
    )
    answers = [api.send("POST", "/token/refresh", json={"refresh_token": p["refresh_token"]}) for p in (one, two)]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert api.send("POST", "/api/v1/auth/logout", token).status_code == 204
    assert api.send("POST", "/token/refresh", json={"refresh_token": three["refresh_token"]}).status_code == 401


def test_ones_own_account_is_read_and_changed(api: Api) -> None:
    token = api.token()
    seen = api.send("GET", "/api/v1/auth/me", token)

    changed = api.send("PATCH", "/api/v1/auth/me", token, json=seen.json | {"full_name": "Olive"})

    assert (changed.status_code, changed.json["full_name"], changed.json["version"]) == (200, "Olive", 2)
    assert seen.headers["ETag"] != api.send("GET", "/api/v1/auth/me", token).headers["ETag"]
    stale = api.send(
        "PATCH", "/api/v1/auth/me", token, json={"full_name": "X"}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert stale.status_code == 412
    promoted = api.send("PATCH", "/api/v1/auth/me", token, json={"role": "admin"})
    assert (promoted.status_code, code(promoted)) == (422, "unknown_field")


def test_a_password_is_changed_with_the_present_one(api: Api) -> None:
    pair = api.login()
    path, token = "/api/v1/auth/me/password", pair["access_token"]
    wrong = api.send("PUT", path, token, json={"current_password": "x", "new_password": "another fine phrase"})
    assert (wrong.status_code, code(wrong)) == (422, "wrong_current")

    right = api.send("PUT", path, token, json={"current_password": PASSWORD, "new_password": "another fine phrase"})

    assert right.status_code == 204
    assert api.send("POST", "/token/refresh", json={"refresh_token": pair["refresh_token"]}).status_code == 401
    assert api.login(password="another fine phrase")["user"]["username"] == "operator"


def test_the_published_keys_check_the_tokens(api: Api) -> None:
    answer = api.send("GET", "/.well-known/jwks.json")
    keys = jwt.PyJWKSet.from_dict(answer.json)

    header = jwt.get_unverified_header(api.token())

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert {"kty", "crv", "x", "kid", "use", "alg"} == answer.json["keys"][0].keys()
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.keys[0].key_id}


def test_nothing_but_the_public_paths_is_answered_without_a_token(api: Api) -> None:
    for method, path in (("GET", "/api/v1/auth/me"), ("POST", "/api/v1/auth/logout"), ("GET", "/api/v1/users")):
        answer = api.send(method, path)
        assert (answer.status_code, code(answer)) == (401, "missing")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="onhand", Basic realm="onhand"'


def test_an_expired_token_is_named_so(api: Api) -> None:
    token = api.token()
    api.clock.advance(930)

    answer = api.send("GET", "/api/v1/auth/me", token)

    assert (answer.status_code, code(answer)) == (401, "expired")
