"""Users as documents: the record, his credential, and one claim per login name.

A claim (`logins`, named by the digest of the folded name) makes e-mails and usernames unique in any case: whoever creates
it first has the name. E-mails and usernames share one name space, so that no username can stand in for another's e-mail.
The credential is apart, so that no list of users ever loads a password hash; its `epoch` ends all sessions when raised.
The active admins are listed in one document, so that two admins cannot remove each other at the same moment.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shared.core.caller import Role
from shared.core.clock import Clock, instant
from shared.core.errors import AlreadyExists, InvalidState, NotFound
from shared.core.ids import Ids
from shared.core.values import dataclass
from shared.identity.models import User
from shared.identity.rules import login_name
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["Account", "Fields", "Users", "credential_key", "user_key", "view"]

Fields = Mapping[str, Any]
_ADMINS = Key("identity", "admins")
_NOBODY = "nobody"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DEFAULTS: Fields = {
    "email": None,
    "full_name": None,
    "first_name": None,
    "last_name": None,
    "store_id": None,
    "region": None,
    "timezone": "UTC",
    "language": "en",
    "avatar_url": None,
    "is_active": True,
}


def user_key(user_id: str) -> Key:
    """Return where a user's record is."""
    return Key("users", user_id)


def credential_key(user_id: str) -> Key:
    """Return where a user's password hash is."""
    return Key("credentials", user_id)


def _claim_key(name: str) -> Key:
    return Key("logins", hashlib.sha256(login_name(name).encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True, slots=True)
class Account:
    """What a login name leads to; both None when it leads nowhere."""

    name: str
    user: Stored | None = None
    credential: Stored | None = None

    @property
    def hash(self) -> str | None:
        """Return the password hash of an account that can sign in."""
        return self.credential.data["hash"] if self.credential else None

    def __repr__(self) -> str:
        """Keep the hash out of logs."""
        return f"Account({self.name!r})"


def view(stored: Stored) -> User:
    """Return a stored user as shown: the full name is made of the parts when it was not given."""
    data = stored.data
    parts = " ".join(part for part in (data["first_name"], data["last_name"]) if part)
    shown = {name: data[name] for name in User.model_fields if name != "id"}
    return User(**{**shown, "id": stored.key.id, "full_name": data["full_name"] or parts or None})


class Users:
    """The records, with names kept unique and one active admin always left."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store and what new records are stamped with."""
        self.store, self.clock, self._ids = store, clock, ids

    def get(self, user_id: str) -> Stored:
        """Return a user; raise NotFound."""
        found = self.store.get(user_key(user_id))
        if found is None:
            raise NotFound("There is no such user.", resource="user")
        return found

    def find(self, word: str) -> Stored:
        """Return the user of this id or username; raise NotFound."""
        found = self.store.get(user_key(word)) if _ID.fullmatch(word) else None
        if found is not None:
            return found
        account = self.account(word)
        if account.user is None or login_name(account.user.data["username"]) != login_name(word):
            raise NotFound("There is no such user.", resource="user")
        return account.user

    def account(self, name: str) -> Account:
        """Return what a login name leads to, with the same reads whether it leads anywhere or not."""
        claim = self.store.get(_claim_key(name))
        user_id = claim.data["user_id"] if claim else _NOBODY
        keys = user_key(user_id), credential_key(user_id)
        found = self.store.get_many(keys)
        user, credential = found.get(keys[0]), found.get(keys[1])
        if user is None or credential is None:
            return Account(f"name:{login_name(name)}")
        return Account(f"user:{user_id}", user, credential)

    def is_empty(self) -> bool:
        """Say whether nobody was ever made here (or everybody is gone)."""
        return not self.store.query(Query("users", limit=1))

    def create(self, fields: Fields, hashed: str | None, *, user_id: str | None = None) -> Stored:
        """Make a user (of a given id, for those whom others name); raise AlreadyExists for a taken e-mail or username."""
        username = fields.get("username") or fields["email"]
        now = instant(self.clock.now())
        stamps = {"created_at": now, "updated_at": now, "last_login_at": None, "version": 1}
        data = {**_DEFAULTS, **fields, "username": username, "username_key": login_name(username), **stamps}
        user = Stored(user_key(user_id or self._ids.new("usr")), data, "")
        claims = _claims(data)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            _refuse_taken(claims, found, user.key.id)
            writes: list[Write] = [Create(user.key, data)]
            writes.append(Create(credential_key(user.key.id), {"hash": hashed, "epoch": 0}))
            writes += [Create(key, {"user_id": user.key.id}) for key in claims]
            return user, writes + _admin_writes(user, found.get(_ADMINS))

        return self.store.change([*claims, _ADMINS], decide)

    def change(self, user_id: str, decide: Callable[[Stored], Fields]) -> Stored:
        """Apply the changes that `decide` returns for the present record; nothing changes when they are empty.

        Raise NotFound, AlreadyExists, and InvalidState when no active admin would be left.
        """
        wanted = _claims(decide(self.get(user_id)))
        keys = [user_key(user_id), credential_key(user_id), _ADMINS, *wanted]

        def apply(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(keys[0])
            if stored is None:
                raise NotFound("There is no such user.", resource="user")
            changes = {name: value for name, value in decide(stored).items() if stored.data[name] != value}
            return self._changed(stored, changes, found) if changes else (stored, [])

        return self.store.change(keys, apply)

    def delete(self, user_id: str) -> None:
        """Remove a user; his names are free from then on. Raise NotFound, or InvalidState for the last active admin."""
        keys = [user_key(user_id), _ADMINS]

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(keys[0])
            if stored is None:
                raise NotFound("There is no such user.", resource="user")
            gone = replace(stored, data=stored.data | {"is_active": False})
            writes: list[Write] = [Delete(stored.key, stored.version), Delete(credential_key(user_id))]
            writes += [Delete(key) for key in _claims(stored.data)]
            return None, writes + _admin_writes(gone, found.get(_ADMINS))

        self.store.change(keys, decide)

    def set_hash(self, user_id: str, hashed: str, *, instead_of: str | None = None) -> bool:
        """Store a new password hash and end all sessions; say no when `instead_of` is not the present hash any more."""
        key = credential_key(user_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[bool, list[Write]]:
            stored = found.get(key)
            if stored is None or (instead_of is not None and stored.data["hash"] != instead_of):
                return False, []
            data = {"hash": hashed, "epoch": stored.data["epoch"] + 1}
            return True, [Put(key, data, stored.version)]

        return self.store.change([key], decide)

    def end_sessions(self, user_id: str) -> None:
        """Make every refresh token of the user worthless."""
        key = credential_key(user_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(key)
            return None, [] if stored is None else [_next_epoch(stored)]

        self.store.change([key], decide)

    def _changed(self, stored: Stored, changes: Fields, found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
        stamps = {"updated_at": instant(self.clock.now()), "version": stored.data["version"] + 1}
        data = {**stored.data, **changes, **stamps}
        data["username_key"] = login_name(data["username"])
        after = replace(stored, data=data)
        old, new = _claims(stored.data), _claims(data)
        _refuse_taken(new, found, stored.key.id)
        writes: list[Write] = [Put(stored.key, data, stored.version)]
        writes += [Delete(key) for key in old if key not in new]
        writes += [Create(key, {"user_id": stored.key.id}) for key in new if key not in old]
        credential = found.get(credential_key(stored.key.id))
        if not data["is_active"] and stored.data["is_active"] and credential is not None:
            writes.append(_next_epoch(credential))
        return after, writes + _admin_writes(after, found.get(_ADMINS))


def _next_epoch(credential: Stored) -> Write:
    return Put(credential.key, credential.data | {"epoch": credential.data["epoch"] + 1}, credential.version)


def _claims(fields: Fields) -> dict[Key, str]:
    """Return the claims of a record (or of changes to one) and which field each stands for."""
    return {_claim_key(fields[field]): field for field in ("username", "email") if fields.get(field)}


def _refuse_taken(claims: Mapping[Key, str], found: Mapping[Key, Stored], user_id: str) -> None:
    for key, field in claims.items():
        if key in found and found[key].data["user_id"] != user_id:
            raise AlreadyExists(f"This {field} is taken.", field=field)


def _admin_writes(user: Stored, listed: Stored | None) -> list[Write]:
    """Keep the list of active admins; raise InvalidState when the last one would leave it."""
    before: list[str] = listed.data["active"] if listed else []
    is_admin = user.data["role"] == Role.ADMIN.value and user.data["is_active"]
    after = [*(one for one in before if one != user.key.id), *([user.key.id] if is_admin else [])]
    if sorted(after) == sorted(before):
        return []
    if not after:
        raise InvalidState("One active admin must remain.", current="last_admin", allowed=[])
    return [Create(_ADMINS, {"active": after}) if listed is None else Put(_ADMINS, {"active": after}, listed.version)]
