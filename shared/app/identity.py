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
    from shared.identity.keys import KeyRing
    from shared.identity.oidc import InternalTokens, LocalInvoker
    from shared.identity.service import IdentityService

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
        from shared.identity.access import Access
        from shared.identity.tokens import AccessTokens, Realm

        realm = Realm(self.settings.auth_issuer, self.settings.auth_audience)
        tokens = AccessTokens(lambda: self.public_keys, realm, self.clock)
        return Access(tokens, basic=self._basic, internal=self.internal_tokens, open_read=self.settings.open_read)

    @once
    def identity(self) -> IdentityService:
        """Return signing in and accounts."""
        from shared.adapters.argon2 import Argon2
        from shared.identity.passwords import Passwords
        from shared.identity.service import IdentityService, Policy
        from shared.identity.sessions import Sessions
        from shared.identity.throttle import LoginThrottle
        from shared.identity.tokens import Realm, TokenMint
        from shared.identity.users import Users

        settings = self.settings
        realm = Realm(settings.auth_issuer, settings.auth_audience)
        identity = IdentityService(
            users=Users(self.store, self.clock, self.ids),
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
