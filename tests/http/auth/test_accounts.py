"""Managing accounts on the wire, canonical and as two older backends document it."""

from pathlib import Path
from typing import Any

import pytest

from tests.http.auth.client import PASSWORD, Api

ROW_KEYS = {
    "id",
    "user_id",
    "username",
    "email",
    "first_name",
    "last_name",
    "role",
    "store_id",
    "region",
    "avatar_url",
    "is_active",
    "created_at",
}


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Start the function."""
    return Api(tmp_path)


def test_a_list_of_users_is_walked_by_cursor(api: Api) -> None:
    token, seen, path = api.token("manager"), list[str](), "/api/v1/users?limit=3&sort=username"
    while path:
        page = api.send("GET", path, token).json
        seen += [user["username"] for user in page["items"]]
        path = f"/api/v1/users?limit=3&sort=username&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert seen == ["admin", "manager", "operator", "viewer"]


def test_a_list_has_filters_and_totals(api: Api) -> None:
    token = api.token("manager")

    page = api.send("GET", "/api/v1/users?role=user&include_total=true", token).json
    pages = api.send("GET", "/api/v1/users?page=2&limit=3", token).json

    assert ([user["username"] for user in page["items"]], page["total"]) == (["operator"], 1)
    assert (len(pages["items"]), pages["total"], pages["total_pages"]) == (1, 4, 2)
    for either in ("role=user,admin", "role=user&role=admin"):
        both = api.send("GET", f"/api/v1/users?sort=username&{either}", token).json
        assert [user["username"] for user in both["items"]] == ["admin", "operator"]
    assert len(api.send("GET", "/api/v1/users?role=all", token).json["items"]) == 4


@pytest.mark.parametrize("query", ["role=owner", "sort=email", "cursor=abc", "page=1&skip=1", "unknown=1", "limit=0"])
def test_a_bad_query_is_refused(api: Api, query: str) -> None:
    assert api.send("GET", f"/api/v1/users?{query}", api.token("manager")).status_code in {400, 422}


def test_an_account_lives_from_201_to_404(api: Api) -> None:
    token = api.token("admin")
    made = api.send("POST", "/api/v1/users", token, json={"email": "ada@example.com", "role": "store_manager"})
    assert (made.status_code, made.json["role"], made.json["version"]) == (201, "operator", 1)
    path = f"/api/v1/users/{made.json['id']}"

    again = api.send("POST", "/api/v1/users", token, json={"email": "ADA@example.com"})
    changed = api.send("PATCH", path, token, json={"role": "manager", "store_id": "sto_1"})
    replaced = api.send("PUT", path, token, json=changed.json | {"is_active": False})
    gone = api.send("DELETE", path, token)

    assert (again.status_code, again.json["field"]) == (409, "email")
    assert (changed.status_code, changed.json["version"], changed.json["store_id"]) == (200, 2, "sto_1")
    assert (replaced.status_code, replaced.json["is_active"]) == (200, False)
    assert (gone.status_code, api.send("GET", path, token).status_code) == (204, 404)


def test_the_last_admin_stays(api: Api) -> None:
    token = api.token("admin")

    answers = [
        api.send("PATCH", "/api/v1/users/admin", token, json={"is_active": False}),
        api.send("PATCH", "/api/v1/users/admin", token, json={"role": "viewer"}),
        api.send("DELETE", "/api/v1/users/admin", token),
    ]

    assert [(answer.status_code, answer.json["type"]) for answer in answers] == [(409, "/problems/InvalidState")] * 3


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses"),
    [
        ("GET", "/api/v1/users", None, (403, 403, 200, 200)),
        ("GET", "/api/v1/users/admin", None, (403, 403, 200, 200)),
        ("GET", "/api/v1/users/me", None, (200, 200, 200, 200)),
        ("GET", "/api/v1/users/viewer/permissions", None, (200, 403, 200, 200)),
        ("POST", "/api/v1/users", {"email": "ada@example.com"}, (403, 403, 403, 201)),
        ("PATCH", "/api/v1/users/viewer", {"region": "West"}, (403, 403, 403, 200)),
        ("PUT", "/api/v1/users/viewer/password", {"new_password": "a brand new phrase"}, (403, 403, 403, 204)),
        ("DELETE", "/api/v1/users/viewer", None, (403, 403, 403, 204)),
        ("GET", "/api/users", None, (403, 403, 200, 200)),
        ("POST", "/api/users", {"username": "ada"}, (403, 403, 403, 201)),
        ("DELETE", "/api/users/viewer", None, (403, 403, 403, 204)),
    ],
)
def test_each_operation_has_its_least_role(
    api: Api, method: str, path: str, body: dict[str, Any] | None, statuses: tuple[int, ...]
) -> None:
    tokens = [api.token(role) for role in ("viewer", "operator", "manager", "admin")]

    answers = [api.send(method, path, token, json=body).status_code for token in tokens]

    assert tuple(answers) == statuses
    assert api.send(method, path, json=body).status_code == 401


def test_older_clients_find_their_keys(api: Api) -> None:
    token = api.token("admin")
    made = api.send("POST", "/api/users", token, json={"username": "ada", "password": PASSWORD, "role": "super_admin"})
    rows = api.send("GET", "/api/users?role=super_admin&role=viewer", token)
    of_role = api.send("GET", "/api/users/role/user", token)

    assert made.status_code == 201
    user_id = made.json["user_id"]
    assert made.json == {
        "success": True,
        "data": {"user_id": user_id},
        "message": made.json["message"],
        "error": None,
        "user_id": user_id,
        "username": "ada",
        "role": "admin",
    }
    assert [row["username"] for row in rows.json] == ["ada", "admin", "viewer"]
    assert {frozenset(row) for row in rows.json} == {frozenset(ROW_KEYS)}
    assert rows.headers["X-Total-Count"] == "3"
    assert rows.headers["Link"] == '</api/v1/users>; rel="successor-version"'
    assert [row["username"] for row in of_role.json] == ["operator"]
    assert of_role.headers["X-Total-Count"] == "1"
    assert api.send("GET", "/api/users/role/owner", token).status_code == 422


def test_older_password_paths_work(api: Api) -> None:
    forced = api.send(
        "PUT", "/api/users/viewer/force-reset-password", api.token("admin"), json={"new_password": "forced new phrase"}
    )
    token = str(api.login("viewer", "forced new phrase")["access_token"])
    own = api.send(
        "PUT",
        "/api/users/me/reset-password",
        token,
        json={"current_password": "forced new phrase", "new_password": "my own new phrase"},
    )

    assert (forced.status_code, own.status_code) == (204, 204)
    assert api.login("viewer", "my own new phrase")["user"]["username"] == "viewer"


def test_nobody_deletes_himself(api: Api) -> None:
    token = api.token("admin")
    api.send("POST", "/api/v1/users", token, json={"email": "second@example.com", "role": "admin"})

    paths = ("/api/users/admin", "/api/v1/users/admin", "/api/users/me", "/api/v1/users/me")
    answers = [api.send("DELETE", path, token) for path in paths]

    assert [answer.status_code for answer in answers] == [409] * 4
    assert api.send("GET", "/api/v1/users/admin", token).status_code == 200


def test_me_names_the_caller_in_every_path_of_a_user(api: Api) -> None:
    token = api.token("admin")

    changed = api.send("PATCH", "/api/v1/users/me", token, json={"region": "North"})
    forced = api.send("PUT", "/api/users/me/force-reset-password", token, json={"new_password": "forced own phrase"})

    assert (changed.status_code, changed.json["username"], changed.json["region"]) == (200, "admin", "North")
    assert forced.status_code == 204
    assert api.login("admin", "forced own phrase")["user"]["username"] == "admin"


def test_the_tag_of_an_older_path_of_a_user_serves_until_the_user_changes(api: Api) -> None:
    token = api.token("admin")
    read = api.send("GET", "/api/users/viewer", token)
    condition = {"If-Match": read.headers["ETag"]}

    changed = api.send("PATCH", "/api/v1/users/viewer", token, json={"region": "North"}, headers=condition)
    stale = api.send("DELETE", "/api/users/viewer", token, headers=condition)

    assert read.json.keys() == ROW_KEYS
    assert (changed.status_code, stale.status_code) == (200, 412)
    assert api.send("GET", "/api/users/viewer", token).status_code == 200
