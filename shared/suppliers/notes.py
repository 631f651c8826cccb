"""What a sync puts down on its way: beside its job, so that the job's cursor stays small however many products there are."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.core.clock import Clock, instant
from shared.core.errors import Terminal
from shared.core.values import dataclass
from shared.ports.documents import Delete, Key, Put, Write
from shared.ports.store import Store

__all__ = ["WALKS", "WalkNotes", "packed"]

WALKS = "supplier_walks"
_KEPT = timedelta(days=40)  # longer than a failed job, whose retry goes on at its cursor
_MOST_BYTES = 600_000
_AT_ONCE = 100


@dataclass(frozen=True)
class WalkNotes:
    """The notes of one walk, which a retry of its job reads on."""

    store: Store
    clock: Clock
    walk_id: str

    def read(self, names: Sequence[str]) -> dict[str, Any]:
        """Return notes by name; raise Terminal when one is missing."""
        found = self.store.get_many([self._key(name) for name in names])
        missing = [name for name in names if self._key(name) not in found]
        if missing:
            raise Terminal("notes_gone", f"What this sync had read before is gone ({missing[0]}); start it anew.")
        return {name: json.loads(found[self._key(name)].data["content"]) for name in names}

    def writes(self, notes: Mapping[str, Any]) -> list[Write]:
        """Return the writes that put notes down; doing so twice leaves the same."""
        until = instant(self.clock.now() + _KEPT)
        return [Put(self._key(name), {"content": _text(told), "expires_at": until}) for name, told in notes.items()]

    def drop(self, names: Sequence[str]) -> None:
        """Forget notes that nobody reads any more."""
        for begin in range(0, len(names), _AT_ONCE):
            self.store.write([Delete(self._key(name)) for name in names[begin : begin + _AT_ONCE]])

    def _key(self, name: str) -> Key:
        return Key(WALKS, f"{self.walk_id}.{name}")


def packed(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Part rows into lists that a note can hold."""
    some: list[Any] = []
    size = 0
    for row in rows:
        length = len(_text(row))
        if some and size + length > _MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(row)
        size += length + 1
    if some:
        yield some


def _text(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
