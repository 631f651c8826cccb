"""An operation with one effect that can be counted, for the tests of idempotency."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.http.context import Context
from shared.http.idempotency import Idempotency
from shared.http.router import Router
from shared.http.serve import serve
from shared.ports.documents import Create, Key, Put, Stored, Write
from tests.client import Answered, Client
from tests.http.builders import FakeApp, Kernel

__all__ = ["EFFECT", "an_effect", "beside", "count_up", "effects", "elsewhere", "send", "with_records"]

PATH = "/api/v1/things"
EFFECT = Key("effects", "one")
WAIT_S = 20


def effects(kernel: Kernel) -> int:
    """Return how often the effect happened."""
    stored = kernel.app.store.get(EFFECT)
    return 0 if stored is None else stored.data["count"]


def count_up(app: FakeApp) -> int:
    """Have an effect."""

    def decide(found: Any) -> tuple[int, list[Write]]:
        stored: Stored | None = found.get(EFFECT)
        if stored is None:
            return 1, [Create(EFFECT, {"count": 1})]
        count = stored.data["count"] + 1
        return count, [Put(EFFECT, {"count": count}, stored.version)]

    return app.store.change([EFFECT], decide)


def an_effect(during: Callable[[Context[FakeApp]], None] = lambda _: None, *, atomic: bool = True) -> Router:
    """Return a route with one effect; `during` runs before it."""
    router = Router("effect")

    @router.post("/api/v1/effects", "/api/effects", access="viewer", status=201, atomic=atomic)
    def happen(ctx: Context[FakeApp]) -> dict[str, int]:
        """Happen."""
        during(ctx)
        return {"count": count_up(ctx.app)}

    return router


def send(client: Client, key: str, body: Any = None, path: str = "/api/v1/effects") -> Answered:
    """Send a request with a key."""
    return client.post(path, {} if body is None else body, headers={"Idempotency-Key": key})


def beside(kernel: Kernel, router: Router) -> Kernel:
    """Return another process: the same documents, and nothing else in common."""
    handle = serve([router], lambda: kernel.app)
    return Kernel(kernel.app, handle, Client(handle))


def elsewhere(other: Kernel, key: str = "key") -> Answered:
    """Send a request to another process while this thread is at work in one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(send, other.as_("viewer"), key).result(WAIT_S)


def with_records(kernel: Kernel, records: type[Idempotency]) -> Kernel:
    """Put a variant of the records in place of the real ones."""
    kernel.handle.warm()
    ready = kernel.handle._ready
    assert ready is not None
    made = records(lambda: kernel.app.store, kernel.app.clock)
    ready.records = lambda: made
    return kernel
