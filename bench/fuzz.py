"""H01 at full volume: 100 000 structured and byte-level requests over every route, none of which may fail by our fault."""

from bench.harness import Outcome
from bench.ours import fresh_data
from local.gateway import routers
from tests.http.fuzz import fuzz
from tests.http.product import a_product

__all__ = ["measure"]

COUNT, SEED = 100_000, 20260116


def measure() -> Outcome:
    """Fuzz the whole product in process."""
    product = a_product(fresh_data("fuzz"))
    clients = [product["none"], product["expired"], product["viewer"], *[product["admin"]] * 6]
    seen = fuzz(routers(), clients, seed=SEED, count=COUNT)
    shown = [f"{fault.reason}: {fault}"[:400] for fault in seen.faults[:10]]
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(seen.statuses.items()))
    value = f"{len(seen.faults)} faults in {COUNT:,} requests ({statuses})"
    return Outcome(value, "0 faults", passed=not seen.faults, rounds=shown)
