"""Simulators of a few hundred orders on a manual clock, unlimited in rate unless a test limits them."""

from collections.abc import Iterator

import pytest

from local.simulators import Options, ShipBob, Stord
from shared.core.clock import ManualClock

SIZE = 600


@pytest.fixture
def clock() -> ManualClock:
    """The virtual clock all simulators of a test share."""
    return ManualClock()


@pytest.fixture
def shipbob(clock: ManualClock) -> Iterator[ShipBob]:
    """A ShipBob that serves."""
    with ShipBob(clock, Options(seed=7, size=SIZE, slow_s=0.6)) as simulator:
        simulator.switch(rate_limit=0)
        yield simulator


@pytest.fixture
def stord(clock: ManualClock) -> Iterator[Stord]:
    """A Stord that serves."""
    with Stord(clock, Options(seed=7, size=SIZE, slow_s=0.6)) as simulator:
        simulator.switch(rate_limit=0)
        yield simulator
