"""API keys and the log of security events, over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from tests.http.auth.client import PASSWORD, Api


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Return the function with the demo users."""
    return Api(tmp_path)


def make(api: Api, name: str, **wanted: Any) -> Any:
    """Make a key as one of the demo users; return the answer."""
    return api.send("POST", "/api/v1/auth/keys", api.token(name), json={"name": "feed reader", **wanted})


def events(api: Api, **query: Any) -> list[dict[str, Any]]:
    """Return the log, oldest first."""
    answer = api.send("GET", "/api/v1/auth/audit", api.token("admin"), query_string=query)
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json["items"]))


def test_a_key_acts_for_its_user_within_its_scopes(api: Api) -> None:
    made = make(api, "manager", scopes=["auth:read"]).json
    own = api.send("GET", "/api/v1/auth/me", made["key"])

    assert (own.status_code, own.json["username"]) == (200, "manager")
    assert api.send("GET", "/api/v1/users", made["key"]).status_code == 200
    assert made["role"] == "manager"
    assert made["hint"] == made["key"][-4:]
    assert "key" not in api.send("GET", "/api/v1/auth/keys", api.token("manager")).json["items"][0]


def test_a_key_makes_no_keys_and_changes_no_accounts(api: Api) -> None:
    key = make(api, "admin", scopes=["*:read", "*:write"]).json["key"]

    assert api.send("POST", "/api/v1/auth/keys", key, json={"name": "more"}).status_code == 403
    assert api.send("PATCH", "/api/v1/auth/me", key, json={"language": "de"}).status_code == 403
    assert api.send("POST", "/api/v1/users", key, json={"username": "new.one"}).status_code == 403
    assert api.send("GET", "/api/v1/users", key).status_code == 200


def test_a_key_is_never_more_than_its_maker_or_its_maker_today(api: Api) -> None:
    assert make(api, "viewer", role="operator").status_code == 422
    assert make(api, "viewer", scopes=["auth:write"]).status_code == 422
    assert make(api, "viewer", scopes=["nowhere:read"]).status_code == 422
    key = make(api, "manager").json["key"]
    manager = api.send("GET", "/api/v1/users/manager", api.token("admin")).json["id"]
    api.send("PATCH", f"/api/v1/users/{manager}", api.token("admin"), json={"role": "viewer"})
    api.clock.advance(61)

    assert api.send("GET", "/api/v1/users", key).status_code == 403


def test_a_revoked_or_expired_key_and_that_of_a_deactivated_user_end_within_a_minute(api: Api) -> None:
    revoked, expired, orphaned = (
        make(api, "viewer").json,
        make(api, "viewer", expires_in_days=1).json,
        make(api, "manager"),
    )
    assert api.send("DELETE", f"/api/v1/auth/keys/{revoked['id']}", api.token("operator")).status_code == 404
    assert api.send("DELETE", f"/api/v1/auth/keys/{revoked['id']}", api.token("viewer")).status_code == 204
    api.send("PATCH", "/api/v1/users/manager", api.token("admin"), json={"is_active": False})
    api.clock.advance(24 * 3600)

    for key, code in ((revoked["key"], "invalid"), (expired["key"], "expired"), (orphaned.json["key"], "invalid")):
        answer = api.send("GET", "/api/v1/auth/me", key)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (401, code)


def test_forged_keys_are_refused(api: Api) -> None:
    key = make(api, "viewer").json["key"]

    for forged in (key[:-1] + ("a" if key[-1] != "a" else "b"), key + "x", "onk_", "onk_" + "0" * 26 + "." + "a" * 43):
        assert api.send("GET", "/api/v1/auth/me", forged).status_code == 401


def test_twenty_keys_are_enough(api: Api) -> None:
    token = api.token("viewer")
    answers = [api.send("POST", "/api/v1/auth/keys", token, json={"name": f"key {n}"}).status_code for n in range(21)]

    assert answers == [201] * 20 + [409]


def test_a_remembered_key_reads_nothing(api: Api) -> None:
    key = make(api, "viewer").json["key"]
    api.app.access.authenticate(f"Bearer {key}")
    before = api.app.documents.counts.reads

    api.app.access.authenticate(f"Bearer {key}")

    assert api.app.documents.counts.reads == before


def test_signing_in_and_accounts_are_logged_with_where_they_came_from(api: Api) -> None:
    def later(method: str, path: str, **sent: Any) -> Any:
        api.clock.advance(1)
        return api.send(method, path, environ_base={"REMOTE_ADDR": "203.0.113.9"}, **sent)

    for name in ("viewer", "nobody"):
        later("POST", "/api/v1/auth/login", json={"username": name, "password": "not the password"})
    admin = api.token("admin")
    made = later("POST", "/api/v1/users", token=admin, json={"username": "eva.new", "password": PASSWORD}).json
    later("PATCH", f"/api/v1/users/{made['id']}", token=admin, json={"role": "manager"})
    later("DELETE", f"/api/v1/users/{made['id']}", token=admin)

    log = [row for row in events(api) if row["event"] != "signed_in"]

    viewer = api.send("GET", "/api/v1/users/viewer", api.token("admin")).json["id"]
    assert [(row["event"], row["subject_id"]) for row in log] == [
        ("sign_in_refused", viewer),
        ("sign_in_refused", None),
        ("user_created", made["id"]),
        ("user_changed", made["id"]),
        ("user_deleted", made["id"]),
    ]
    assert {row["actor"] for row in log[2:]} == {"admin"}
    assert log[0]["address"] == "203.0.113.9"
    assert log[3]["detail"] == {"fields": "role"}
    assert "not the password" not in str(log)


def test_a_refused_change_is_not_logged(api: Api) -> None:
    before = len(events(api, event="user_created"))
    api.send("POST", "/api/v1/users", api.token("admin"), json={"username": "operator"})

    assert len(events(api, event="user_created")) == before


def test_a_stolen_refresh_token_is_logged(api: Api) -> None:
    old = api.login("viewer")["refresh_token"]
    new = api.send("POST", "/api/v1/auth/refresh", json={"refresh_token": old}).json["refresh_token"]
    api.send("POST", "/api/v1/auth/refresh", json={"refresh_token": new})
    api.send("POST", "/api/v1/auth/refresh", json={"refresh_token": old})

    assert len(events(api, event="token_reused")) == 1


def test_the_log_is_for_admins(api: Api) -> None:
    assert api.send("GET", "/api/v1/auth/audit", api.token("manager")).status_code == 403
