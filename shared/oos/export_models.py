"""What exports of this domain may be asked; no list needs them."""

from shared.core.exports import ExportQuery
from shared.oos.models import QueueQuery

__all__ = ["QueueExport"]


class QueueExport(ExportQuery, QueueQuery):
    """Which held orders to export."""
