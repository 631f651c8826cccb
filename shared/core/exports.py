"""What an export may be asked: the filters and the order of its list, and the format; see `shared.http.export`."""

from typing import Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from shared.core.page import PageQuery

__all__ = ["PAGING", "ExportQuery"]

PAGING = ("limit", "cursor", "skip", "page", "per_page", "include_total", "include")
"""Parameters of a list that its export refuses: it holds every row, whole."""


class ExportQuery(PageQuery):
    """Stands before a list's own filter: `class ProductExport(ExportQuery, ProductFilter)`."""

    format: Literal["csv", "jsonl"] = "csv"
    bom: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name in PAGING:
            if name in self.model_fields_set:
                raise _refused(name, "unknown_parameter", "An export has no pages; it holds every row.")
        if self.bom and self.format != "csv":
            raise _refused("bom", "not_allowed", "Only csv begins with a byte order mark.")
        return self


def _refused(name: str, code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, message, {"at": name})
