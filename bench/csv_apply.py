"""A CSV of 1,000,000 products: dry run and application on SQLite, all in. `ONHAND_BENCH_WHOLE` measures another number of rows.

The goal is that of a million rows; with fewer it is measured on fewer, and said so.
"""

import os

from bench.harness import Outcome, Void
from bench.importing import part, sample

__all__ = ["measure"]

ROWS = 1_000_000
LEAST_RATE, MOST_MIB = 20_000, 200


def measure() -> Outcome:
    """Make the diff of new products with stock, apply it, and count rows a second and the memory at its peak."""
    count = int(os.environ.get("ONHAND_BENCH_WHOLE") or ROWS)
    told = part("whole", sample("csv", count))
    if told["status"] != "applied" or told["totals"]["create"] != count:
        raise Void(f"the import is {told['status']}, {told['totals']}")
    rate = count / (told["dry_run_s"] + told["apply_s"])
    return Outcome(
        value=f"{rate:,.0f} rows/s of {count:,} rows, {told['peak_mib']:.0f} MiB",
        goal=f">= {LEAST_RATE:,} rows/s, <= {MOST_MIB} MiB",
        passed=rate >= LEAST_RATE and told["peak_mib"] <= MOST_MIB,
        rounds=[
            (
                f"dry run {told['dry_run_s']:.0f} s, apply {told['apply_s']:.0f} s, "
                f"{told['cpu_s'] / count * 1e6:.0f} us of CPU a row, of which SQLite alone, with the same rows and indexes, "
                f"takes {told['floor_cpu_s'] / count * 1e6:.0f}"
            )
        ],
    )
