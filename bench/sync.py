"""A sync of 100,000 products is limited by the quota of BigBuy, not by us: what we do ourselves takes little of its time.

The lists may be asked for ten times an hour, for 5,000 rows each time: 50,000 products an hour. Measured are a sync of 100,000
new products with the quota off, and the same again with nothing changed. Told beside, and no goal: what a product costs our
processor, and how much of that reading the lists costs alone.
"""

import json
import subprocess
import sys

from bench.harness import ROOT, Outcome, Void

__all__ = ["measure"]

PRODUCTS, AN_HOUR = 100_000, 50_000
MOST = 0.20


def measure() -> Outcome:
    """Sync new products and the same again, beside a simulator without quotas."""
    line = [sys.executable, "-m", "bench.one_sync", str(PRODUCTS)]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    taken = told["read_products"], told["first_created"], told["again_unchanged"]
    if taken != (PRODUCTS, PRODUCTS, PRODUCTS):
        raise Void(f"read, made, found unchanged were {taken}")
    quota_s = PRODUCTS / AN_HOUR * 3600
    first, again = told["first_s"] / quota_s, told["again_s"] / quota_s
    read, made, same = (f"{told[f'{name}_cpu_s'] / PRODUCTS * 1e6:.0f}" for name in ("read", "first", "again"))
    return Outcome(
        value=(
            f"{first:.1%} of the time the quota takes, {again:.1%} when nothing changed; "
            f"{made} and {same} us of processor a product, {read} of it for reading"
        ),
        goal=f"<= {MOST:.0%}",
        passed=max(first, again) <= MOST,
        rounds=[", ".join(f"{name} {value}" for name, value in told.items())],
    )
