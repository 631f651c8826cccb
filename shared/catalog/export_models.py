"""What exports of this domain may be asked; no list needs them."""

from shared.catalog.models import ProductFilter
from shared.core.exports import ExportQuery

__all__ = ["ProductExport"]


class ProductExport(ExportQuery, ProductFilter):
    """Which products are to be exported."""
