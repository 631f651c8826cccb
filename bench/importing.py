"""Goal 14: imports of 200,000 and 400,000 products: CPU against the parser alone, and peak memory at both sizes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.harness import ROOT, Outcome, Void, workspace

__all__ = ["measure", "part", "sample"]

SIZES = (200_000, 400_000)
FORMATS = ("xml", "json")
MOST_CPU, MOST_MIB, MOST_GROWTH = 2.5, 120.0, 1.1
ROUNDS = 3


def measure() -> Outcome:
    """Read files of both sizes in fresh processes, in turns with the bare parser."""
    cpu, peaks, rounds = {}, {}, []
    for form in FORMATS:
        files = {size: sample(form, size) for size in SIZES}
        ratios = []
        for _ in range(ROUNDS):
            floor, ours = part(f"floor-{form}", files[SIZES[0]]), part("stage", files[SIZES[0]])
            if ours["rows"] != SIZES[0] or ours["errors"]:
                raise Void(f"{ours['rows']} rows, {ours['errors']} errors")
            ratios.append(ours["cpu_s"] / floor["cpu_s"])
            rounds.append(
                f"{form}: parser {floor['cpu_s']:.2f} s, ours {ours['cpu_s']:.2f} s, {ours['peak_mib']:.0f} MiB"
            )
        cpu[form] = sorted(ratios)[ROUNDS // 2]
        peaks[form] = [ours["peak_mib"], part("stage", files[SIZES[1]])["peak_mib"]]
    growth = max(double / single for single, double in peaks.values())
    largest = max(max(pair) for pair in peaks.values())
    return Outcome(
        value=", ".join(f"{form} {ratio:.1f}x the parser" for form, ratio in cpu.items())
        + f"; peak {largest:.0f} MiB, {growth:.2f}x at double size",
        goal=f"<= {MOST_CPU}x, <= {MOST_MIB:.0f} MiB, <= {MOST_GROWTH}x",
        passed=max(cpu.values()) <= MOST_CPU and largest <= MOST_MIB and growth <= MOST_GROWTH,
        rounds=rounds,
    )


def sample(form: str, size: int) -> Path:
    """Return a file of so many products, written where there is none yet."""
    path = workspace() / f"import-{size}.{form}"
    if not path.exists():
        part(f"make-{form}", path, str(size))
    return path


def part(what: str, path: Path, *more: str) -> dict[str, Any]:
    """Do one part in a process of its own and return what it told."""
    line = [sys.executable, "-m", "bench.one_import", what, str(path), *more]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told
