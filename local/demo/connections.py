"""The demo shop's connections: the two suppliers and the feed that the local run simulates.

They are made when the simulators answer, and before `SIM_FAULTS` begins, so that a faulty start has them too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.ports.documents import Query
from shared.suppliers.connections import SUPPLIERS
from shared.suppliers.models import AdditionalConfig, ConnectSupplier, SupplierType

__all__ = ["connections_with"]


def connections_with(simulators: Mapping[str, int]) -> Callable[[Any], None]:
    """Return the seed that connects what runs here; `simulators` names the port of each simulator that does.

    A vendor that is talked to elsewhere is left alone. The simulators must answer already: credentials are checked with them.
    """

    def seed_connections(app: Any) -> None:
        """Make the connections that are missing."""
        known = {stored.data["name"] for stored in app.store.walk(Query(SUPPLIERS))}
        for wanted in _wanted(simulators):
            if wanted.name not in known:
                app.suppliers.connect(wanted)

    return seed_connections


def _wanted(simulators: Mapping[str, int]) -> list[ConnectSupplier]:
    found = []
    if "bigbuy" in simulators:
        found.append(ConnectSupplier(supplier_type=SupplierType.BIGBUY, name="BigBuy"))
    if "aliexpress" in simulators:
        found.append(ConnectSupplier(supplier_type=SupplierType.ALIEXPRESS, name="AliExpress"))
    if "shop" in simulators:
        address = f"http://127.0.0.1:{simulators['shop']}/feeds/google.xml"
        config = AdditionalConfig(feed_url=address)
        found.append(ConnectSupplier(supplier_type=SupplierType.FEED, name="Web shop feed", additional_config=config))
    return found
