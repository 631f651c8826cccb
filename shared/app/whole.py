"""The application: every part of the business in one object."""

from shared.app.identity import IdentityParts
from shared.app.oos import OosParts
from shared.app.trade import TradeParts

__all__ = ["App"]


class App(
    IdentityParts,
    OosParts,
    TradeParts,
):
    """Everything a deployment is made of; one per process."""
