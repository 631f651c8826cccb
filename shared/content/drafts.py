"""Drafts: made by jobs, decided on by people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shared.catalog.record import attributes_of
from shared.content.limits import FIELDS, bounded
from shared.content.models import ApplyDraft, DraftFilter, DraftStatus
from shared.content.templates import LABEL
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import BaseMoved, InvalidState, NotFound, ValidationFailed
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from shared.ports.text import Asked, Text

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.ports.store import Store

__all__ = ["DRAFTS", "Drafts", "Products", "Wanted", "stored_name", "texts_of"]

DRAFTS = "content_drafts"
Data = dict[str, Any]


class Products(Protocol):
    """What content needs of the catalogue."""

    def get(self, product_id: str) -> Stored:
        """Return a product's document; raise NotFound."""
        ...

    def apply(self, caller: Caller, stored: Stored, changes: Mapping[str, Any], *, reason: str | None = None) -> Stored:
        """Write changes of stored fields."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A draft to be written."""

    product_id: str
    kind: str
    fields: Sequence[str]
    language: str
    tone: str
    keywords: Sequence[str] = ()


def stored_name(field: str) -> str:
    """Return how the catalogue stores a text."""
    return "name" if field == "title" else field


def texts_of(product: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str | None]:
    """Return what a product says now."""
    return {name: product.get(stored_name(name)) for name in FIELDS if name in fields}


class Drafts:
    """Writing drafts and deciding on them."""

    def __init__(self, store: Store, clock: Clock, products: Products, writer: Callable[[], Text]) -> None:
        """Take the store, time, the catalogue, and who writes."""
        self._store, self._clock, self._products, self._writer = store, clock, products, writer

    def written(self, wanted: Wanted, draft_id: str, job_id: str) -> tuple[Sequence[Write], int]:
        """Write a draft; return the documents to commit and the tokens it cost.

        Raise NotFound for a product that is gone, Transient or Terminal of the writer.
        """
        product, writer = self._products.get(wanted.product_id), self._writer()
        made = writer.write(Asked(wanted.fields, _facts(product), wanted.language, wanted.tone, wanted.keywords))
        fields, notes = bounded(made, by_model=writer.name != "template")
        now = instant(self._clock.now())
        data = {
            "product_id": wanted.product_id,
            "product_version": product.data["version"],
            "kind": wanted.kind,
            "language": wanted.language,
            "tone": wanted.tone,
            "fields": fields,
            "current": texts_of(product.data, list(fields)),
            "writer": writer.name,
            "label": LABEL if writer.name == "template" else None,
            "notes": notes,
            "status": DraftStatus.PENDING.value,
            "job_id": job_id,
            "tokens": made.tokens,
            "created_at": now,
            "decided_at": None,
            "decided_by": None,
            "version": 1,
        }
        older: list[Write] = [
            Put(stored.key, _decided(stored, DraftStatus.SUPERSEDED, "system", now), stored.version)
            for stored in self._pending(wanted.product_id, wanted.kind)
            if stored.key.id != draft_id
        ]
        return [*older, Create(Key(DRAFTS, draft_id), data)], made.tokens

    def has(self, draft_id: str) -> bool:
        """Say whether a draft was written already."""
        return self._store.get(Key(DRAFTS, draft_id)) is not None

    def get(self, draft_id: str) -> Stored:
        """Return a draft; raise NotFound."""
        stored = self._store.get(Key(DRAFTS, draft_id))
        if stored is None:
            raise NotFound("No draft has this id.", resource="draft")
        return stored

    @staticmethod
    def sought(wanted: DraftFilter) -> Query:
        """Return the document query of a list of drafts."""
        given = {"product_id": wanted.product_id, "status": wanted.status, "kind": wanted.kind}
        named = {name: tuple(dict.fromkeys(str(value) for value in values)) for name, values in given.items() if values}
        return Query(
            DRAFTS,
            tuple((name, values[0] if len(values) == 1 else values) for name, values in named.items()),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    def apply(
        self, caller: Caller, draft_id: str, wanted: ApplyDraft, condition: Precondition = NO_CONDITION
    ) -> Stored:
        """Write a draft's texts into its product, in one commit with the decision.

        Raise NotFound, InvalidState when it is not pending, BaseMoved when the product says something else by now.
        """
        return self._store.atomically(lambda: self._applied(caller, draft_id, wanted, condition))

    def reject(self, caller: Caller, draft_id: str, condition: Precondition = NO_CONDITION) -> Stored:
        """Decide against a draft; raise NotFound or InvalidState."""
        return self._store.atomically(
            lambda: self._settled(caller, self._open(draft_id, condition), DraftStatus.REJECTED)
        )

    def _applied(self, caller: Caller, draft_id: str, wanted: ApplyDraft, condition: Precondition) -> Stored:
        draft = self._open(draft_id, condition)
        names = list(dict.fromkeys(wanted.fields or draft.data["fields"]))
        for number, name in enumerate(names):
            if name not in draft.data["fields"]:
                raise ValidationFailed.at(f"/fields/{number}", "not_in_draft", "This draft has no such text.")
        product = self._products.get(draft.data["product_id"])
        moved = [name for name in names if product.data.get(stored_name(name)) != draft.data["current"][name]]
        if moved:
            detail = "The product's texts have changed since this draft was written."
            raise BaseMoved(detail, moved=[product.key.id], fields=moved)
        changes = {stored_name(name): draft.data["fields"][name] for name in names}
        self._products.apply(caller, product, changes, reason=f"content draft {draft_id}")
        return self._settled(caller, draft, DraftStatus.APPLIED)

    def _open(self, draft_id: str, condition: Precondition) -> Stored:
        draft = self.get(draft_id)
        condition.check(draft_id, draft.data["version"])
        if draft.data["status"] != DraftStatus.PENDING.value:
            status = draft.data["status"]
            raise InvalidState(f"This draft is {status}.", current=status, allowed=["pending"])
        return draft

    def _settled(self, caller: Caller, draft: Stored, status: DraftStatus) -> Stored:
        after = _decided(draft, status, caller.user_id, instant(self._clock.now()))
        self._store.write([Put(draft.key, after, draft.version)])
        return Stored(draft.key, after, draft.version)

    def _pending(self, product_id: str, kind: str) -> list[Stored]:
        same = (("product_id", product_id), ("status", DraftStatus.PENDING.value), ("kind", kind))
        return self._store.query(Query(DRAFTS, same, order_by="created_at", limit=100))


def _decided(stored: Stored, status: DraftStatus, by: str, now: str) -> Data:
    done = {"status": status.value, "decided_at": now, "decided_by": by, "version": stored.data["version"] + 1}
    return {**stored.data, **done}


def _facts(product: Stored) -> Data:
    """Return what a writer may know of a product: nothing of costs or suppliers."""
    names = ("name", "description", "brand", "category", "package_size", "attributes", "tags", "seo_title")
    facts = {name: product.data.get(name) for name in names if product.data.get(name)}
    if "attributes" in facts:
        facts["attributes"] = attributes_of(product.data["attributes"])
    return facts
