"""What exports of this domain may be asked; no list needs them."""

from shared.core.exports import ExportQuery
from shared.sales.models import SaleFilter

__all__ = ["SaleExport"]


class SaleExport(ExportQuery, SaleFilter):
    """Which sales are exported."""
