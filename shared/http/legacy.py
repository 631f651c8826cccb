"""The envelopes of two older backends, shared by every function that serves their paths.

001 (`/api/...`): lists are bare arrays or `{data, page, total_pages, total, limit}`, writes are `done(...)`; errors are the
problem body, which holds `detail` and `error`.

002 (`/ecommerce/v1/...`): every answer is `answered(...)`; declare its routes with `reshape=reshaped` and `merge_query=True`
(parameters come as JSON body or as query, the body wins). Where its README promises 422 for what is 404 or 409 today, wrap the
call in `with refused_as_422("product_id"):`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from shared.core.errors import AlreadyExists, FieldError, NotFound, ValidationFailed
from shared.core.page import Page

__all__ = ["answered", "decimal_text", "done", "numbered", "refused_as_422", "reshaped"]

Data = dict[str, Any]


def done(data: Mapping[str, Any], message: str) -> Data:
    """Return what a write of 001 answers."""
    return {"success": True, "data": dict(data), "message": message, "error": None}


def numbered(page: Page[Any], items: Sequence[Any]) -> Data:
    """Return a page of 001: `page` was asked for by number, so the page knows its total."""
    extra = page.extra
    return {
        "data": list(items),
        "page": extra["page"],
        "total_pages": extra["total_pages"],
        "total": page.total,
        "limit": extra["limit"],
    }


def answered(data: Any, message: str = "OK", status: int = 200) -> Data:
    """Return what 002 answers."""
    return {"status_code": status, "success": status < 300, "message": message, "data": data}  # noqa: PLR2004 - 2xx


def reshaped(problem: Data) -> Data:
    """Return a problem as clients of 002 know it: the same body with their keys added."""
    told = {"status_code": problem["status"], "success": False, "message": problem["detail"], "data": {}}
    return {**problem, **told}


def decimal_text(amount: str | float | None) -> str | None:
    """Return an amount as 002 writes it: a decimal text with two places."""
    if amount is None:
        return None
    return str(amount) if isinstance(amount, str) else f"{amount:.2f}"


@contextmanager
def refused_as_422(field: str) -> Iterator[None]:
    """Answer 422 at a field where the canonical operation says 404 or 409: what is unknown, what is taken."""
    try:
        yield
    except AlreadyExists as taken:
        raise _refused(field, "taken", taken.detail) from None
    except NotFound as unknown:
        raise _refused(field, "unknown", unknown.detail) from None


def _refused(field: str, code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=(FieldError(f"/{field}", code, detail),))
