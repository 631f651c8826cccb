"""The tokens of a stored connection: renewed by one worker at a time, the others wait for what it brings."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Terminal, Transient
from shared.core.ids import Ids
from shared.core.values import dataclass
from shared.ports.documents import Create, Delete, Key, Put, Stored, Write
from shared.ports.store import Store
from shared.suppliers.port import NEEDS_CONSENT, Renewal

__all__ = ["SharedTokens"]

RENEWALS = "supplier_renewals"
_LEASE = timedelta(seconds=60)  # longer than a call may take
_PATIENCE_S = 20.0
_PAUSE_S = 0.5


class Keeper(Protocol):
    """What keeps the sealed tokens of connections."""

    def kept_tokens(self, supplier_id: str) -> Mapping[str, str]:
        """Return the tokens as they are kept now."""
        ...

    def keep_tokens(self, supplier_id: str, renewal: Renewal) -> None:
        """Seal renewed tokens in place of the old ones."""
        ...

    def consent_needed(self, supplier_id: str, reason: str) -> None:
        """Say that only the user can go on."""
        ...


@dataclass(frozen=True)
class SharedTokens:
    """The tokens of one connection, for every worker that uses it."""

    store: Store
    clock: Clock
    ids: Ids
    keeper: Keeper
    supplier_id: str

    def renewed(self, used: str, renew: Callable[[], Renewal]) -> Mapping[str, str]:
        """Return tokens other than `used`; raise Transient when another worker takes too long to bring them."""
        holder, until = self.ids.new("lse"), self.clock.monotonic() + _PATIENCE_S
        while True:
            kept = self._others(used)
            if kept is not None:
                return kept
            if self._taken(holder):
                break
            if self.clock.monotonic() >= until:
                raise Transient(
                    "token_renewal", "Another worker is renewing the token of this connection.", wait_s=30.0
                )
            self.clock.sleep(_PAUSE_S)
        try:
            return self._others(used) or self._brought(used, renew)
        finally:
            self._released(holder)

    def _brought(self, used: str, renew: Callable[[], Renewal]) -> Mapping[str, str]:
        try:
            renewal = renew()
        except Terminal as refused:
            kept = self._others(used)  # brought by a worker whose lease had ended before it was done
            if kept is not None:
                return kept
            if refused.code == NEEDS_CONSENT:
                self.keeper.consent_needed(self.supplier_id, refused.detail)
            raise
        self.keeper.keep_tokens(self.supplier_id, renewal)
        return renewal.tokens

    def _others(self, used: str) -> Mapping[str, str] | None:
        """Return the kept tokens when they are not those that were used."""
        kept = self.keeper.kept_tokens(self.supplier_id)
        return kept if kept.get("api_key", used) != used else None

    def _taken(self, holder: str) -> bool:
        key, now = Key(RENEWALS, self.supplier_id), self.clock.now()
        lease = {"holder": holder, "until": instant(now + _LEASE)}

        def decide(found: Mapping[Key, Stored]) -> tuple[bool, list[Write]]:
            stored = found.get(key)
            if stored is None:
                return True, [Create(key, lease)]
            if parse_instant(stored.data["until"]) > now:
                return False, []
            return True, [Put(key, lease, stored.version)]

        return self.store.change([key], decide)

    def _released(self, holder: str) -> None:
        key = Key(RENEWALS, self.supplier_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Any]]:
            stored = found.get(key)
            ours = stored is not None and stored.data["holder"] == holder
            return None, [Delete(key, stored.version)] if ours and stored is not None else []

        self.store.change([key], decide)
