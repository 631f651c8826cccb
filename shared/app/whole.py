"""The application: every part of the business in one object."""

from shared.app.alerts import AlertParts
from shared.app.catalog import CatalogParts
from shared.app.identity import IdentityParts

__all__ = ["App"]


class App(
    AlertParts,  # with trade and held orders, which it watches
    CatalogParts,
    IdentityParts,
):
    """Everything a deployment is made of; one per process."""
