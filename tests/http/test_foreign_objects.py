"""T01: what belongs to one user is not there for another, on every route of the OpenAPI document.

Private are: API keys, sessions (refresh families and tokens), answers kept under an idempotency key, profiles (for all below a
manager), and the places in one's own lists that a cursor names. Exports are streamed and leave nothing behind. Jobs, imports and
drafts are the organisation's and readable by every viewer. Each private text of the victim holds a canary.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.gateway import routers
from shared.app import App
from shared.core.caller import Caller
from shared.http.idempotency import Idempotency
from shared.http.openapi import document
from shared.http.serve import Handler, serve
from shared.identity.apikeys import ApiKey, ApiKeys, key_view
from shared.ports.documents import Delete, Key, Query
from tests.client import Answered, Client
from tests.http.product import an_app, tokens

CANARY = "canary4711"
KINDS = ("api key", "session", "refresh token", "kept answer", "profile")
PATHS = document(routers())["paths"]
Calls = list[tuple[str, str]]


class Seen(NamedTuple):
    """What a stranger was answered."""

    method: str
    path: str
    answer: Answered


class House:
    """A product with a victim who owns one of everything, and a stranger of the same role."""

    def __init__(self, folder: Path) -> None:
        self.app: App = an_app(folder)
        self.app.identity.seed_demo_users("demo-password-1")
        self.handle: Handler[Any] = serve(routers(), lambda: self.app)
        self.anybody = Client(self.handle)
        self.admin = self.anybody.as_(f"Bearer {tokens(self.app)['admin']}")
        self.victim, self.refresh = self._user("victim")
        self.stranger, _ = self._user("stranger")
        self.user_id = str(self.victim.get("/api/v1/auth/me").json["id"])
        made = self.victim.post("/api/v1/auth/keys", {"name": f"{CANARY} key", "scopes": ["auth:read"]})
        self.key_id, self.key = made.json["id"], made.json["key"]
        for number in range(2):
            assert self.victim.post("/api/v1/auth/keys", {"name": f"{CANARY} {number}"}).status == 201
        self.victim.patch("/api/v1/auth/me", {"full_name": f"{CANARY} name"}, headers={"Idempotency-Key": "mine"})
        order = {"order_id": "1", "sku": "A", "comment": f"{CANARY} comment"}
        self.kept = self.victim.post("/api/v1/comments", order, headers={"Idempotency-Key": "mine"})

    def _user(self, name: str) -> tuple[Client, str]:
        text = CANARY if name == "victim" else name
        body = {"email": f"{name}@onhand.local", "password": f"long enough {text}", "full_name": text}
        assert self.anybody.post("/api/v1/auth/register", body).status == 201
        pair = self.anybody.post("/api/v1/auth/login", {"email": body["email"], "password": body["password"]}).json
        return self.anybody.as_(f"Bearer {pair['access_token']}"), pair["refresh_token"]

    def ids(self) -> dict[str, str]:
        """Return the victim's private id of each kind."""
        one = {name: self._first(name) for name in ("refresh_families", "refresh_tokens", "idempotency")}
        found = (self.key_id, *one.values(), self.user_id)
        return dict(zip(KINDS, found, strict=True))

    def _first(self, collection: str) -> str:
        users = [
            stored for stored in self.app.store.walk(Query(collection)) if self._is_victims(collection, stored.data)
        ]
        return users[0].key.id

    def _is_victims(self, collection: str, data: dict[str, Any]) -> bool:
        return collection == "idempotency" or data["user_id"] == self.user_id

    def state(self) -> tuple[int, Any]:
        """Return what a stranger must not change: the victim's keys, profile, session and comment."""
        kept = [self.app.store.get(Key(name, one)) for name, one in zip(PRIVATE, self.ids().values(), strict=True)]
        return len(self.victim.get("/api/v1/auth/keys").json["items"]), kept


PRIVATE = ("api_keys", "refresh_families", "refresh_tokens", "idempotency", "users")


def routes_with_ids() -> Calls:
    """Return verb and path of every documented operation that names an object."""
    return [(method.upper(), path) for path, place in PATHS.items() if "{" in path for method in place]


def paged() -> list[str]:
    """Return the path of every documented list that takes a cursor and no id."""
    return [
        path
        for path, place in PATHS.items()
        if "{" not in path and any(each["name"] == "cursor" for each in place.get("get", {}).get("parameters", []))
    ]


def filled(path: str, one: str) -> str:
    """Return a path with one id in place of every variable but the source."""
    parts = path.replace("{source}", "stord").split("/")
    return "/".join(one if part.startswith("{") else part for part in parts)


def as_a_stranger(house: House, calls: Calls) -> Iterator[Seen]:
    """Call each operation with each private id of the victim."""
    for one in house.ids().values():
        for method, path in calls:
            real = filled(path, one)
            body: Any = {} if method in {"POST", "PUT", "PATCH"} else b""
            answer = house.stranger.send(method, real, body)
            yield Seen(method, path, answer)


def leaks(seen: list[Seen]) -> list[tuple[str, str, int]]:
    """Return the answers that hold a foreign byte, or that are no refusal."""
    return [
        (each.method, each.path, each.answer.status)
        for each in seen
        if CANARY.encode() in each.answer.body or not _is_refusal(each)
    ]


def _is_refusal(seen: Seen) -> bool:
    """Say whether nothing was found: 404, or a role or a body that was looked at first."""
    return seen.answer.status in {404, 403, 400, 422} or seen.path in EMPTY


EMPTY = {
    "/api/inventory/product/{id}",
    "/api/inventory/store/{id}",
    "/api/v1/barcode/lookup/{code}",
    "/api/{source}/oos-orders",
    "/api/trigger-refresh/{source}",
    "/api/v1/refresh/{source}",
}
"""Older lists of what stands under an id, which is nothing; a code nobody knows; paths that name a source, not an object."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a product with a victim and a stranger."""
    return House(tmp_path)


def test_a_foreign_id_is_unknown_on_every_route(house: House) -> None:
    before, calls = house.state(), routes_with_ids()

    seen = list(as_a_stranger(house, calls))

    print(f"{len(seen)} calls of {len(calls)} operations with {len(KINDS)} kinds of ids")
    assert len(seen) == len(calls) * len(KINDS)
    assert leaks(seen) == []
    assert house.state() == before
    revoked = [each.answer for each in seen if (each.method, each.path) == ("DELETE", "/api/v1/auth/keys/{id}")]
    assert [answer.json["resource"] for answer in revoked] == ["api_key"] * len(KINDS)


class Careless(ApiKeys):
    """The broken variant: a key is revoked by whoever names it."""

    def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """Forget whose key it is."""
        stored = self._store.get(Key("api_keys", key_id))
        if stored is None:
            return super().revoke(caller, key_id)
        self._store.write([Delete(stored.key, stored.version)])
        return key_view(stored)


def test_control_without_the_owner_check_a_foreign_key_is_revoked(house: House) -> None:
    vars(house.app)["api_keys"] = Careless(house.app.store, house.app.clock, house.app.ids)
    before = house.state()

    seen = list(as_a_stranger(house, routes_with_ids()))

    assert ("DELETE", "/api/v1/auth/keys/{id}", 204) in leaks(seen)
    assert house.state() != before


NEEDED: dict[str, dict[str, Any]] = {
    "/api/v1/comments": {"order_id": "1"},
    "/api/v1/sales/report/lines": {"start": "2026-01-01", "end": "2026-01-02"},
    "/api/v1/oos/history": {"from": "2026-01-01", "to": "2026-01-02"},
}
"""What a list wants to know besides."""


def test_a_foreign_cursor_opens_no_list(house: House) -> None:
    page = house.victim.get("/api/v1/auth/keys", limit=1).json
    foreign, others = page["next_cursor"], [path for path in paged() if path != "/api/v1/auth/keys"]

    seen = [Seen("GET", path, house.stranger.get(path, cursor=foreign, **NEEDED.get(path, {}))) for path in others]

    print(f"{len(seen)} lists")
    assert [each.path for each in seen if CANARY.encode() in each.answer.body] == []
    # 422: a list that wants to know more says so before it looks at the cursor.
    assert {each.answer.status for each in seen if "/api/v1" in each.path} | {422} == {400, 403, 422}
    own = house.stranger.get("/api/v1/auth/keys", cursor=foreign, limit=1)
    assert own.status == 400 or own.json["items"] == []


def test_a_foreign_refresh_token_ends_nothing(house: House) -> None:
    assert house.stranger.post("/api/v1/auth/logout", {"refresh_token": house.refresh}).status == 204

    assert house.anybody.post("/api/v1/auth/refresh", {"refresh_token": house.refresh}).status == 200


def kept_by(house: House) -> list[tuple[str, str, str]]:
    """Let an admin leave an answer under a key on every route, and return those that a second admin was shown."""
    body = {"email": "second@onhand.local", "password": "long enough second", "role": "admin"}
    assert house.admin.post("/api/v1/users", body).status == 201
    pair = house.anybody.post("/api/v1/auth/login", {"email": body["email"], "password": body["password"]}).json
    second = house.anybody.as_(f"Bearer {pair['access_token']}")
    shown = []
    unsafe = [(method.upper(), path) for path, place in PATHS.items() for method in place if method != "get"]
    for number, (method, path) in enumerate(unsafe):
        key, real = {"Idempotency-Key": f"key-{number}"}, filled(path, "unknown-id")
        house.admin.send(method, real, {}, headers=key)
        answer = second.send(method, real, {}, headers=key)
        if "Idempotency-Replayed" in answer.headers:
            shown.append((method, path, key["Idempotency-Key"]))
    return shown


def test_a_foreign_idempotency_key_shows_no_answer_on_any_route(house: House) -> None:
    assert kept_by(house) == []


class KeyAlone(Idempotency):
    """The broken variant: one user's key is everybody's."""

    def key(self, scope: tuple[str, ...]) -> Key:
        """Forget the user."""
        return super().key(scope[1:])


def test_control_a_key_without_its_user_shows_answers_on_many_routes(house: House) -> None:
    house.handle.warm()
    ready = house.handle._ready
    assert ready is not None
    records = KeyAlone(lambda: house.app.store, house.app.clock)
    ready.records = lambda: records

    assert ("DELETE", "/api/v1/products/{id}", "unknown") in {(*each[:2], "unknown") for each in kept_by(house)}
