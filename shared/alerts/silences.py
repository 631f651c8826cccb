"""Silences: for a time nobody is told of alerts of a kind, store, product or 3PL. They open and resolve all the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import NotFound, ValidationFailed
from shared.ports.documents import Create, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.alerts.settings_models import NewSilence, SilenceFilter
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.ports.store import Store

__all__ = ["SILENCES", "Silences"]

SILENCES = "alert_silences"
_MOST = timedelta(days=366)


class Silences:
    """The silences of a deployment."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store, time and ids."""
        self._store, self._clock, self._ids = store, clock, ids

    @staticmethod
    def sought(wanted: SilenceFilter) -> Query:
        """Return the document query of a list of silences."""
        return Query(
            SILENCES,
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    def create(self, caller: Caller, wanted: NewSilence) -> Stored:
        """Make a silence; raise ValidationFailed for one about everything, or whose times make no sense."""
        now = self._clock.now()
        start = wanted.starts_at or now
        named = wanted.model_dump(mode="json", include={"alert_types", "store_id", "product_id", "source"})
        if not any(named.values()):
            raise ValidationFailed.at("/alert_types", "required", "Name a kind, a store, a product or a source.")
        if wanted.ends_at <= max(start, now) or wanted.ends_at - start > _MOST:
            raise ValidationFailed.at(
                "/ends_at", "out_of_range", "It ends after it starts, within 366 days, not in the past."
            )
        data = {
            **named,
            "starts_at": instant(start),
            "ends_at": instant(wanted.ends_at),
            "comment": wanted.comment,
            "created_by": caller.user_id,
            "created_at": instant(now),
            "ended_at": None,
            "ended_by": None,
            "version": 1,
        }
        key = Key(SILENCES, self._ids.new("sil"))
        self._store.write([Create(key, data)])
        return Stored(key, data, "")

    def get(self, silence_id: str) -> Stored:
        """Return a silence; raise NotFound."""
        stored = self._store.get(Key(SILENCES, silence_id))
        if stored is None:
            raise _no_such_silence()
        return stored

    def end(self, caller: Caller, silence_id: str, condition: Precondition = NO_CONDITION) -> Stored:
        """End a silence now; one that is over stays as it is. Raise NotFound."""
        key = Key(SILENCES, silence_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise _no_such_silence()
            condition.check(silence_id, stored.data["version"])
            now = instant(self._clock.now())
            if stored.data["ends_at"] <= now:
                return stored, []
            ended = {"ends_at": now, "ended_at": now, "ended_by": caller.user_id}
            after = {**stored.data, **ended, "version": stored.data["version"] + 1}
            return Stored(key, after, stored.version), [Put(key, after, stored.version)]

        return self._store.change([key], decide)

    def in_force(self) -> dict[str, dict[str, Any]]:
        """Return the silences of this moment by id."""
        now = instant(self._clock.now())
        later = self._store.walk(Query(SILENCES, order_by="ends_at", at_least=now))
        return {one.key.id: one.data for one in later if one.data["starts_at"] <= now < one.data["ends_at"]}


def _no_such_silence() -> NotFound:
    return NotFound("No silence has this id.", resource="silence")
