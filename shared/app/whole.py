"""The application: every part of the business in one object."""

from shared.app.content import ContentParts
from shared.app.discrepancies import DiscrepancyParts
from shared.app.forecasts import ForecastParts
from shared.app.identity import IdentityParts
from shared.app.imports import ImportParts
from shared.app.suppliers import SupplierParts

__all__ = ["App"]


class App(
    ContentParts,  # with the catalogue
    DiscrepancyParts,
    ForecastParts,  # with alerts, which watch them, and with what alerts watch besides: trade and held orders
    IdentityParts,
    ImportParts,
    SupplierParts,
):
    """Everything a deployment is made of; one per process."""
