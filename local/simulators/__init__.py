"""Simulated vendors on real sockets: what Onhand reads in `make run` and in tests, with every fault a vendor ever showed.

Words: a **simulator** serves a **world** (orders and stock) made from a **data set**. **Faults** spoil requests, **switches**
choose among behaviours on which sources contradict each other, **scripts** change the world between two requests, the
**journal** says what was asked. `truth` is the open held set counted from the world alone.

```python
with ShipBob(ManualClock(), Options(seed=7, size=500)) as shipbob:
    shipbob.fault("http_500", times=2)
    shipbob.script("/order", 3, {"op": "ship", "order_id": 10000004})
    held = shipbob.truth()
```
"""

from local.simulators.aliexpress.simulator import AliExpress
from local.simulators.base import Options, Simulator
from local.simulators.bigbuy.simulator import BigBuy
from local.simulators.credentials import (
    SHIPBOB_TOKEN,
    SHIPBOB_WEBHOOK_SECRET,
    STORD_NETWORK_ID,
    STORD_ORG_ID,
    STORD_TOKEN,
    STORD_WEBHOOK_SECRET,
)
from local.simulators.datasets import dataset, dataset_from_retail
from local.simulators.faults import FAULTS, SIMULATORS, Fault, known_faults, parse_faults
from local.simulators.shipbob.simulator import ShipBob
from local.simulators.shop.simulator import Shop
from local.simulators.stord.simulator import Stord

__all__ = [
    "FAULTS",
    "SHIPBOB_TOKEN",
    "SHIPBOB_WEBHOOK_SECRET",
    "SIMULATORS",
    "STORD_NETWORK_ID",
    "STORD_ORG_ID",
    "STORD_TOKEN",
    "STORD_WEBHOOK_SECRET",
    "AliExpress",
    "BigBuy",
    "Fault",
    "Options",
    "ShipBob",
    "Shop",
    "Simulator",
    "Stord",
    "dataset",
    "dataset_from_retail",
    "known_faults",
    "parse_faults",
]
