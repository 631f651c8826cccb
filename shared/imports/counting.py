"""The counters of an import: what its rows came to, its first errors, and how far it is. Pure."""

from collections.abc import Iterable
from typing import Any

from shared.imports.compare import Compared
from shared.imports.record import MOST_ERRORS, Data
from shared.imports.staging import error_of

__all__ = ["counted", "progress_of", "recounted"]


def counted(counts: Data, rows: Iterable[Compared]) -> Data:
    """Return the counters with these rows in them."""
    totals, errors = dict(counts["totals"]), list(counts["errors"])
    known = {error["row"] for error in errors}
    for row in rows:
        totals[row.action.value] += 1
        if row.error is not None and row.row not in known and len(errors) < MOST_ERRORS:
            errors.append(error_of(row.row, row.error))
    errors.sort(key=lambda error: error["row"])
    return counts | {"totals": totals, "errors": errors}


def recounted(counts: Data, before: Iterable[Any], rows: Iterable[Compared]) -> Data:
    """Return the counters after rows turned out otherwise than their diff said."""
    totals, errors = dict(counts["totals"]), list(counts["errors"])
    for kept, row in zip(before, rows, strict=True):
        if kept[1] != row.action.value:
            totals[kept[1]] -= 1
            totals[row.action.value] += 1
            if row.error is not None and len(errors) < MOST_ERRORS:
                errors.append(error_of(row.row, row.error))
    return counts | {"totals": totals, "errors": errors}


def progress_of(counts: Data) -> tuple[int, int, str, int]:
    """Return how many rows are done, of how many, at what, and how many are wrong."""
    done = sum(value for name, value in counts["totals"].items() if name != "rows")
    return done, counts["rows"], "Comparing with the catalogue", counts["totals"]["error"]
