"""H02, stateful: schemathesis walks the operations in sequence, and what one answers is what the next one asks for.

The document declares no links. The walks follow those that schemathesis derives from it by equal names and shapes, such as the
id of a product that was made and `/api/v1/products/{id}`. The checks and the explained refusals are those of `test_contract`.

All walks share one product, which remembers what earlier ones did. Where a beginning that is walked again therefore goes on
otherwise, hypothesis ends the round; such rounds are counted, and too few requests in all fail the test.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from pydantic import BaseModel

from local.demo.load import load
from local.gateway import routers
from shared.core.errors import NotFound
from shared.http.context import Context
from shared.http.openapi import document
from shared.http.router import Router
from shared.http.serve import as_wsgi, serve
from tests.faults.jobs.volume import sized
from tests.http.builders import FakeApp
from tests.http.product import an_app, tokens
from tests.http.test_contract import NOWHERE, SEED, faults_of

ROUNDS = sized(30, 375)
CHOSEN = settings(
    max_examples=4,
    stateful_step_count=15,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FEWEST = 25 * ROUNDS


class Walked:
    """What the walks saw: statuses, steps that followed a link, and what did not fit the document."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.followed = 0
        self.cut = 0
        self.faults: list[str] = []


def walked(routers_: list[Router], app: Any, token: str, rounds: int) -> Walked:
    """Take this many rounds of a few walks each."""
    schema = schemathesis.openapi.from_dict({**document(routers_), "security": []})
    schema.app = as_wsgi(serve(routers_, lambda: app))
    schema.config.base_url = "http://127.0.0.1"
    seen, machine = Walked(), schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc, valid-type]  # made from the document
        """A walk that notes instead of stopping at the first fault."""

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            """Send the caller's token."""
            return {"headers": {"Authorization": f"Bearer {token}"}}

        def step(self, input: Any) -> Any:  # noqa: A002 - the library's name
            """Count the steps that take something from an answer."""
            seen.followed += input.transition is not None
            return super().step(input)

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            """Hold an answer against the document."""
            seen.statuses[response.status_code] += 1
            seen.faults += faults_of(f"{case.method} {case.path}", case, response)

    for number in range(rounds):
        try:
            run_state_machine_as_test(seed(SEED + number)(Walk), settings=CHOSEN)
        except FlakyStrategyDefinition:
            seen.cut += 1
    told = f"{seen.statuses.total()} requests, {seen.followed} after a link, {seen.cut} cut short, {dict(sorted(seen.statuses.items()))}"
    print(f"walks: seed {SEED}, {rounds} rounds, {told}, {len(seen.faults)} faults")
    return seen


class Gadget(BaseModel):
    """Something that is made and read."""

    id: str


def forgetful() -> Router:
    """Return operations of which one fails, but only for an id that another one answered."""
    router, made = Router("gadgets"), set[str]()

    @router.post("/api/v1/gadgets", status=201, atomic=False)
    def make_gadget(ctx: Context[FakeApp]) -> Gadget:
        """Make a gadget."""
        made.add(f"gad_{len(made)}")
        return Gadget(id=f"gad_{len(made) - 1}")

    @router.get("/api/v1/gadgets/{id}")
    def get_gadget(ctx: Context[FakeApp], id: str) -> Gadget:  # noqa: A002 - the path's name
        """Read a gadget."""
        if id in made:
            raise RuntimeError("a bug that only what exists brings out")
        raise NotFound("No gadget has this id.", resource="gadget")

    return router


@pytest.mark.serial
def test_walks_from_answer_to_request_keep_what_the_document_says(tmp_path: Path) -> None:
    app = an_app(tmp_path, BIGBUY_BASE_URL=NOWHERE, ALIEXPRESS_BASE_URL=NOWHERE)
    app.identity.seed_demo_users("demo-password-1")
    load(app)

    seen = walked(routers(), app, tokens(app)["admin"], ROUNDS)

    assert seen.faults == []
    assert seen.statuses.total() >= FEWEST
    assert seen.followed > ROUNDS


def test_control_a_fault_behind_an_answer_is_found_by_walking() -> None:
    seen = walked([forgetful()], FakeApp(), "viewer", 3)

    assert {fault.partition(":")[0] for fault in seen.faults} == {"GET /api/v1/gadgets/{id}"}
