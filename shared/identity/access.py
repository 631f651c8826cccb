"""The gate of every function: from an Authorization header to a caller, without reading a document."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from shared.core.caller import Caller, Role
from shared.core.errors import Unauthenticated
from shared.core.values import dataclass, field
from shared.identity.key_access import ApiKeyAccess, is_api_key
from shared.identity.tokens import AccessTokens, is_own

if TYPE_CHECKING:
    from shared.identity.oidc import InternalTokens

__all__ = ["BASIC_ID", "Access", "BasicPair", "Bearers", "Verifier"]

BASIC_ID = "basic"
_REALM = 'realm="onhand"'


@dataclass(frozen=True, slots=True)
class BasicPair:
    """The one username and password of the older OOS backend, and the role they carry."""

    username: str
    password: str = field(repr=False)
    role: Role = Role.OPERATOR

    def matches(self, username: str, password: str) -> bool:
        """Compare both in constant time."""
        user_fits = hmac.compare_digest(_digest(username), _digest(self.username))
        password_fits = hmac.compare_digest(_digest(password), _digest(self.password))
        return user_fits & password_fits

    def caller(self, scheme: str = "basic") -> Caller:
        """Return the caller the pair stands for."""
        return Caller(BASIC_ID, self.username, self.role, scheme)

    def header(self) -> str:
        """Return the Authorization header a client of the older backend sends from then on."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class Verifier(Protocol):
    """Checks what stands behind `Bearer`: our tokens, those of another issuer, API keys, or all of them (`Bearers`)."""

    def verify(self, token: str) -> Caller:
        """Return the caller the credentials prove; raise Unauthenticated or Unavailable."""
        ...


class Bearers:
    """Whatever a deployment accepts behind `Bearer`, told apart by its form."""

    def __init__(self, tokens: AccessTokens, *, keys: ApiKeyAccess, external: Verifier | None = None) -> None:
        """Take the checks; without another issuer every token has to be ours."""
        self._tokens, self._keys, self._external = tokens, keys, external

    def verify(self, token: str) -> Caller:
        """Return the caller the credentials prove."""
        if is_api_key(token):
            return self._keys.verify(token)
        if self._external is not None and not is_own(token):
            return self._external.verify(token)
        return self._tokens.verify(token)


class Access:
    """Says who is calling. Never 403 for bad credentials, never 401 for an outage of our own."""

    def __init__(
        self,
        tokens: Verifier,
        *,
        basic: BasicPair | None = None,
        internal: Callable[[], InternalTokens] | None = None,
        open_read: bool = False,
    ) -> None:
        """Take the checks (that of internal calls is made on first need); `open_read` lets reading callers without credentials in as viewers (local only)."""
        self._tokens, self._basic, self._internal, self._open_read = tokens, basic, internal, open_read

    def authenticate(self, header: str | None, *, reading: bool = False) -> Caller:
        """Return who sends this Authorization header; raise Unauthenticated or Unavailable."""
        if not header and reading and self._open_read:
            return Caller(user_id="", username="", role=Role.VIEWER, scheme="open")
        try:
            scheme, credentials = _parts(header)
            if scheme == "bearer":
                return self._tokens.verify(credentials)
            if scheme == "basic" and self._basic is not None:
                return self._by_pair(credentials, self._basic)
            raise Unauthenticated.because("invalid", "These credentials are not accepted here.")
        except Unauthenticated as refusal:
            raise self._challenged(refusal) from None

    def verify_internal(self, header: str | None) -> Caller:
        """Return the platform's own caller; raise Unauthenticated, Forbidden (another account) or Unavailable."""
        try:
            scheme, credentials = _parts(header)
            if scheme != "bearer" or self._internal is None:
                raise Unauthenticated.because("invalid", "Only the platform may call this.")
            return self._internal().verify(credentials)
        except Unauthenticated as refusal:
            raise self._challenged(refusal) from None

    def challenge(self, *, invalid: bool = False) -> str:
        """Return the WWW-Authenticate header of a 401."""
        error = ', error="invalid_token"' if invalid else ""
        return f"Bearer {_REALM}{error}" + (f", Basic {_REALM}" if self._basic else "")

    def _challenged(self, refusal: Unauthenticated) -> Unauthenticated:
        missing = refusal.errors[0].code == "missing"
        refusal.headers["WWW-Authenticate"] = self.challenge(invalid=not missing)
        return refusal

    def _by_pair(self, credentials: str, pair: BasicPair) -> Caller:
        try:
            text = base64.b64decode(credentials, validate=True).decode("utf-8")
        except ValueError:
            text = ""
        username, _, password = text.partition(":")
        if not pair.matches(username, password):
            raise Unauthenticated.because("invalid", "The username or the password is wrong.")
        return pair.caller()


def _parts(header: str | None) -> tuple[str, str]:
    """Split a header into the scheme in lower case and the credentials."""
    if not header or not header.strip():
        raise Unauthenticated.because("missing", "This operation needs an Authorization header.")
    scheme, _, credentials = header.strip().partition(" ")
    return scheme.lower(), credentials.strip()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
