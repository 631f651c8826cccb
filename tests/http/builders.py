"""A small application around the kernel, and routes that show one behaviour each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.errors import Forbidden, InvalidState, NotFound, Unauthenticated
from shared.core.ids import SequentialIds
from shared.core.money import Money
from shared.core.page import Page, PageQuery
from shared.core.quantities import Quantity
from shared.core.settings import Settings
from shared.core.text import Id, Search, Text
from shared.core.times import Day, From, Instant, To
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Raw, Reply, Router
from shared.http.serve import Handler, serve
from shared.ports.documents import Create, Data, Key, Put, Query, Stored, Write
from shared.ports.store import Store
from tests.client import Client

__all__ = ["UNLIMITED", "FakeApp", "Gate", "Kernel", "a_kernel", "a_router", "a_thing", "seed"]

UNLIMITED = dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_LOGIN", "RATE_LIMIT_COSTLY"), "0")
SHAPES = {
    "indexes": [
        {
            "collectionGroup": "things",
            "queryScope": "COLLECTION",
            "fields": [{"fieldPath": name, "order": "ASCENDING"} for name in ("kind", field)],
        }
        for field in ("rank", "name")
    ]
}


class Gate:
    """Reads `Bearer <role>` or `Bearer <role>:<user>`; `Bearer expired` is what it says."""

    def authenticate(self, header: str | None, *, reading: bool = False) -> Caller:
        """Return the caller the header names."""
        if not header:
            raise Unauthenticated.because("missing", "This needs credentials.")
        word, _, user = header.removeprefix("Bearer ").partition(":")
        if word == "expired":
            raise Unauthenticated.because("expired", "The token has expired.")
        if word not in set(Role):
            raise Unauthenticated.because("invalid", "These credentials are not accepted.")
        return Caller(user or f"usr_{word}", word, Role(word))

    def verify_internal(self, header: str | None) -> Caller:
        """Let the platform in."""
        if header == "Bearer other-account":
            raise Forbidden("Another account.")
        if header != "Bearer platform":
            raise Unauthenticated.because("invalid", "Only the platform.")
        return Caller("system", "queue", None, "internal")

    def challenge(self, *, invalid: bool = False) -> str:
        """Return the challenge."""
        return 'Bearer realm="onhand"'


class FakeApp:
    """What the kernel needs, on a database in memory and a clock that stands still."""

    def __init__(self, **environment: str) -> None:
        """Take settings that differ from: no limits."""
        self.settings = Settings.from_env({**UNLIMITED, **environment})
        self.clock = ManualClock()
        self.ids = SequentialIds()
        self.documents = SqliteDocuments(":memory:", Shapes.of(SHAPES))
        self.store = Store(self.documents, self.clock)
        self.access = Gate()
        self.calls = 0


@dataclass(frozen=True, slots=True)
class Kernel:
    """A served application and a client of it."""

    app: FakeApp
    handle: Handler[FakeApp]
    client: Client

    def as_(self, role: str) -> Client:
        """Return a client with that role (or `role:user`)."""
        return self.client.as_(f"Bearer {role}")


def a_kernel(routers: Iterable[Router] | None = None, /, **environment: str) -> Kernel:
    """Serve routers (the ones below unless told) over a fresh application."""
    app = FakeApp(**environment)
    handle = serve(list(routers) if routers is not None else [a_router()], lambda: app)
    return Kernel(app, handle, Client(handle))


Ctx = Context[FakeApp]


class Thing(BaseModel):
    """A resource with a version."""

    id: str
    kind: str
    name: str
    rank: int
    price: Money
    made_at: Instant
    version: int


class NewThing(BaseModel):
    """Input of every kind of value."""

    name: Annotated[Text, Field(min_length=1, max_length=20)] = "thing"
    kind: Literal["red", "blue"] = "red"
    rank: Quantity = 1
    price: Money = Field(default="1.00", validate_default=True)
    made_at: Instant | None = None
    on: Day | None = None
    ok: bool = False
    owner_id: Id | None = None
    tags: list[Annotated[Text, Field(max_length=5)]] = Field(default_factory=list)
    parts: list["Part"] = Field(default_factory=list)


class Part(BaseModel):
    """A nested input."""

    sku: Text
    quantity: Quantity


class ThingPatch(BaseModel):
    """What a PATCH may change."""

    name: Text | None = None
    version: int | None = None


class ThingQuery(PageQuery):
    """Filters of the list."""

    SORTS: ClassVar[tuple[str, ...]] = ("rank", "name")

    kind: Annotated[list[Literal["red", "blue"]], Field(max_length=10)] = Field(default_factory=list)
    owner: Text | None = None
    search: Search | None = None
    fresh: bool | None = None
    rank_from: int | None = None
    made_from: From | None = None
    made_to: To | None = None


def a_thing(number: int, **changes: Any) -> Data:
    """Return a stored thing."""
    data = {
        "kind": "red" if number % 2 else "blue",
        "name": f"thing {number % 7}",
        "rank": number,
        "price": "1.00",
        "made_at": "2026-01-15T10:30:00.000000Z",
        "version": 1,
    }
    return {**data, **changes}


def seed(kernel: Kernel, count: int) -> None:
    """Store things 1..count."""
    writes: list[Write] = [
        Create(Key("things", f"thg_{number:04d}"), a_thing(number)) for number in range(1, count + 1)
    ]
    for start in range(0, count, 500):
        kernel.app.store.write(writes[start : start + 500])


def shown(stored: Stored) -> Thing:
    """Return a stored thing as the wire shows it."""
    return Thing.model_validate({"id": stored.key.id, **stored.data})


def a_router() -> Router:
    """Return the routes that the tests of the kernel use."""
    router = Router("things")
    _declare_reading(router)
    _declare_changing(router)
    _declare_special(router)
    return router


def _declare_reading(router: Router) -> None:
    @router.get("/api/v1/things", "/api/things", etag=False)
    def list_things(ctx: Ctx, query: ThingQuery) -> Page[Thing]:
        """List things."""
        equals = (("kind", tuple(query.kind)),) if query.kind else ()
        return paginate(ctx, query, Query("things", equals=equals), shown)

    @router.get("/api/v1/things/{thing_id}", "/api/things/{thing_id}")
    def get_thing(ctx: Ctx, thing_id: str) -> Thing:
        """Get one thing."""
        return shown(_found(ctx, thing_id))

    @router.get("/api/v1/things/special")
    def special(ctx: Ctx) -> dict[str, str]:
        """Win over the variable."""
        return {"id": "special"}


def _declare_changing(router: Router) -> None:
    @router.post("/api/v1/things", "/api/things", access="operator", status=201, needs_key=True)
    def make_thing(ctx: Ctx, body: NewThing) -> Thing:
        """Make a thing."""
        ctx.app.calls += 1
        key = Key("things", ctx.app.ids.new("thg"))
        data = a_thing(body.rank, name=body.name, kind=body.kind, price=str(body.price))
        ctx.app.store.change([key], lambda _: (None, [Create(key, data)]))
        ctx.respond_header("Location", f"/api/v1/things/{key.id}")
        return shown(Stored(key, data, ""))

    @router.patch("/api/v1/things/{thing_id}", access="operator")
    def patch_thing(ctx: Ctx, thing_id: str, body: ThingPatch) -> Thing:
        """Change a thing."""
        ctx.app.calls += 1
        stored = _found(ctx, thing_id)
        ctx.precondition.check(thing_id, stored.data["version"], body.version)
        data = {**stored.data, "name": body.name or stored.data["name"], "version": stored.data["version"] + 1}
        ctx.app.store.change([stored.key], lambda _: (None, [Put(stored.key, data, stored.version)]))
        return shown(Stored(stored.key, data, ""))

    @router.delete("/api/v1/things/{thing_id}", access="manager")
    def delete_thing(ctx: Ctx, thing_id: str) -> None:
        """Remove a thing, which is never allowed."""
        ctx.app.calls += 1
        raise InvalidState("Things stay.", current="made", allowed=[])

    @router.post("/api/v1/admin", access="admin", atomic=False)
    def only_admins(ctx: Ctx) -> Reply:
        """Do what only admins may, outside of one commit."""
        ctx.app.calls += 1
        return Reply({"calls": ctx.app.calls}, status=202, headers={"X-Data-Age": "1"})


def _declare_special(router: Router) -> None:
    @router.post("/internal/tasks/{kind}", access="internal", policy="none")
    def internal(ctx: Ctx, kind: str) -> dict[str, str]:
        """Be called by the platform."""
        return {"caller": ctx.caller.username}

    @router.post("/api/v1/auth/login", access="public", policy="login")
    def login(ctx: Ctx) -> dict[str, bool]:
        """Sign in."""
        return {"ok": True}

    @router.post("/api/v1/costly", policy="costly")
    def costly(ctx: Ctx) -> dict[str, bool]:
        """Be expensive."""
        return {"ok": True}

    @router.get("/health", access="public", policy="none", etag=False)
    def health(ctx: Ctx) -> dict[str, str]:
        """Live."""
        return {"status": "healthy"}

    @router.get("/api/v1/sources/{source}", access="public")
    def source(ctx: Ctx, source: Literal["stord", "shipbob"]) -> dict[str, str]:
        """Show one of two sources."""
        return {"source": source, "request_id": ctx.request_id, "trace": ctx.trace, "address": ctx.address}

    @router.get("/api/v1/bytes", access="public")
    def prepared(ctx: Ctx) -> Raw:
        """Answer with prepared bytes."""
        return Raw(b"" if ctx.has_current("abc") else b"[1]", etag="abc", headers={"Vary": "Accept-Encoding"})


def _found(ctx: Ctx, thing_id: str) -> Stored:
    stored = ctx.app.store.get(Key("things", thing_id)) if len(thing_id) < 64 else None
    if stored is None:
        raise NotFound("There is no such thing.", resource="thing")
    return stored
