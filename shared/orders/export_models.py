"""What exports of this domain may be asked; no list needs them."""

from shared.core.exports import ExportQuery
from shared.orders.models import TransferFilter

__all__ = ["TransferExport"]


class TransferExport(ExportQuery, TransferFilter):
    """Which orders are exported."""
