"""Identity: who calls, accounts, sessions, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app.platform import Platform
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.adapters.jose.keys import Ed25519Private
    from shared.identity.access import Access, BasicPair
    from shared.identity.admin import UserAdmin
    from shared.identity.apikeys import ApiKeys
    from shared.identity.audit import Audit
    from shared.identity.external import ExternalTokens
    from shared.identity.keys import KeyRing, KeySource
    from shared.identity.oidc import InternalTokens, LocalInvoker
    from shared.identity.service import IdentityService
    from shared.identity.users import Users

__all__ = ["IdentityParts"]


class IdentityParts(Platform):
    """The services of identity."""

    @once
    def signing_key(self) -> Ed25519Private:
        """Return the key that access tokens are signed with; only the function `auth` has it in the cloud."""
        from shared.adapters.jose.files import local_keys
        from shared.adapters.jose.keys import Ed25519Private

        pem = self.settings.auth_signing_key
        return Ed25519Private.from_pem(pem) if pem else local_keys(self.data_dir)

    @once
    def public_keys(self) -> KeyRing:
        """Return the keys that access tokens are checked with."""
        from shared.adapters.jose.keys import Ed25519Public, read_jwks
        from shared.identity.keys import KeyRing

        if self.settings.auth_public_keys:
            return KeyRing(read_jwks(self.settings.auth_public_keys))
        previous = self.settings.auth_previous_public_key
        older = [Ed25519Public.from_pem(previous)] if previous else []
        return KeyRing([self.signing_key.public, *older])

    @once
    def local_invoker(self) -> LocalInvoker:
        """Return what signs the embedded queue's calls: a key made at start."""
        from shared.adapters.jose.keys import Ed25519Private
        from shared.identity.oidc import LocalInvoker

        return LocalInvoker(Ed25519Private.generate(), self.settings.worker_audience or "onhand-worker", self.clock)

    @once
    def internal_tokens(self) -> InternalTokens:
        """Return the check of internal calls."""
        from shared.adapters.oidc import GoogleKeys
        from shared.identity.oidc import InternalTokens, Invokers

        if not self.settings.in_cloud:
            return self.local_invoker.verifier()
        invokers = Invokers(self.settings.worker_audience or "", frozenset(self.settings.worker_invokers))
        return InternalTokens(GoogleKeys(self.clock), invokers, self.clock)

    @once
    def access(self) -> Access:
        """Return the gate: from a header to a caller."""
        from shared.identity.access import Access, Bearers
        from shared.identity.key_access import ApiKeyAccess
        from shared.identity.tokens import AccessTokens, Realm

        realm = Realm(self.settings.auth_issuer, self.settings.auth_audience)
        tokens = AccessTokens(lambda: self.public_keys, realm, self.clock)
        bearers = Bearers(tokens, keys=ApiKeyAccess(lambda: self.store, self.clock), external=self._external)
        internal = lambda: self.internal_tokens  # noqa: E731 - as above: made when it is asked for
        return Access(bearers, basic=self._basic, internal=internal, open_read=self.settings.open_read)

    @once
    def users(self) -> Users:
        """Return the records of users."""
        from shared.identity.users import Users

        return Users(self.store, self.clock, self.ids)

    @once
    def api_keys(self) -> ApiKeys:
        """Return making and revoking API keys."""
        from shared.identity.apikeys import ApiKeys

        return ApiKeys(self.store, self.clock, self.ids)

    @once
    def audit(self) -> Audit:
        """Return the log of security events."""
        from shared.identity.audit import Audit

        return Audit(self.store, self.clock, self.ids)

    @once
    def _external(self) -> ExternalTokens | None:
        """Return the check of another issuer's tokens, None when the settings name none."""
        settings = self.settings
        if not (settings.jwt_secret or settings.external_jwks_url):
            return None
        from shared.adapters.jose.keys import SharedSecret
        from shared.identity.external import ExternalTokens, ExternalUsers, Issuer

        secret = SharedSecret(settings.jwt_secret) if settings.jwt_secret else None
        issuer = Issuer(settings.external_issuer, settings.external_audience)
        users = ExternalUsers(self.users)
        return ExternalTokens(issuer, users, self.clock, secret=secret, keys=self._external_keys())

    def _external_keys(self) -> KeySource | None:
        from shared.adapters.oidc import IssuerKeys, over_fetch

        address = self.settings.external_jwks_url
        return IssuerKeys(address, self.clock, over_fetch(self.fetch), life_s=600) if address else None

    @once
    def identity(self) -> IdentityService:
        """Return signing in and accounts."""
        from shared.adapters.argon2 import Argon2
        from shared.identity.passwords import Passwords
        from shared.identity.service import IdentityService, Policy
        from shared.identity.sessions import Sessions
        from shared.identity.throttle import LoginThrottle
        from shared.identity.tokens import Realm, TokenMint

        settings = self.settings
        realm = Realm(settings.auth_issuer, settings.auth_audience)
        identity = IdentityService(
            users=self.users,
            sessions=Sessions(self.store, self.clock, self.ids),
            throttle=LoginThrottle(self.store, self.clock),
            passwords=Passwords(Argon2()),
            mint=TokenMint(lambda: self.signing_key, realm, self.clock, self.ids),
            policy=Policy(settings.registration == "open", settings.registration_role, self._basic),
        )
        if settings.admin_email and settings.admin_password:
            identity.ensure_first_admin(settings.admin_email, settings.admin_password)
        return identity

    @once
    def user_admin(self) -> UserAdmin:
        """Return managing everybody's accounts."""
        from shared.identity.admin import UserAdmin

        return UserAdmin(self.identity.users, self.identity.passwords)

    @once
    def _basic(self) -> BasicPair | None:
        from shared.identity.access import BasicPair

        settings = self.settings
        if not (settings.basic_auth_username and settings.basic_auth_password):
            return None
        return BasicPair(settings.basic_auth_username, settings.basic_auth_password, settings.basic_auth_role)

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting ended sessions."""
        return (*super().chores(), self._forget_sessions)

    def _forget_sessions(self) -> None:
        from shared.identity.sessions import Sessions

        while Sessions(self.store, self.clock, self.ids).sweep():
            pass
        while self.api_keys.sweep():
            pass
