"""Every failure a caller may see, one class per name of the wire contract.

    Problem
    ├── BadRequest ............ 400      ├── PreconditionFailed ..... 412
    ├── Unauthenticated ....... 401      ├── PayloadTooLarge ........ 413
    ├── Forbidden ............. 403      ├── UriTooLong ............. 414
    ├── NotFound .............. 404      ├── UnsupportedMediaType ... 415
    ├── MethodNotAllowed ...... 405      ├── ValidationFailed, IdempotencyKeyReused, InsufficientData,
    ├── AlreadyExists, InvalidState,     │   UrlNotAllowed, CredentialsRejected ... 422
    │   InsufficientStock,               ├── PreconditionRequired ... 428
    │   QuantityMismatch,                ├── RateLimited, QuotaExceeded ... 429
    │   IdempotencyInFlight,             ├── InternalError .......... 500
    │   BaseMoved ............. 409      ├── UpstreamFailed ......... 502
    │                                    └── Unavailable ............ 503, NotBuilt ... 501
    Transient                 try again later (carries the wait the other side asked for)
    Terminal                  never try again

A `Problem` carries one sentence for people (`detail`), further keys for programs (`extra`) and answer headers.
`Transient` and `Terminal` are raised by adapters and job steps; the job runner decides by these base classes alone.
"""

from collections.abc import Mapping

from shared.core.values import dataclass

__all__ = [
    "PROBLEMS",
    "AlreadyExists",
    "BadRequest",
    "BaseMoved",
    "CredentialsRejected",
    "FieldError",
    "Forbidden",
    "IdempotencyInFlight",
    "IdempotencyKeyReused",
    "InsufficientData",
    "InsufficientStock",
    "InternalError",
    "InvalidState",
    "MethodNotAllowed",
    "NotBuilt",
    "NotFound",
    "PayloadTooLarge",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "QuantityMismatch",
    "QuotaExceeded",
    "RateLimited",
    "Terminal",
    "Transient",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
    "UpstreamFailed",
    "UriTooLong",
    "UrlNotAllowed",
    "ValidationFailed",
]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused input: where it stood (JSON Pointer, or `query:x`, `header:x`, `path:x`), a code, a sentence."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """A refusal with a name and a status of the wire contract."""

    status = 500
    title = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        """Take the sentence, field errors, answer headers, and further keys of the problem body."""
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers: dict[str, str] = dict(headers or {})
        self.extra = extra

    @property
    def name(self) -> str:
        """Return the problem's name in the contract: the name of its class."""
        return type(self).__name__


class BadRequest(Problem):
    """The request cannot be read: not JSON, a duplicate key, a bad cursor or header."""

    status, title = 400, "Bad request"


class Unauthenticated(Problem):
    """No usable credentials; `errors[0].code` says which way."""

    status, title = 401, "Not authenticated"

    @classmethod
    def because(cls, code: str, detail: str) -> "Unauthenticated":
        """Build the refusal with its reason: missing, invalid, expired, token_reused or bad_credentials."""
        return cls(detail, errors=(FieldError("header:Authorization", code, detail),))


class Forbidden(Problem):
    """The caller is known and may not do this."""

    status, title = 403, "Forbidden"


class NotFound(Problem):
    """No such path or id; `resource` names what was looked for."""

    status, title = 404, "Not found"


class MethodNotAllowed(Problem):
    """The path exists, the verb does not."""

    status, title = 405, "Method not allowed"


class AlreadyExists(Problem):
    """A unique value is taken; `field` names it."""

    status, title = 409, "Already exists"


class InvalidState(Problem):
    """A transition the present state does not allow; `current` and `allowed` say which would be."""

    status, title = 409, "Invalid state"


class InsufficientStock(Problem):
    """Fewer units are available than asked for."""

    status, title = 409, "Insufficient stock"


class QuantityMismatch(Problem):
    """`expected_quantity` differs from the present one."""

    status, title = 409, "Quantity mismatch"


class IdempotencyInFlight(Problem):
    """The same Idempotency-Key is still being worked on."""

    status, title = 409, "Request in flight"


class BaseMoved(Problem):
    """An import or draft was prepared on an older version; `moved` lists the ids."""

    status, title = 409, "Base moved"


class PreconditionFailed(Problem):
    """`If-Match` or the body's `version` is not the present one."""

    status, title = 412, "Precondition failed"


class PayloadTooLarge(Problem):
    """The body is longer than allowed."""

    status, title = 413, "Payload too large"


class UriTooLong(Problem):
    """Path and query are longer than allowed."""

    status, title = 414, "URI too long"


class UnsupportedMediaType(Problem):
    """The body's media type is not accepted here."""

    status, title = 415, "Unsupported media type"


class ValidationFailed(Problem):
    """The request was read but its values are refused; always with `errors`."""

    status, title = 422, "Validation failed"

    @classmethod
    def at(cls, pointer: str, code: str, message: str) -> "ValidationFailed":
        """Refuse one value."""
        return cls(message, errors=(FieldError(pointer, code, message),))


class IdempotencyKeyReused(Problem):
    """The same Idempotency-Key came with another payload."""

    status, title = 422, "Idempotency key reused"


class InsufficientData(Problem):
    """A forecast refuses for want of history."""

    status, title = 422, "Insufficient data"


class UrlNotAllowed(Problem):
    """The outbound guard refuses the address before any connection."""

    status, title = 422, "Address not allowed"


class CredentialsRejected(Problem):
    """A supplier refused the given credentials."""

    status, title = 422, "Credentials rejected"


class PreconditionRequired(Problem):
    """This deployment wants `If-Match` on changes."""

    status, title = 428, "Precondition required"


class RateLimited(Problem):
    """Too many requests; `Retry-After` says when to come back."""

    status, title = 429, "Rate limited"


class QuotaExceeded(Problem):
    """A monthly quota is used up."""

    status, title = 429, "Quota exceeded"


class InternalError(Problem):
    """A bug of ours; the detail is constant."""

    status, title = 500, "Internal error"


class NotBuilt(Problem):
    """This deployment cannot do it; the detail gives the reason."""

    status, title = 501, "Not available"


class UpstreamFailed(Problem):
    """A 3PL or supplier answered wrongly during a synchronous call."""

    status, title = 502, "Upstream failed"


class Unavailable(Problem):
    """Store, warehouse or queue trouble, or contention beyond the deadline; safe to retry."""

    status, title = 503, "Unavailable"

    def __init__(self, detail: str, *, retry_after: int = 1, **extra: object) -> None:
        """Take the sentence and the seconds after which a retry makes sense."""
        super().__init__(detail, errors=(), headers={"Retry-After": str(retry_after)}, **extra)


class Transient(Exception):
    """A failure that may pass: the step is tried again, after `wait_s` seconds when the other side named them."""

    def __init__(self, code: str, detail: str, *, wait_s: float | None = None, rate_limited: bool = False) -> None:
        """Take a stable code, a sentence without secrets, and the wait asked for."""
        super().__init__(detail)
        self.code, self.detail, self.wait_s, self.rate_limited = code, detail, wait_s, rate_limited


class Terminal(Exception):
    """A failure that trying again cannot mend."""

    def __init__(self, code: str, detail: str) -> None:
        """Take a stable code and a sentence without secrets."""
        super().__init__(detail)
        self.code, self.detail = code, detail


def _family(base: type[Problem]) -> dict[str, type[Problem]]:
    return {cls.__name__: cls for cls in base.__subclasses__()}


PROBLEMS: Mapping[str, type[Problem]] = dict(sorted(_family(Problem).items()))
