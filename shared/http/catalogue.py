"""Every problem by name: what it means and what to do about it, for people and for programs."""

from html import escape
from typing import Any

from shared.core.errors import PROBLEMS, NotFound

__all__ = ["listed", "page", "problem"]

_FIXES = {
    "AlreadyExists": "Use another value for the field named by `field`, or change the existing resource.",
    "BadRequest": "Send well-formed JSON in UTF-8; read `errors` for what could not be read.",
    "BaseMoved": "Prepare the import or draft anew and apply it then.",
    "CredentialsRejected": "Check the credentials at the supplier and send them again.",
    "Forbidden": "Ask for a higher role, or act within your store or region.",
    "IdempotencyInFlight": "Wait for `Retry-After` seconds and send the same request again.",
    "IdempotencyKeyReused": "Use a new Idempotency-Key for another request.",
    "InsufficientData": "Wait until there are `min_required_days` days of sales.",
    "InsufficientStock": "Ask for at most `available` units, or bring stock in first.",
    "InternalError": "Try again; if it stays, report the `request_id`.",
    "InvalidState": "Read the resource: `allowed` names what is possible from its present state.",
    "MethodNotAllowed": "Use one of the verbs that the Allow header names.",
    "NotBuilt": "Use what this deployment offers; `detail` gives the reason.",
    "NotFound": "Check the path and the id.",
    "PayloadTooLarge": "Send less at once.",
    "PreconditionFailed": "Read the resource again and repeat the change on what it is now.",
    "PreconditionRequired": "Send If-Match with the ETag of your last GET.",
    "QuantityMismatch": "Read the level again; `current_quantity` is what it holds.",
    "QuotaExceeded": "Wait for the next month, or raise the quota.",
    "RateLimited": "Wait for `Retry-After` seconds.",
    "Unauthenticated": "Sign in, or renew the access token, and send it as Bearer.",
    "Unavailable": "Wait for `Retry-After` seconds and send the same request again.",
    "UnsupportedMediaType": "Send the media type that the Accept header names.",
    "UpstreamFailed": "Try again later: another service answered wrongly.",
    "UriTooLong": "Shorten path and query to 8 KiB.",
    "UrlNotAllowed": "Give a public http or https address.",
    "ValidationFailed": "Correct the values that `errors` points at.",
}


def problem(name: str) -> dict[str, Any]:
    """Return the explanation of a problem; raise NotFound for an unknown name."""
    if name not in PROBLEMS:
        raise NotFound("There is no problem of this name.", resource="problem")
    kind = PROBLEMS[name]
    description = " ".join((kind.__doc__ or "").split())
    return {"name": name, "status": kind.status, "title": kind.title, "description": description, "fix": _FIXES[name]}


def listed() -> list[dict[str, Any]]:
    """Return all problems by name."""
    return [problem(name) for name in PROBLEMS]


def page(problems: list[dict[str, Any]]) -> bytes:
    """Return problems as an HTML page without any other asset."""
    sections = "".join(
        f"<h2 id={each['name']}>{each['status']} {escape(each['title'])}</h2><p><code>/problems/{each['name']}</code></p>"
        f"<p>{escape(each['description'])}</p><p>{escape(each['fix'])}</p>"
        for each in problems
    )
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title>'
    return f"{head}<body><h1>Problems</h1>{sections}</body></html>".encode()
