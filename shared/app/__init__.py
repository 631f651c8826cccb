"""The one composition root: settings -> adapters -> services, each built once, on first need, under a lock.

One module for each part of the business; all of them stand on `platform`, which also says how a part adds warehouse tables,
kinds of jobs, duties of schedules and chores of the cleanup.
"""

from shared.app.identity import IdentityParts
from shared.app.oos import OosParts
from shared.app.stock import StockParts

__all__ = ["App"]


class App(
    IdentityParts,
    OosParts,
    StockParts,
):
    """Everything a deployment is made of; one per process."""
