"""Consent of a user at the supplier: asked for with a state that is good once, answered with a code that is worth tokens.

The state is known to the one who asked and to the supplier's page only; what is kept of it is its digest.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol

from shared.core.caller import Caller
from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import CredentialsRejected, InvalidState, Terminal, Transient, UpstreamFailed, ValidationFailed
from shared.core.ids import Ids
from shared.core.values import dataclass
from shared.ports.documents import Create, Delete, Key, Stored
from shared.ports.secrets import Secrets
from shared.ports.store import Store
from shared.suppliers.connections import Connections
from shared.suppliers.models import ConnectSupplier, Consent, ConsentAnswer, NewConsent, SupplierType
from shared.suppliers.port import Renewal

__all__ = ["CONSENTS", "Consents"]

CONSENTS = "supplier_consents"
_GOOD_FOR = timedelta(minutes=15)


class Page(Protocol):
    """The supplier's page on which a user consents."""

    def url(self, secrets: Mapping[str, str], redirect_uri: str, state: str) -> str:
        """Return where the user is sent."""
        ...

    def exchange(self, secrets: Mapping[str, str], config: Mapping[str, Any], code: str) -> Renewal:
        """Return the tokens for a code; raise Terminal or Transient."""
        ...


@dataclass(frozen=True)
class Consents:
    """Asking for consent and taking it up."""

    store: Store
    clock: Clock
    ids: Ids
    connections: Connections
    secrets: Callable[[], Secrets]
    page: Callable[[], Page]

    def begin(self, caller: Caller, wanted: NewConsent) -> Consent:
        """Return where to send the user; raise NotFound for the connection, ValidationFailed for missing application keys."""
        secrets, _ = self._application(wanted)
        state = self.ids.token()
        expires_at = self.clock.now() + _GOOD_FOR
        key = _key(state)
        sealed = self.secrets().seal(wanted.model_dump_json().encode(), place=_place(key))
        self.store.write(
            [Create(key, {"user_id": caller.user_id, "sealed": sealed, "expires_at": instant(expires_at)})]
        )
        url = self.page().url(secrets, wanted.redirect_uri, state)
        return Consent(state=state, authorize_url=url, redirect_uri=wanted.redirect_uri, expires_at=expires_at)

    def complete(self, caller: Caller, told: ConsentAnswer) -> tuple[Stored, bool]:
        """Exchange the code and store the tokens; return the connection, and whether it is new.

        Raise ValidationFailed for a state that is not this caller's, used or over, CredentialsRejected when the supplier
        refuses the code, UpstreamFailed when it does not answer; nothing is stored then, and the state stays good.
        """
        asked = self._asked(caller, told.state)
        wanted = NewConsent.model_validate_json(self.secrets().open(asked.data["sealed"], place=_place(asked.key)))
        secrets, config = self._application(wanted)
        granted = self._granted(secrets, config, told.code)
        used = [Delete(asked.key, asked.version)]
        if wanted.supplier_id is not None:
            return self.connections.grant(wanted.supplier_id, granted, used), False
        new = ConnectSupplier(
            supplier_type=SupplierType.ALIEXPRESS,
            name=wanted.name,
            additional_config=wanted.additional_config,
            auto_sync_stock=wanted.auto_sync_stock,
        )
        return self.connections.connect(new, granted, used), True

    def _asked(self, caller: Caller, state: str) -> Stored:
        stored = self.store.get(_key(state))
        good = (
            stored is not None
            and stored.data["user_id"] == caller.user_id
            and parse_instant(stored.data["expires_at"]) > self.clock.now()
        )
        if stored is None or not good:
            raise ValidationFailed.at("/state", "unknown_state", "No consent of yours waits for this state.")
        return stored

    def _application(self, wanted: NewConsent) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """Return the keys of the application, and the configuration."""
        if wanted.supplier_id is None:
            return self.connections.application(wanted.additional_config)
        stored = self.connections.get(wanted.supplier_id)
        if stored.data["supplier_type"] != SupplierType.ALIEXPRESS.value:
            kind = stored.data["supplier_type"]
            raise InvalidState("This kind of supplier asks nobody for consent.", current=kind, allowed=["aliexpress"])
        opened = self.connections.opened(stored)
        return opened.secrets, opened.config

    def _granted(self, secrets: Mapping[str, str], config: Mapping[str, Any], code: str) -> Renewal:
        try:
            return self.page().exchange(secrets, config, code)
        except Terminal as refused:
            raise CredentialsRejected(f"The supplier refused the code: {refused.detail}"[:300]) from None
        except Transient as trouble:
            raise UpstreamFailed(f"The supplier does not answer as it should: {trouble.detail}"[:300]) from None


def _key(state: str) -> Key:
    return Key(CONSENTS, sha256(state.encode()).hexdigest())


def _place(key: Key) -> str:
    return f"supplier-consent:{key.id}"
