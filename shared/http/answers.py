"""From what a handler returns to status, headers and bytes: JSON once, without a model per row on the way out."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json

from shared.core.conditions import tag
from shared.core.errors import Problem
from shared.core.page import Page, Rows
from shared.core.values import dataclass, field
from shared.http.router import JSON, Operation, Raw, Reply

__all__ = ["Answer", "answer_of", "refusal"]

SHOP = "/ecommerce/v1/"
"""Base of the shop backend (002): a path or verb that is none of its operations is refused in its shape too."""


@dataclass(slots=True)
class Answer:
    """An answer before it is sent: what an idempotency record keeps. `etag` is quoted."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    etag: str | None = None
    code: str | None = None
    """Name of the problem, when it is one."""


def answer_of(operation: Operation, result: Any, sent: Mapping[str, str], *, legacy: bool = False) -> Answer:
    """Render a handler's result; `sent` are the headers it set. On `legacy` paths a bare array is counted."""
    if isinstance(result, Raw):
        tagged = None if result.etag is None else f'"{result.etag}"'
        headers = {"Content-Type": result.content_type, **sent, **result.headers}
        return Answer(result.status, headers, result.data, tagged)
    status, headers = operation.status, dict(sent)
    if isinstance(result, Reply):
        status = result.status or status
        headers |= result.headers
        result = result.body
    if result is None:
        return Answer(204 if status == operation.status else status, headers)
    content, body = _written(result)
    headers["Content-Type"] = JSON
    if legacy and isinstance(result, list):
        headers.setdefault("X-Total-Count", str(len(result)))
    return Answer(status, headers, body, tag(content, body) if operation.etag else None)


def _written(result: Any) -> tuple[Any, bytes]:
    """Return a result as content and as JSON; rows that are JSON already are joined."""
    if not isinstance(result, Page):
        return result, to_json(result, inf_nan_mode="null")
    content = page_body(result)
    if not isinstance(result.items, Rows):
        return content, to_json(content, inf_nan_mode="null")
    rest = to_json({name: value for name, value in content.items() if name != "items"}, inf_nan_mode="null")
    return content, b"".join([b'{"items":[', b",".join(result.items), b"],", rest[1:]])


def page_body(page: Page[Any]) -> dict[str, Any]:
    """Return the page object of the wire."""
    body: dict[str, Any] = {"items": page.items, "next_cursor": page.next_cursor}
    if page.total is not None:
        body["total"] = page.total
    return {**body, **page.extra}


def refusal(problem: Problem, path: str, request_id: str, operation: Operation | None) -> Answer:
    """Render a problem; legacy paths may know another shape of it."""
    from shared.http.problems import MEDIA_TYPE, problem_body

    content = problem_body(problem, path, request_id)
    if operation is None and path.startswith(SHOP):
        from shared.http.legacy import reshaped

        content = reshaped(content)
    elif operation is not None and operation.reshape is not None and not path.startswith("/api/v1"):
        content = operation.reshape(content)
    body = to_json(content, inf_nan_mode="null", fallback=str)
    return Answer(problem.status, {"Content-Type": MEDIA_TYPE, **problem.headers}, body, code=problem.name)
