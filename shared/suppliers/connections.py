"""Connections: checked before they are stored, their credentials sealed for their own place and never shown again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from shared.core.clock import Clock, instant, parse_instant
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
from shared.core.values import dataclass
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.secrets import Secrets
from shared.ports.store import Store
from shared.suppliers.models import (
    AdditionalConfig,
    ConnectSupplier,
    Supplier,
    SupplierFilter,
    SupplierPatch,
    SupplierType,
)
from shared.suppliers.port import NEEDS_CONSENT, Opened, Renewal, Source, Unkept
from shared.suppliers.tokens import SharedTokens

__all__ = ["SUPPLIERS", "Connections", "Kinds", "supplier_key"]

SUPPLIERS = "suppliers"
QUOTAS = "supplier_quotas"
_SECRET = ("app_key", "app_secret", "access_token", "refresh_token")
_PLAIN = ("sandbox", "feed_url", "feed_type", "mapping_config", "language", "ship_to_country", "currency")
_PLAIN_OF_CALLS = ("token_param", "system_base", "tracking_method")
_FEED = "feed_url"
_NEEDED = {SupplierType.ALIEXPRESS: ("api_key", "app_key", "app_secret"), SupplierType.BIGBUY: ("api_key",)}
_INPUTS = ("name", "status", "auto_sync_stock")
_VOLATILE = ("last_sync", "last_sync_status", "products_count", "last_error", "needs")
_WORKS = {"status": "connected", "last_error": None}
_CONSENTED = {"needs": None, "consent_by": None}
Data = dict[str, Any]


def supplier_key(supplier_id: str) -> Key:
    """Return where a connection lies."""
    return Key(SUPPLIERS, supplier_id)


def _place(supplier_id: str) -> str:
    return f"supplier-credential:{supplier_id}"


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of suppliers: what opens a connection, and the credentials that the environment holds, by kind.

    `attend(id, name, needs)` tells people what a connection needs, None: nothing any more; in the commit that says so.
    """

    open: Callable[[str, Opened], Source]
    defaults: Mapping[str, Mapping[str, str]]
    attend: Callable[[str, str, str | None], None]


class Connections:
    """The connections of this deployment."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, *, secrets: Callable[[], Secrets], kinds: Kinds) -> None:
        """Take the store, time, ids, the sealing, and what is known of the kinds of suppliers."""
        self._store, self._clock, self._ids = store, clock, ids
        self._secrets, self._opener, self._defaults = secrets, kinds.open, kinds.defaults
        self._attend = kinds.attend

    def connect(self, wanted: ConnectSupplier, granted: Renewal | None = None, also: Sequence[Write] = ()) -> Stored:
        """Check credentials with the supplier and store the connection, together with `also`.

        Tokens that a user's consent was worth (`granted`) stand for the key. Raise ValidationFailed for missing credentials,
        CredentialsRejected, UpstreamFailed or UrlNotAllowed; nothing is stored then.
        """
        supplier_id = self._ids.new("sup")
        kind = wanted.supplier_type
        told = wanted.additional_config.model_dump(exclude_none=True)
        key = granted.tokens["api_key"] if granted else wanted.api_key
        secrets = {**self._given(kind, key, told), **(granted.tokens if granted else {})}
        config = _config(told)
        if kind is SupplierType.FEED and not config.get("feed_url"):
            raise ValidationFailed.at("/additional_config/feed_url", "missing", "A feed supplier needs its address.")
        secrets = self._checked(kind.value, secrets, config)
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
            **_CONSENTED,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        self._store.write([Create(supplier_key(supplier_id), data), *also])
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
        shown["needs"] = data.get("needs")
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
        return self._attended(supplier_id, lambda present: self._agreed(stored, present, changes))

    def delete(self, supplier_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Forget a connection and its credentials; its products stay."""
        stored = self.get(supplier_id)
        condition.check(supplier_id, stored.data["version"])
        self._store.write([Delete(stored.key, stored.version), Delete(Key(QUOTAS, supplier_id))])
        if stored.data.get("needs"):
            self._attend(supplier_id, stored.data["name"], None)

    def source(self, stored: Stored) -> Source:
        """Open a connection; raise InvalidState when it is disabled."""
        if stored.data["status"] == "disabled":
            raise InvalidState("This supplier is disabled.", current="disabled", allowed=["connected"])
        return self._opener(stored.data["supplier_type"], self.opened(stored))

    def application(self, told: AdditionalConfig) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """Return the keys of an AliExpress application, given or of the environment; raise ValidationFailed without them."""
        given = told.model_dump(exclude_none=True)
        return self._given(SupplierType.ALIEXPRESS, "granted later", given), _config(given)

    def grant(self, supplier_id: str, granted: Renewal, also: Sequence[Write] = ()) -> Stored:
        """Store the tokens of a user's new consent, together with `also`, once the supplier has taken them.

        Raise NotFound, CredentialsRejected, UpstreamFailed; nothing is stored then.
        """
        stored = self.get(supplier_id)
        opened = self.opened(stored)
        secrets = {**opened.secrets, **granted.tokens}
        secrets = self._checked(stored.data["supplier_type"], secrets, opened.config)
        fresh = {**_WORKS, **_CONSENTED, **self._kept(supplier_id, secrets, opened.config)}
        fresh["credential_hint"] = _hint(secrets)

        def written() -> Stored:
            self._store.write(also)
            return self._attended(supplier_id, lambda _: fresh)

        return self._store.atomically(written)

    def kept_tokens(self, supplier_id: str) -> Mapping[str, str]:
        """Return the tokens as they are kept now."""
        return self.opened(self.get(supplier_id)).secrets

    def keep_tokens(self, supplier_id: str, renewal: Renewal) -> None:
        """Seal renewed tokens in place of the old ones; tokens that are the last ask for the user's consent in time."""
        by = renewal.tokens.get("ends_at", instant(self._clock.now()))
        asked = {"needs": "consent", "consent_by": by} if renewal.is_last else _CONSENTED

        def changes(present: Stored) -> Data:
            secrets = json.loads(self._secrets().open(present.data["sealed"], place=_place(supplier_id)))
            secrets = {**secrets, **renewal.tokens}
            sealed = self._secrets().seal(json.dumps(secrets).encode(), place=_place(supplier_id))
            return {"sealed": sealed, "credential_hint": _hint(secrets), **asked}

        self._attended(supplier_id, changes, counted=False)

    def consent_needed(self, supplier_id: str, reason: str) -> None:
        """Say that only the user's new consent helps; while the present token is good the connection goes on working."""

        def changes(present: Stored) -> Data:
            ends_at = self.opened(present).secrets.get("ends_at")
            if ends_at is not None and parse_instant(ends_at) > self._clock.now():
                return {"needs": "consent", "consent_by": ends_at}
            return {"needs": "consent", "status": _failing(present), "last_error": reason[:300]}

        self._attended(supplier_id, changes, counted=False)

    def works(self, supplier_id: str) -> None:
        """Take back what a connection was said to need, now that the supplier has answered; a token's end stays foreseen."""

        def changes(present: Stored) -> Data:
            return {} if present.data.get("consent_by") else {"needs": None}

        self._attended(supplier_id, changes, counted=False)

    def _attended(self, supplier_id: str, changes: Callable[[Stored], Data], *, counted: bool = True) -> Stored:
        """Apply changes and tell people what the connection needs from then on, as one."""

        def applied() -> Stored:
            before = self.get(supplier_id).data.get("needs")
            after = self.change(supplier_id, changes, counted=counted)
            if after.data.get("needs") != before:
                self._attend(supplier_id, after.data["name"], after.data.get("needs"))
            return after

        return self._store.atomically(applied)

    def change(self, supplier_id: str, changes: Callable[[Stored], Data], *, counted: bool = True) -> Stored:
        """Apply changes to the present document; `counted` raises its version."""
        key = supplier_key(supplier_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise NotFound("No supplier has this id.", resource="supplier")
            wanted = {name: value for name, value in changes(stored).items() if stored.data.get(name) != value}
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
        source = self.source(self.get(supplier_id))
        try:
            source.check()
        except (Terminal, Transient) as trouble:
            told = {"status": "error", "last_error": str(trouble.detail)[:300]}
            told |= {"needs": "credentials"} if trouble.code == "credentials_rejected" else {}
            self._attended(supplier_id, lambda _: told, counted=False)
            return str(trouble.detail)
        finally:
            self.noted(supplier_id, source)
        self.change(supplier_id, lambda _: _WORKS, counted=False)
        self.works(supplier_id)
        return None

    def noted(self, supplier_id: str, source: Source) -> None:
        """Keep what the supplier said of its quota, if it said anything."""
        told, key = source.allowance(), Key(QUOTAS, supplier_id)
        if told is not None:
            self._store.write([Put(key, dict(told))])

    def rate_limit(self, supplier_id: str) -> Data | None:
        """Return what the supplier last said of its quota; None once that has begun anew, or when it said nothing."""
        stored = self._store.get(Key(QUOTAS, supplier_id))
        over = stored is None or parse_instant(stored.data["resets_at"]) <= self._clock.now()
        return None if stored is None or over else stored.data

    def opened(self, stored: Stored) -> Opened:
        """Return a connection unsealed, with what keeps its tokens."""
        sealed = self._secrets().open(stored.data["sealed"], place=_place(stored.key.id))
        secrets, config = json.loads(sealed), json.loads(stored.data["config"])
        config |= {name: secrets.pop(name) for name in (_FEED,) if name in secrets}
        tokens = SharedTokens(self._store, self._clock, self._ids, self, stored.key.id)
        return Opened(stored.key.id, secrets, config, tokens)

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
        opened = self.opened(stored)
        secrets = {**opened.secrets, **{name: told[name] for name in _SECRET if name in told}}
        token = secrets.pop("access_token", None)
        key = patch.api_key if patch.api_key is not None else token
        if key is not None and key != opened.secrets.get("api_key"):
            secrets |= {"api_key": key}
            secrets.pop("ends_at", None)
        if told.get(_FEED) == json.loads(stored.data["config"]).get(_FEED):
            told.pop(_FEED, None)  # as it was shown: nothing new
        config = {**opened.config, **_config(told)}
        secrets = self._checked(stored.data["supplier_type"], secrets, config)
        kept = self._kept(stored.key.id, secrets, config)
        fresh = {**kept, "credential_hint": _hint(secrets), **_CONSENTED}
        return {**_WORKS, **fresh, **changes}

    def _agreed(self, read: Stored, present: Stored, changes: Data) -> Data:
        """Refuse when the connection was changed while its new credentials were being checked."""
        if "sealed" in changes and present.data["version"] != read.data["version"]:
            detail = "The connection was changed meanwhile; read it again."
            raise InvalidState(detail, current=present.data["version"], allowed=[read.data["version"]])
        return changes

    def _checked(self, kind: str, secrets: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, str]:
        """Return credentials that the supplier has taken, with the tokens that were renewed for it."""
        trial = Unkept()
        try:
            self._opener(kind, Opened("", secrets, config, trial)).check()
        except Terminal as refused:
            if refused.code in {"credentials_rejected", NEEDS_CONSENT}:
                raise CredentialsRejected("The supplier refused these credentials.") from None
            if refused.code == "bad_header":
                raise CredentialsRejected("No supplier takes these credentials: they cannot be sent.") from None
            if refused.code == "url_not_allowed":
                raise UrlNotAllowed(refused.detail) from None
            raise UpstreamFailed(f"The supplier cannot be used: {refused.detail}"[:300]) from None
        except Transient as trouble:
            raise UpstreamFailed(f"The supplier does not answer as it should: {trouble.detail}"[:300]) from None
        return {**secrets, **trial.fresh}

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
    return {name: told[name] for name in (*_PLAIN, *_PLAIN_OF_CALLS) if name in told}


def _shown(address: str) -> str:
    """Return the address of a feed without what may be secret in it: user, password and query."""
    parts = urlsplit(address)
    query = "***" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _hint(secrets: Mapping[str, str]) -> str | None:
    key = secrets.get("api_key")
    return key[-4:] if key else None


def _failing(present: Stored) -> str:
    """Return the status of a connection that does not work; one that is disabled stays so."""
    status: str = present.data["status"]
    return status if status == "disabled" else "error"
