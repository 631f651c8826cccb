"""A sync of BigBuy is limited by the quota of BigBuy, not by us: what we do ourselves, with the quota off, takes little of it.

The lists may be asked for ten times an hour, for 5,000 rows each time: 50,000 products an hour. Measured is a sync of 10,000
new products, the most that one may be asked for, and the same again; a sync of more products is several such.
"""

import json
import subprocess
import sys

from bench.harness import ROOT, Outcome, Void

__all__ = ["measure"]

PRODUCTS, AN_HOUR = 10_000, 50_000
MOST = 0.20


def measure() -> Outcome:
    """Sync new products and the same again, beside a simulator without quotas."""
    line = [sys.executable, "-m", "bench.one_sync", str(PRODUCTS)]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if (told["first_created"], told["again_unchanged"]) != (PRODUCTS, PRODUCTS):
        raise Void(f"the syncs took {told['first_created']} and {told['again_unchanged']} products")
    quota_s = PRODUCTS / AN_HOUR * 3600
    first, again = told["first_s"] / quota_s, told["again_s"] / quota_s
    return Outcome(
        value=f"{first:.1%} of the time the quota takes, {again:.1%} when nothing changed",
        goal=f"<= {MOST:.0%}",
        passed=max(first, again) <= MOST,
        rounds=[", ".join(f"{name} {value}" for name, value in told.items())],
    )
