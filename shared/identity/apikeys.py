"""API keys: how a program calls without a person's password. A key belongs to a user, ends by itself, and may do less.

The key is shown once. It names its own record, which holds the SHA-256 of the secret half. `key_access` checks it.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.core.caller import Caller, Role
from shared.core.clock import Clock, instant
from shared.core.errors import Forbidden, InvalidState, NotFound, ValidationFailed
from shared.core.ids import Ids
from shared.core.page import PageQuery
from shared.core.text import Text
from shared.identity.access_words import GROUPS
from shared.identity.key_access import KEYS, PREFIX, digest
from shared.identity.models import RoleWord
from shared.ports.documents import Create, Delete, Key, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["ApiKey", "ApiKeyFilter", "ApiKeyMade", "ApiKeys", "NewApiKey", "key_view"]

_MOST_KEYS = 20
_SCOPE = re.compile(r"(\*|[a-z]+):(read|write)")


def _scope(text: str) -> str:
    found = _SCOPE.fullmatch(text)
    if found is None or (found[1] != "*" and found[1] not in GROUPS) or text == "auth:write":
        raise PydanticCustomError("unknown_scope", "A scope is a function's name or *, then :read or :write.")
    return text


class NewApiKey(BaseModel, defer_build=True):
    """A key to be made: at most as powerful as its maker."""

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    role: RoleWord | None = None
    scopes: Annotated[list[Annotated[str, AfterValidator(_scope)]], Field(min_length=1, max_length=30)] = ["*:read"]
    expires_in_days: Annotated[int, Field(ge=1, le=365)] = 90


class ApiKey(BaseModel, defer_build=True):
    """A key as shown: never the secret, only its last four characters."""

    id: str
    name: str
    user_id: str
    role: Role
    scopes: list[str]
    hint: str
    expires_at: datetime
    created_at: datetime
    version: int


class ApiKeyMade(ApiKey):
    """A new key, with the only showing of what a program sends as its Bearer token."""

    key: str


class ApiKeyFilter(PageQuery):
    """Which keys to list; admins may ask for another user's."""

    user_id: Annotated[Text, Field(max_length=64)] | None = None


def key_view(stored: Stored) -> ApiKey:
    """Return a stored key as shown."""
    return ApiKey(id=stored.key.id, **{name: stored.data[name] for name in ApiKey.model_fields if name != "id"})


class ApiKeys:
    """Making and revoking keys."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store, time and ids."""
        self._store, self._clock, self._ids = store, clock, ids

    def create(self, caller: Caller, wanted: NewApiKey) -> ApiKeyMade:
        """Make a key for the caller.

        Raise Forbidden for callers that are no stored user or a key themselves, ValidationFailed for a role above the
        caller's, InvalidState beyond 20 keys.
        """
        _refuse_others(caller)
        if wanted.role is not None and not caller.may(wanted.role):
            raise ValidationFailed.at("/role", "too_high", "A key cannot do more than its maker.")
        if len(self._store.query(Query(KEYS, (("user_id", caller.user_id),), limit=_MOST_KEYS))) >= _MOST_KEYS:
            raise InvalidState("Twenty keys are enough; revoke one first.", current=_MOST_KEYS, allowed=[])
        secret, now = self._ids.token(32), self._clock.now()
        key_id = self._ids.new("key")
        data = {
            "name": wanted.name,
            "user_id": caller.user_id,
            "role": (wanted.role or caller.role or Role.VIEWER).value,
            "scopes": sorted(set(wanted.scopes)),
            "hint": secret[-4:],
            "digest": digest(secret),
            "expires_at": instant(now + timedelta(days=wanted.expires_in_days)),
            "created_at": instant(now),
            "version": 1,
        }
        self._store.write([Create(Key(KEYS, key_id), data)])
        shown = key_view(Stored(Key(KEYS, key_id), data, ""))
        return ApiKeyMade(**shown.model_dump(), key=f"{PREFIX}{key_id.partition('_')[2]}.{secret}")

    def owner(self, caller: Caller, wanted: ApiKeyFilter) -> str:
        """Return whose keys a list shows; raise Forbidden when they are another's and the caller is no admin."""
        if wanted.user_id in {None, caller.user_id}:
            return caller.user_id
        if not caller.may(Role.ADMIN):
            raise Forbidden("Only admins see the keys of others.", needed=Role.ADMIN.value)
        return wanted.user_id or caller.user_id

    def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """End a key of one's own, or anybody's as an admin; raise NotFound (a foreign key is not there)."""
        stored = self._store.get(Key(KEYS, key_id))
        if stored is None or (stored.data["user_id"] != caller.user_id and not caller.may(Role.ADMIN)):
            raise NotFound("There is no such key.", resource="api_key")
        self._store.write([Delete(stored.key, stored.version)])
        return key_view(stored)

    def sweep(self) -> int:
        """Forget keys that ended more than a week ago; return how many."""
        before = instant(self._clock.now() - timedelta(days=7))
        found = self._store.query(Query(KEYS, order_by="expires_at", at_most=before, limit=200))
        gone: list[Write] = [Delete(stored.key) for stored in found]
        if gone:
            self._store.documents.commit(gone)
        return len(gone)


def _refuse_others(caller: Caller) -> None:
    if caller.scheme not in {"bearer", "external"} or caller.scopes is not None or not caller.user_id.strip():
        raise Forbidden("Only users who signed in make keys.", needed="bearer")
