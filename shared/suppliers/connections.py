"""Connections: checked before they are stored, their credentials sealed for their own place and never shown again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import (
    CredentialsRejected,
    InvalidState,
    NotFound,
    Terminal,
    Transient,
    UpstreamFailed,
    UrlNotAllowed,
    ValidationFailed,
)
from shared.core.ids import Ids
from shared.core.patches import changes_of
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.secrets import Secrets
from shared.ports.store import Store
from shared.suppliers.models import ConnectSupplier, Supplier, SupplierFilter, SupplierPatch, SupplierType
from shared.suppliers.port import Opened, Source

__all__ = ["SUPPLIERS", "Connections", "Kinds", "supplier_key"]

SUPPLIERS = "suppliers"
_SECRET = ("app_key", "app_secret", "access_token", "refresh_token")
_PLAIN = ("sandbox", "feed_url", "feed_type", "mapping_config")
_FEED = "feed_url"
_NEEDED = {SupplierType.ALIEXPRESS: ("api_key", "app_key", "app_secret"), SupplierType.BIGBUY: ("api_key",)}
_INPUTS = ("name", "status", "auto_sync_stock")
_VOLATILE = ("last_sync", "last_sync_status", "products_count", "last_error")
Data = dict[str, Any]


def supplier_key(supplier_id: str) -> Key:
    """Return where a connection lies."""
    return Key(SUPPLIERS, supplier_id)


def _place(supplier_id: str) -> str:
    return f"supplier-credential:{supplier_id}"


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of suppliers: what opens a connection, and the credentials that the environment holds, by kind."""

    open: Callable[[str, Opened], Source]
    defaults: Mapping[str, Mapping[str, str]]


class Connections:
    """The connections of this deployment."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, *, secrets: Callable[[], Secrets], kinds: Kinds) -> None:
        """Take the store, time, ids, the sealing, and what is known of the kinds of suppliers."""
        self._store, self._clock, self._ids = store, clock, ids
        self._secrets, self._opener, self._defaults = secrets, kinds.open, kinds.defaults

    def connect(self, wanted: ConnectSupplier) -> Stored:
        """Check credentials with the supplier and store the connection.

        Raise ValidationFailed for missing credentials, CredentialsRejected, UpstreamFailed or UrlNotAllowed; nothing is
        stored then.
        """
        supplier_id = self._ids.new("sup")
        kind = wanted.supplier_type
        secrets = self._given(kind, wanted.api_key, wanted.additional_config.model_dump(exclude_none=True))
        config = _config(wanted.additional_config.model_dump(exclude_none=True))
        if kind is SupplierType.FEED and not config.get("feed_url"):
            raise ValidationFailed.at("/additional_config/feed_url", "missing", "A feed supplier needs its address.")
        self._check(kind.value, Opened(supplier_id, secrets, config))
        now = instant(self._clock.now())
        data: Data = {
            "supplier_type": kind.value,
            "name": wanted.name or kind.value.capitalize(),
            "status": "connected",
            "credential_hint": _hint(secrets),
            **self._kept(supplier_id, secrets, config),
            "auto_sync_stock": wanted.auto_sync_stock,
            "last_sync": None,
            "last_sync_status": None,
            "last_error": None,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        self._store.write([Create(supplier_key(supplier_id), data)])
        return Stored(supplier_key(supplier_id), data, "")

    def get(self, supplier_id: str) -> Stored:
        """Return a connection; raise NotFound."""
        stored = self._store.get(supplier_key(supplier_id))
        if stored is None:
            raise NotFound("No supplier has this id.", resource="supplier")
        return stored

    def view(self, stored: Stored) -> Supplier:
        """Return a connection as shown."""
        data = stored.data
        shown = {name: data[name] for name in Supplier.model_fields if name in data and name != "config"}
        count = self._store.count(Query("supplier_links", (("supplier_id", stored.key.id),)))
        return Supplier(id=stored.key.id, config=json.loads(data["config"]), products_count=count, **shown)

    @staticmethod
    def sought(wanted: SupplierFilter) -> Query:
        """Return the document query of a list of connections."""
        given = {"supplier_type": wanted.supplier_type, "status": wanted.status}
        named = {name: tuple(dict.fromkeys(str(value) for value in values)) for name, values in given.items() if values}
        return Query(
            SUPPLIERS,
            tuple((name, values[0] if len(values) == 1 else values) for name, values in named.items()),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    def connected(self) -> list[Stored]:
        """Return every connection that is not disabled."""
        return [one for one in self._store.walk(Query(SUPPLIERS)) if one.data["status"] != "disabled"]

    def update(self, supplier_id: str, patch: SupplierPatch, condition: Precondition = NO_CONDITION) -> Stored:
        """Change a connection; new credentials are checked with the supplier first."""
        stored = self.get(supplier_id)
        condition.check(supplier_id, stored.data["version"], patch.version)
        changes = self._changes(stored, patch)
        return self.change(supplier_id, lambda present: self._agreed(stored, present, changes))

    def delete(self, supplier_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Forget a connection and its credentials; its products stay."""
        stored = self.get(supplier_id)
        condition.check(supplier_id, stored.data["version"])
        self._store.write([Delete(stored.key, stored.version)])

    def source(self, stored: Stored) -> Source:
        """Open a connection; raise InvalidState when it is disabled."""
        if stored.data["status"] == "disabled":
            raise InvalidState("This supplier is disabled.", current="disabled", allowed=["connected"])
        return self._opener(stored.data["supplier_type"], self._opened(stored))

    def kept_tokens(self, supplier_id: str) -> Mapping[str, str]:
        """Return the tokens as they are kept now; none for a connection that is being made."""
        stored = self._store.get(supplier_key(supplier_id))
        return self._opened(stored).secrets if stored is not None else {}

    def keep_tokens(self, supplier_id: str, tokens: Mapping[str, str]) -> None:
        """Seal renewed tokens in place of the old ones."""

        def changes(present: Stored) -> Data:
            secrets = {**json.loads(self._secrets().open(present.data["sealed"], place=_place(supplier_id))), **tokens}
            return {"sealed": self._secrets().seal(json.dumps(secrets).encode(), place=_place(supplier_id))}

        self.change(supplier_id, changes, counted=False)

    def change(self, supplier_id: str, changes: Callable[[Stored], Data], *, counted: bool = True) -> Stored:
        """Apply changes to the present document; `counted` raises its version."""
        key = supplier_key(supplier_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise NotFound("No supplier has this id.", resource="supplier")
            wanted = {name: value for name, value in changes(stored).items() if stored.data[name] != value}
            if not wanted:
                return stored, []
            stamps = (
                {"version": stored.data["version"] + 1, "updated_at": instant(self._clock.now())} if counted else {}
            )
            after = {**stored.data, **wanted, **stamps}
            return replace(stored, data=after), [Put(key, after, stored.version)]

        return self._store.change([key], decide)

    def check(self, supplier_id: str) -> str | None:
        """Ask the supplier whether it works; return what is wrong, None when nothing is. The status follows."""
        stored = self.get(supplier_id)
        try:
            self.source(stored).check()
        except (Terminal, Transient) as trouble:
            wrong = {"status": "error", "last_error": str(trouble.detail)[:300]}
            self.change(supplier_id, lambda _: wrong, counted=False)
            return str(trouble.detail)
        self.change(supplier_id, lambda _: {"status": "connected", "last_error": None}, counted=False)
        return None

    def _opened(self, stored: Stored) -> Opened:
        sealed = self._secrets().open(stored.data["sealed"], place=_place(stored.key.id))
        secrets, config = json.loads(sealed), json.loads(stored.data["config"])
        config |= {name: secrets.pop(name) for name in (_FEED,) if name in secrets}
        return Opened(stored.key.id, secrets, config)

    def _kept(self, supplier_id: str, secrets: Mapping[str, str], config: Mapping[str, Any]) -> Data:
        """Return what is stored of credentials and configuration: the address of a feed, which may hold a token, is sealed."""
        address = config.get(_FEED)
        if address:
            secrets, config = {**secrets, _FEED: address}, {**config, _FEED: _shown(address)}
        sealed = self._secrets().seal(json.dumps(secrets).encode(), place=_place(supplier_id))
        return {"sealed": sealed, "config": json.dumps(config)}

    def _changes(self, stored: Stored, patch: SupplierPatch) -> Data:
        given = patch.model_dump(mode="json", exclude_unset=True, exclude={"api_key", "additional_config"})
        shown = self.view(stored).model_dump(mode="json")
        changes = changes_of(given, shown, inputs=_INPUTS, required=_INPUTS, volatile=_VOLATILE)
        if changes.get("status") == "error":
            raise ValidationFailed.at("/status", "not_allowed", "A connection is made connected or disabled.")
        told = patch.additional_config.model_dump(exclude_none=True) if patch.additional_config else {}
        if patch.api_key is None and not told:
            return changes
        opened = self._opened(stored)
        secrets = {**opened.secrets, **{name: told[name] for name in _SECRET if name in told}}
        secrets |= {"api_key": patch.api_key} if patch.api_key is not None else {}
        if told.get(_FEED) == json.loads(stored.data["config"]).get(_FEED):
            told.pop(_FEED, None)  # as it was shown: nothing new
        config = {**opened.config, **_config(told)}
        self._check(stored.data["supplier_type"], Opened(stored.key.id, secrets, config))
        kept = self._kept(stored.key.id, secrets, config)
        fresh = {**kept, "credential_hint": _hint(secrets), "last_error": None}
        return {"status": "connected", **fresh, **changes}

    def _agreed(self, read: Stored, present: Stored, changes: Data) -> Data:
        """Refuse when the connection was changed while its new credentials were being checked."""
        if "sealed" in changes and present.data["version"] != read.data["version"]:
            detail = "The connection was changed meanwhile; read it again."
            raise InvalidState(detail, current=present.data["version"], allowed=[read.data["version"]])
        return changes

    def _check(self, kind: str, opened: Opened) -> None:
        try:
            self._opener(kind, opened).check()
        except Terminal as refused:
            if refused.code == "credentials_rejected":
                raise CredentialsRejected("The supplier refused these credentials.") from None
            if refused.code == "url_not_allowed":
                raise UrlNotAllowed(refused.detail) from None
            raise UpstreamFailed(f"The supplier cannot be used: {refused.detail}"[:300]) from None
        except Transient as trouble:
            raise UpstreamFailed(f"The supplier does not answer as it should: {trouble.detail}"[:300]) from None

    def _given(self, kind: SupplierType, api_key: str | None, told: Mapping[str, Any]) -> dict[str, str]:
        given = {name: str(told[name]) for name in _SECRET if name in told}
        if "access_token" in given:
            given["api_key"] = given.pop("access_token")
        given |= {"api_key": api_key} if api_key is not None else {}
        secrets = {**self._defaults.get(kind.value, {}), **given}
        for name in _NEEDED.get(kind, ()):
            if not secrets.get(name):
                pointer = "/api_key" if name == "api_key" else f"/additional_config/{name}"
                raise ValidationFailed.at(pointer, "missing", "This kind of supplier needs it.")
        return secrets


def _config(told: Mapping[str, Any]) -> Data:
    return {name: told[name] for name in _PLAIN if name in told}


def _shown(address: str) -> str:
    """Return the address of a feed without what may be secret in it: user, password and query."""
    parts = urlsplit(address)
    query = "***" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _hint(secrets: Mapping[str, str]) -> str | None:
    key = secrets.get("api_key")
    return key[-4:] if key else None
