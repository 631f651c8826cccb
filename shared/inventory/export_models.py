"""What exports of this domain may be asked; no list needs them."""

from shared.core.exports import ExportQuery
from shared.inventory.list_models import MovementFilter
from shared.inventory.models import LevelFilter

__all__ = ["LevelExport", "MovementExport"]


class LevelExport(ExportQuery, LevelFilter):
    """Which levels are to be written."""


class MovementExport(ExportQuery, MovementFilter):
    """Which movements are to be written."""
