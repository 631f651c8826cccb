"""Signing in and out, accounts, and the sessions between."""

from collections.abc import Mapping

from shared.core.caller import Caller, Role
from shared.core.clock import instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, Forbidden, Unauthenticated, ValidationFailed
from shared.core.values import dataclass, field
from shared.identity.access import BASIC_ID, BasicPair
from shared.identity.models import LegacyToken, PasswordChange, Profile, Registration, TokenPair, User
from shared.identity.passwords import Passwords, refuse_common
from shared.identity.patches import PROFILE, changes_of
from shared.identity.sessions import Sessions
from shared.identity.throttle import LoginThrottle
from shared.identity.tokens import TokenMint
from shared.identity.users import Account, Fields, Users, credential_key, user_key, view
from shared.ports.documents import Key, Put, Stored, Write

__all__ = ["IdentityService", "Policy"]

_BEGINNING = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the deployment decides: who may register, as what, and the pair of the older backend."""

    registration_open: bool = False
    registration_role: Role = Role.OPERATOR
    basic: BasicPair | None = None


@dataclass(frozen=True, slots=True)
class IdentityService:
    """The use cases of the function `auth`; the gate that every function asks is `Access`."""

    users: Users
    sessions: Sessions
    throttle: LoginThrottle
    passwords: Passwords
    mint: TokenMint = field(repr=False)
    policy: Policy = field(default_factory=Policy)

    def register(self, wanted: Registration) -> User:
        """Make an account of one's own; raise Forbidden, ValidationFailed or AlreadyExists."""
        if not self.policy.registration_open:
            raise Forbidden("Registration is closed here; ask an admin for an account.")
        refuse_common(wanted.password, "/password")
        if self.users.account(wanted.email).user is not None:
            raise AlreadyExists("This email is taken.", field="email")
        fields = wanted.model_dump(exclude={"password"}) | {"role": self.policy.registration_role.value}
        try:
            return view(self.users.create(fields, self.passwords.hash(wanted.password)))
        except AlreadyExists:
            raise AlreadyExists("This email is taken.", field="email") from None

    def login(self, name: str, password: str) -> TokenPair:
        """Sign a stored user in; raise Unauthenticated `bad_credentials`, RateLimited or Unavailable."""
        account, counted = self._admitted(name)
        if not self.passwords.verify(account.hash, password) or not _is_active(account):
            self._count(account, counted=counted)
            raise _bad_credentials()
        dated = account.hash is not None and self.passwords.is_dated(account.hash)
        return self._begun(account, self.passwords.hash(password) if dated else None)

    def token(self, username: str, password: str) -> tuple[LegacyToken, str | None]:
        """Sign in as the older OOS backend does; for its own pair also return the Basic header to use from then on."""
        pair = self.policy.basic
        if pair is not None and pair.matches(username, password):
            account, _ = self._admitted(username)
            self.throttle.forgive(account.name)
            return _legacy(pair.caller(), self.mint.mint(pair.caller()), None), pair.header()
        session = self.login(username, password)
        return _legacy(_caller(session.user), session.access_token, session.refresh_token), None

    def refresh(self, token: str) -> TokenPair:
        """Exchange a refresh token; raise Unauthenticated."""
        rotated = self.sessions.rotate(token)
        return self._pair(view(rotated.user), rotated.token)

    def known(self, name: str) -> str | None:
        """Return the id of the user a login name leads to."""
        user = self.users.account(name).user
        return user.key.id if user is not None else None

    def logout(self, caller: Caller, token: str | None) -> None:
        """End one session of the caller, or all of them."""
        if token is not None:
            self.sessions.end(token, caller.user_id)
        else:
            self.users.end_sessions(caller.user_id)

    def me(self, caller: Caller) -> User:
        """Return the caller's own record; the Basic pair has a fixed one."""
        if caller.user_id == BASIC_ID:
            return _basic_user(caller)
        stored = self.users.store.get(user_key(caller.user_id)) if caller.user_id else None
        if stored is None:
            raise Unauthenticated.because("invalid", "The account of this token does not exist any more.")
        return view(stored)

    def update_me(self, caller: Caller, patch: Profile, condition: Precondition = NO_CONDITION) -> User:
        """Change the caller's own profile."""
        self._refuse_pair(caller)

        def decide(stored: Stored) -> Fields:
            condition.check(caller.user_id, stored.data["version"], patch.version)
            return changes_of(patch, stored, PROFILE)

        return view(self.users.change(caller.user_id, decide))

    def change_password(self, caller: Caller, change: PasswordChange) -> None:
        """Set the caller's password anew and end all sessions; raise ValidationFailed `wrong_current`."""
        self._refuse_pair(caller)
        username = self.users.get(caller.user_id).data["username"]
        account, counted = self._admitted(username)
        right = self.passwords.verify(account.hash, change.current_password)
        if not right:
            self._count(account, counted=counted)
            raise _wrong_current()
        self.throttle.forgive(account.name)
        refuse_common(change.new_password, "/new_password")
        hashed = self.passwords.hash(change.new_password)
        if not self.users.set_hash(caller.user_id, hashed, instead_of=account.hash):
            raise _wrong_current()

    def ensure_first_admin(self, email: str, password: str) -> None:
        """Make the first admin when there is no user at all."""
        if self.users.is_empty():
            self._make({"email": email, "role": Role.ADMIN.value}, password)

    def seed_demo_users(self, password: str) -> None:
        """Make the four users of the local run where they are missing."""
        for role in Role:
            email = f"{role.value}@onhand.local"
            if self.users.account(email).user is None:
                self._make({"email": email, "username": role.value, "role": role.value}, password)

    def _make(self, fields: Fields, password: str) -> None:
        try:
            self.users.create(fields, self.passwords.hash(password))
        except AlreadyExists:
            return  # another instance was faster

    def _admitted(self, name: str) -> tuple[Account, bool]:
        account = self.users.account(name)
        return account, self.throttle.admit(account.name)

    def _count(self, account: Account, *, counted: bool) -> None:
        if not counted:
            self.throttle.failed(account.name)

    def _begun(self, account: Account, renewed: str | None) -> TokenPair:
        """Begin a session in one commit, unless the account changed while its password was being checked."""
        assert account.user is not None
        user_id = account.user.key.id
        keys = [user_key(user_id), credential_key(user_id), self.throttle.key(account.name)]

        def decide(found: Mapping[Key, Stored]) -> tuple[tuple[Stored, str] | None, list[Write]]:
            user, credential = found.get(keys[0]), found.get(keys[1])
            if user is None or credential is None or credential.data["hash"] != account.hash:
                return None, []
            seen = Stored(user.key, user.data | {"last_login_at": instant(self.users.clock.now())}, user.version)
            token, writes = self.sessions.begin(user_id, credential.data["epoch"])
            writes += [Put(user.key, seen.data, user.version), *self.throttle.forgiven(account.name, found)]
            if renewed is not None:
                writes.append(Put(credential.key, credential.data | {"hash": renewed}, credential.version))
            return (seen, token), writes

        begun = self.users.store.change(keys, decide)
        if begun is None:
            raise _bad_credentials()
        return self._pair(view(begun[0]), begun[1])

    def _pair(self, user: User, refresh_token: str) -> TokenPair:
        return TokenPair(access_token=self.mint.mint(_caller(user)), refresh_token=refresh_token, user=user)

    def _refuse_pair(self, caller: Caller) -> None:
        if caller.user_id == BASIC_ID:
            raise Forbidden("The Basic pair is set by the deployment and is no stored user.")


def _bad_credentials() -> Unauthenticated:
    return Unauthenticated.because("bad_credentials", "The name or the password is wrong.")


def _wrong_current() -> ValidationFailed:
    return ValidationFailed.at("/current_password", "wrong_current", "The current password is wrong.")


def _is_active(account: Account) -> bool:
    return account.user is not None and bool(account.user.data["is_active"])


def _caller(user: User) -> Caller:
    return Caller(user.id, user.username, user.role, "bearer", user.store_id, user.region)


def _legacy(caller: Caller, access_token: str, refresh_token: str | None) -> LegacyToken:
    assert caller.role is not None
    return LegacyToken(
        access_token=access_token,
        refresh_token=refresh_token,
        username=caller.username,
        role=caller.role,
        message="Login successful",
    )


def _basic_user(caller: Caller) -> User:
    return User.model_validate(
        {
            **dict.fromkeys(User.model_fields),
            "id": BASIC_ID,
            "username": caller.username,
            "role": caller.role,
            "timezone": "UTC",
            "language": "en",
            "is_active": True,
            "created_at": _BEGINNING,
            "updated_at": _BEGINNING,
            "version": 1,
        }
    )
