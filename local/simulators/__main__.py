"""One simulator by itself: `python -m local.simulators shipbob --size 20000`; prints its settings and serves until stdin ends.

Benches use it so that the vendor's work does not count as ours, and a person can point any client at it.
"""

import argparse
import json
import sys
from pathlib import Path

from local.simulators import Options, ShipBob, Simulator, Stord, dataset_from_retail, parse_faults
from local.simulators.datasets import SCENARIOS
from shared.core.clock import SystemClock


class _Offset:
    """The seconds by which this process's time runs ahead."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += seconds


def main(arguments: list[str]) -> None:
    """Serve what the arguments ask for."""
    asked = _parser().parse_args(arguments)
    simulator = _made(asked)
    for name, faults in parse_faults(asked.faults).items():
        for fault in faults if name == simulator.name else ():
            simulator.fault(fault.fault, fault.times, fault.after, fault.path)
    simulator.switch(**json.loads(asked.switches))
    if asked.warm:
        simulator.warm()
    with simulator:
        print(
            json.dumps({"name": simulator.name, "orders": len(simulator.world.orders), **simulator.settings()}),
            flush=True,
        )
        sys.stdin.read()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulators", description=__doc__)
    parser.add_argument("name", choices=("shipbob", "stord"))
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=10_400, help="orders")
    parser.add_argument(
        "--scenario", default="default", choices=SCENARIOS, help="calm: nothing is held; empty: no orders"
    )
    parser.add_argument("--retail", type=Path, help="build the orders from this online-retail.csv.gz instead")
    parser.add_argument("--faults", default="", help="as SIM_FAULTS")
    parser.add_argument("--switches", default="{}", help='JSON, for example {"rate_limit": 0}')
    parser.add_argument("--living", action="store_true", help="let the world change by itself")
    parser.add_argument("--warm", action="store_true", help="render every order before the first request")
    return parser


def _made(asked: argparse.Namespace) -> Simulator:
    offset = _Offset()
    clock = SystemClock(lambda: offset.seconds)
    options = Options(
        seed=asked.seed,
        size=asked.size,
        scenario=asked.scenario,
        port=asked.port,
        living=asked.living,
        advance=offset.add,
    )
    kind: type[ShipBob | Stord] = ShipBob if asked.name == "shipbob" else Stord
    if asked.retail is None:
        return kind(clock, options)
    data, _ = dataset_from_retail(asked.retail, asked.name, asked.seed, anchor=clock.now())
    return kind(clock, options, data)


if __name__ == "__main__":
    main(sys.argv[1:])
