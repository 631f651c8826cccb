"""Categories: groups of products with a unique slug. A product names its category; an unknown name makes one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.catalog.category_models import CategoryFilter, CategoryPatch, NewCategory, ThresholdsPatch
from shared.catalog.record import PRODUCTS
from shared.catalog.views import category_view, thresholds_view
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, FieldError, InvalidState, NotFound, ValidationFailed
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.core.words import words
from shared.inventory.keys import store_key
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.catalog.legacy import CategoriesAsked
    from shared.core.ids import Ids
    from shared.ports.store import Store

__all__ = ["CATEGORIES", "Asked", "Categories", "category_key", "slug_of"]

Data = dict[str, Any]

CATEGORIES = "categories"
_SLUGS = "category_slugs"
_LONGEST_SLUG = 100
_VOLATILE = "product_count"
_ECHOED = ("id", "created_at", "updated_at", _VOLATILE)


def category_key(category_id: str) -> Key:
    """Return where a category is."""
    return Key(CATEGORIES, category_id)


def slug_of(name: str) -> str:
    """Return the slug of a name: its words in a to z and digits; of names without any, a digest."""
    ascii_words = (word.encode("ascii", "ignore").decode() for word in words(name))
    slug = "-".join(word for word in ascii_words if word)[:_LONGEST_SLUG].strip("-")
    return slug or f"c-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the condition it could not hold."""

    query: Query
    keep: Callable[[Stored], bool] | None = None


@dataclass(frozen=True)
class Categories:
    """The categories."""

    store: Store
    clock: Clock
    ids: Ids

    def get(self, category_id: str) -> Stored:
        """Return a category; raise NotFound."""
        found = self.store.get(category_key(category_id))
        if found is None:
            raise NotFound("No category has this id.", resource="category")
        return found

    def view(self, stored: Stored) -> dict[str, Any]:
        """Return a category as shown, with the number of its products that are not archived."""
        return category_view(stored, self.count(stored.key.id))

    def count(self, category_id: str) -> int:
        """Count the products of a category that are not archived."""
        return self.store.count(Query(PRODUCTS, (("category_id", category_id), ("shelf", "live"))))

    def listed(self, wanted: CategoryFilter) -> Asked:
        """Return what a list of categories asks."""
        low, high = (instant(each) if each else None for each in (wanted.created_from, wanted.created_to))
        if wanted.order.field == "created_at":
            return Asked(Query(CATEGORIES, at_least=low, at_most=high))
        if low is None and high is None:
            return Asked(Query(CATEGORIES))

        def keep(stored: Stored) -> bool:
            made = stored.data["created_at"]
            return (low is None or low <= made) and (high is None or made <= high)

        return Asked(Query(CATEGORIES), keep)

    def page(self, wanted: CategoriesAsked) -> tuple[list[Stored], int]:
        """Return a page by its number, and how many categories there are."""
        query = Query(
            CATEGORIES,
            order_by="name" if wanted.order_by == "category_name" else "created_at",
            descending=wanted.order == "desc",
            limit=wanted.per_page,
            offset=(wanted.page - 1) * wanted.per_page,
        )
        return self.store.query(query), self.store.count(query)

    def named(self, names: tuple[str, ...]) -> list[Stored]:
        """Return the categories with one of these names (at most 10), oldest first."""
        found = self.store.query(Query(CATEGORIES, (("name", names[0] if len(names) == 1 else names),), limit=100))
        return sorted(found, key=lambda stored: (stored.data["created_at"], stored.key.id))

    def slugs(self, category_ids: Iterable[str | None]) -> dict[str, str]:
        """Return the slugs of categories by id, of those that exist."""
        keys = [category_key(category_id) for category_id in dict.fromkeys(category_ids) if category_id is not None]
        return {key.id: stored.data["slug"] for key, stored in self.store.get_many(keys).items()} if keys else {}

    def thresholds_of(self, category_id: str | None) -> Data | None:
        """Return the thresholds that products of a category repeat; None for no category, and one without any."""
        if category_id is None:
            return None
        key = category_key(category_id)
        self.store.foresee([key])
        found = self.store.get(key)
        return found.data.get("thresholds") if found else None

    def have_thresholds(self) -> bool:
        """Say whether any category has thresholds: only then products tell of them."""
        return any("thresholds" in stored.data for stored in self.store.walk(Query(CATEGORIES)))

    def thresholds(self, category_id: str) -> Data:
        """Return the thresholds of a category as shown; raise NotFound."""
        return thresholds_view(self.get(category_id))

    def set_thresholds(
        self, category_id: str, patch: ThresholdsPatch, condition: Precondition = NO_CONDITION
    ) -> tuple[Data, bool]:
        """Change the thresholds of a category; return them as shown, and whether anything changed.

        Raise NotFound for the category or a store, PreconditionFailed or ValidationFailed.
        """
        key = category_key(category_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[tuple[Data, bool], list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise NotFound("No category has this id.", resource="category")
            shown = thresholds_view(stored)
            self._refuse_unknown(set(patch.stores or ()) - set(shown["stores"]))
            condition.check(category_id, stored.data["version"], patch.version)
            given = patch.model_dump(mode="json", exclude_unset=True)
            if "stores" in given:
                given["stores"] = given["stores"] or {}
            changes = changes_of(given, shown, inputs=("threshold", "stores"))
            if not changes:
                return (shown, False), []
            after = replace(stored, data=self._with_thresholds(stored.data, shown, changes))
            return (thresholds_view(after), True), [Put(key, after.data, stored.version)]

        return self.store.change([key], decide)

    def _with_thresholds(self, data: Data, shown: Data, changes: Data) -> Data:
        """Return a category with changed thresholds; without any left it is stored as one that never had some."""
        kept = {name: changes.get(name, shown[name]) for name in ("threshold", "stores")}
        stamps = {"updated_at": instant(self.clock.now()), "version": data["version"] + 1}
        after = {name: value for name, value in data.items() if name != "thresholds"} | stamps
        return after if kept["threshold"] is None and not kept["stores"] else {**after, "thresholds": kept}

    def _refuse_unknown(self, store_ids: Iterable[str]) -> None:
        """Raise NotFound that names every unknown store."""
        wanted = sorted(store_ids)
        found = self.store.get_many([store_key(each) for each in wanted]) if wanted else {}
        unknown = [each for each in wanted if store_key(each) not in found]
        if unknown:
            detail = "No store has this id."
            errors = tuple(FieldError(f"/stores/{_pointed(each)}", "unknown", detail) for each in unknown)
            raise NotFound(f"{len(unknown)} of the stores do not exist.", errors=errors, resource="store")

    def create(self, wanted: NewCategory) -> Stored:
        """Make a category; raise AlreadyExists when its slug is taken."""
        slug = wanted.slug or slug_of(wanted.name)
        now = instant(self.clock.now())
        data = {"name": wanted.name, "slug": slug, "created_at": now, "updated_at": now, "version": 1}
        made = Stored(category_key(self.ids.new("cat")), data, "")

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            _refuse_taken(slug, found)
            return made, [Create(made.key, data), Create(_slug_key(slug), {"category_id": made.key.id})]

        return self.store.change([_slug_key(slug)], decide)

    def ensure(self, name: str) -> Stored:
        """Return the category of a name, made when there is none; of several with the name, the oldest.

        A name whose slug is taken by a category called otherwise gets a slug with a digest behind it.
        """
        found = self.named((name,))
        if found:
            return found[0]
        slug = slug_of(name)
        claim = self.store.get(_slug_key(slug))
        if claim is None:
            return self.create(NewCategory(name=name, slug=slug))
        owner = self.store.get(category_key(claim.data["category_id"]))
        if owner is not None and owner.data["name"] == name:  # made a moment ago, in this very commit perhaps
            return owner
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        other = f"{slug[: _LONGEST_SLUG - 9].rstrip('-')}-{digest}"
        claim = self.store.get(_slug_key(other))
        return self.create(NewCategory(name=name, slug=other)) if claim is None else self.get(claim.data["category_id"])

    def update(self, category_id: str, patch: CategoryPatch, condition: Precondition = NO_CONDITION) -> Stored:
        """Change name or slug; raise NotFound, PreconditionFailed, ValidationFailed or AlreadyExists."""
        present = self.get(category_id)
        condition.check(category_id, present.data["version"], patch.version)
        changes = _changes(patch, self.view(present))
        if not changes:
            return present
        new_slug = str(changes.get("slug", present.data["slug"]))
        keys = [category_key(category_id), _slug_key(new_slug)]

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(keys[0])
            if stored is None:
                raise NotFound("No category has this id.", resource="category")
            condition.check(category_id, stored.data["version"], patch.version)
            stamps = {"updated_at": instant(self.clock.now()), "version": stored.data["version"] + 1}
            after = replace(stored, data={**stored.data, **changes, **stamps})
            writes: list[Write] = [Put(stored.key, after.data, stored.version)]
            if new_slug != stored.data["slug"]:
                _refuse_taken(new_slug, found)
                writes += [
                    Delete(_slug_key(stored.data["slug"])),
                    Create(_slug_key(new_slug), {"category_id": category_id}),
                ]
            return after, writes

        return self.store.change(keys, decide)

    def delete(self, category_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Remove a category that no product uses, archived ones included; raise NotFound or InvalidState."""
        stored = self.get(category_id)
        condition.check(category_id, stored.data["version"])
        used = self.store.count(Query(PRODUCTS, (("category_id", category_id),)))
        if used:
            detail = f"{used} products use this category; give them another one first."
            raise InvalidState(detail, current=used, allowed=[0])
        self.store.write([Delete(stored.key, stored.version), Delete(_slug_key(stored.data["slug"]))])


def _slug_key(slug: str) -> Key:
    return Key(_SLUGS, slug)


def _pointed(name: str) -> str:
    """Return a name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _refuse_taken(slug: str, found: Mapping[Key, Stored]) -> None:
    if _slug_key(slug) in found:
        raise AlreadyExists("This slug is taken.", field="slug")


def _changes(patch: CategoryPatch, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes; raise ValidationFailed for nulls and for keys that are not input."""
    given = {name: getattr(patch, name) for name in patch.model_fields_set}
    for name in _ECHOED:
        if name in given and given[name] != shown[name] and not (name == _VOLATILE and "version" in given):
            raise ValidationFailed.at(f"/{name}", "unknown_field", "This key cannot be changed here.")
    changes: dict[str, Any] = {
        name: given[name] for name in ("name", "slug") if name in given and given[name] != shown[name]
    }
    for name, value in changes.items():
        if value is None:
            raise ValidationFailed.at(f"/{name}", "required", "This key cannot be cleared.")
    return changes
