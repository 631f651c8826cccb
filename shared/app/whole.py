"""The application: every part of the business in one object."""

from shared.app.alerts import AlertParts
from shared.app.content import ContentParts
from shared.app.discrepancies import DiscrepancyParts
from shared.app.identity import IdentityParts
from shared.app.imports import ImportParts

__all__ = ["App"]


class App(
    AlertParts,  # with trade and held orders, which it watches
    ContentParts,  # with the catalogue
    DiscrepancyParts,
    IdentityParts,
    ImportParts,
):
    """Everything a deployment is made of; one per process."""
