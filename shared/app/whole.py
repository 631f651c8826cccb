"""The application: every part of the business in one object."""

from shared.app.catalog import CatalogParts
from shared.app.identity import IdentityParts
from shared.app.oos import OosParts
from shared.app.trade import TradeParts

__all__ = ["App"]


class App(
    CatalogParts,
    IdentityParts,
    OosParts,
    TradeParts,
):
    """Everything a deployment is made of; one per process."""
