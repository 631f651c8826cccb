"""What exports of this domain may be asked; no list needs them."""

from shared.core.exports import ExportQuery
from shared.imports.models import DiffFilter

__all__ = ["ImportReport"]


class ImportReport(ExportQuery, DiffFilter):
    """Which rows of an import are to be reported."""
