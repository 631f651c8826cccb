"""What operators write to each other about stuck orders; an order or SKU need not exist to be written about."""

from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import Clock, instant
from shared.core.errors import Forbidden, NotFound
from shared.core.ids import Ids
from shared.oos.desk_models import CommentFilter, NewComment
from shared.ports.documents import Create, Delete, Key, Query, Stored
from shared.ports.store import Store

__all__ = ["CommentService"]

COMMENTS = "comments"
_SHOWN = ("source", "order_id", "sku", "facility", "comment", "author", "created_at")


class CommentService:
    """Comments."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store, time and ids."""
        self._store, self._clock, self._ids = store, clock, ids

    def add(self, caller: Caller, wanted: NewComment) -> dict[str, Any]:
        """Keep a comment of the caller's."""
        key = Key(COMMENTS, self._ids.new("cmt"))
        data = wanted.model_dump(mode="json") | {"author": caller.user_id, "created_at": instant(self._clock.now())}
        self._store.write([Create(key, data)])
        return self.view(Stored(key, data, ""))

    def remove(self, caller: Caller, comment_id: str) -> None:
        """Remove a comment; raise NotFound, or Forbidden for another's below manager."""
        stored = self._store.get(Key(COMMENTS, comment_id))
        if stored is None:
            raise NotFound("No comment has this id.", resource="comment")
        if stored.data["author"] != caller.user_id and not caller.may(Role.MANAGER):
            raise Forbidden("Only its author or a manager removes a comment.", needed=Role.MANAGER.value)
        self._store.write([Delete(stored.key, stored.version)])

    @staticmethod
    def query(wanted: CommentFilter) -> Query:
        """Return the document query behind the list."""
        given = {"order_id": wanted.order_id, "sku": wanted.sku, "source": wanted.source}
        equals = [(name, str(value)) for name, value in given.items() if value is not None]
        return Query(
            COMMENTS,
            tuple(equals),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    @staticmethod
    def view(stored: Stored) -> dict[str, Any]:
        """Return a comment as shown."""
        return {"id": stored.key.id, **{name: stored.data[name] for name in _SHOWN}}
