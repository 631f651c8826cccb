"""Which threshold a level ends with, whatever was done in which order: one resolution, applied to the final facts."""

from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.catalog.category_models import ThresholdsPatch
from shared.catalog.upkeep import Upkeep
from shared.inventory.keys import LEVELS, level_key
from shared.inventory.ledger import Change
from shared.inventory.rules import rule_of
from shared.inventory.words import MovementType
from shared.jobs.kinds import Continue, Done, Step
from shared.ports.documents import Query
from tests.stores import INDEX_FILE
from tests.unit.catalog.builders import Catalog, a_catalog

STORES = ("main", "other")
UNITS = 12
DEFAULT = 10


@dataclass
class Facts:
    """What is true at the end, kept apart from the product under test."""

    numbers: dict[str, int] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    category_of: dict[str, str | None] = field(default_factory=dict)
    wide: dict[str, int | None] = field(default_factory=dict)
    narrow: dict[str, dict[str, int]] = field(default_factory=dict)
    levels: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def resolve(self, product: str, store: str) -> tuple[int, str]:
        """Say the threshold in force and its rule, as `docs/stock.md` says it."""
        at_level = self.levels[product, store]
        if at_level is not None:
            return at_level, "level"
        category = self.category_of[product]
        wide, narrow = self.wide.get(category or ""), self.narrow.get(category or "", {})
        if product in self.own or (wide is None and not narrow):
            return self.numbers[product], "product"
        if store in narrow:
            return narrow[store], "category_location"
        return (wide, "category") if wide is not None else (DEFAULT, "default")


@dataclass
class Pieces:
    """A delivery of a job that ends after some checkpoints; the next one goes on from its cursor."""

    input: dict[str, Any]
    cursor: Any = None
    left: int = 10_000

    def checkpoint(self, *, cursor: Any) -> None:
        """Keep the place; raise TimeoutError when the delivery has used its time."""
        self.cursor, self.left = cursor, self.left - 1
        if self.left <= 0:
            raise TimeoutError


def work(upkeep: Upkeep, step: Pieces) -> Done | Continue:
    """Let one delivery of the job work."""
    return upkeep.work(cast("Step", step))


class World:
    """A catalogue, what must be true of it, and the jobs that wait."""

    def __init__(self, *, forgetful: bool = False) -> None:
        """Make two categories; a forgetful world loses the job of every change of thresholds."""
        self.catalog: Catalog = a_catalog(SqliteDocuments(":memory:", Shapes.read(INDEX_FILE)))
        self.upkeep = Upkeep(self.catalog.products)
        self.facts, self.waiting, self.forgetful = Facts(), list[dict[str, Any]](), forgetful
        self.categories = [self.catalog.categories.ensure(name).key.id for name in ("Tools", "Toys")]
        self.products: list[str] = []

    def make(self, number: int | None, category: int) -> None:
        """Make a product, with a threshold or none given."""
        said = {} if number is None else {"reorder_threshold": number}
        category_id = [*self.categories, None][category]
        made = self.catalog.add(category_id=category_id, **said).key.id
        self.products.append(made)
        self.facts.numbers[made] = DEFAULT if number is None else number
        self.facts.category_of[made] = category_id
        if number is not None:
            self.facts.own.add(made)

    def move(self, product: int, category: int) -> None:
        """Give a product another category, or none."""
        name, category_id = self._product(product), [*self.categories, None][category]
        self.catalog.change(name, category_id=category_id)
        self.facts.category_of[name] = category_id

    def give(self, product: int, number: int) -> None:
        """Give a product a number; the one it has says nothing new."""
        name = self._product(product)
        self.catalog.change(name, reorder_threshold=number)
        if number != self.facts.numbers[name]:
            self.facts.own.add(name)
        self.facts.numbers[name] = number

    def follow(self, product: int, *, follows: bool) -> None:
        """Let a product follow its category, or go by its own number."""
        name = self._product(product)
        self.catalog.change(name, follows_category_threshold=follows)
        (self.facts.own.discard if follows else self.facts.own.add)(name)

    def level(self, product: int, store: int, number: int | None) -> None:
        """Make a level with stock where there is none, and give it a threshold of its own or none."""
        pair = (self._product(product), STORES[store])
        ledger = self.catalog.products.ledger
        if pair not in self.facts.levels:
            ledger.book([Change(*pair, UNITS, MovementType.INITIAL)])
        booking = ledger.open([pair])
        booking.set_fields(*pair, {"reorder_level": number})
        booking.write()
        self.facts.levels[pair] = number

    def category(self, category: int, wide: int | None, narrow: dict[str, int], *, at_once: bool) -> None:
        """Change the thresholds of a category; its products follow at once, or the process ends before."""
        name = self.categories[category]
        patch = ThresholdsPatch.model_validate({"threshold": wide, "stores": narrow})
        _, changed = self.catalog.categories.set_thresholds(name, patch)
        self.facts.wide[name], self.facts.narrow[name] = wide, narrow
        wanted = {"category_id": name, "thresholds": True}
        if changed and not self.forgetful:
            self.waiting.append(wanted)
            if at_once:
                self.upkeep.run(wanted)

    def rest(self) -> None:
        """Deliver every job that waits, the newest first and each of them twice."""
        for wanted in reversed(self.waiting * 2):
            step = Pieces(wanted)
            while isinstance(work(self.upkeep, step), Continue):
                pass

    def wrong(self) -> list[str]:
        """Return the levels that do not stand as the facts say."""
        found = []
        for pair in self.facts.levels:
            stored = self.catalog.store.get(level_key(pair[1], pair[0]))
            assert stored is not None
            threshold, rule = self.facts.resolve(*pair)
            shelf = "low" if threshold >= UNITS else "fine"
            data = stored.data
            if (data["effective_reorder_level"], rule_of(data), data["shelf"]) != (threshold, rule, shelf):
                found.append(stored.key.id)
        return found

    def _product(self, number: int) -> str:
        if not self.products:
            self.make(None, 0)
        return self.products[number % len(self.products)]


NUMBERS = st.integers(8, 14)
MAYBE = st.none() | NUMBERS
CATEGORY = st.integers(0, 2)
NARROW = st.dictionaries(st.sampled_from(STORES), NUMBERS)
SOME = st.integers(0, 3)
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.tuples(MAYBE, CATEGORY), st.just({})),
        st.tuples(st.just("move"), st.tuples(SOME, CATEGORY), st.just({})),
        st.tuples(st.just("give"), st.tuples(SOME, NUMBERS), st.just({})),
        st.tuples(st.just("follow"), st.tuples(SOME), st.fixed_dictionaries({"follows": st.booleans()})),
        st.tuples(st.just("level"), st.tuples(SOME, st.integers(0, 1), MAYBE), st.just({})),
        st.tuples(
            st.just("category"),
            st.tuples(st.integers(0, 1), MAYBE, NARROW),
            st.fixed_dictionaries({"at_once": st.booleans()}),
        ),
    ),
    max_size=20,
)


@given(history=HISTORIES)
@settings(max_examples=80, deadline=None)
def test_every_level_ends_with_the_threshold_that_the_final_facts_say(history: list[Any]) -> None:
    world = World()
    for name, told, said in history:
        getattr(world, name)(*told, **said)
    world.rest()

    assert world.wrong() == []


def test_a_world_that_forgets_to_repeat_thresholds_fails_the_same_check() -> None:
    for forgetful, wrong in ((False, 0), (True, 1)):
        world = World(forgetful=forgetful)
        world.make(None, 0)
        world.level(0, 0, None)
        world.category(0, 14, {}, at_once=False)
        world.rest()

        assert len(world.wrong()) == wrong


def test_a_product_moved_while_thresholds_changed_is_right_after_the_second_walk() -> None:
    world = World()
    world.make(None, 2)
    world.level(0, 0, None)
    (product,), category = world.products, world.categories[0]
    step = Pieces({"category_id": category, "thresholds": True})

    def moved() -> None:
        """Read the category as it is, then be overtaken by a change of it and the job's first walk."""
        if world.facts.category_of[product] is None:
            world.move(0, 0)
            Context().run(world.category, 0, 14, {}, at_once=True)
            assert isinstance(Context().run(work, world.upkeep, step), Continue)

    world.catalog.store.atomically(moved)
    assert len(world.wrong()) == 1
    assert isinstance(work(world.upkeep, step), Done)

    assert world.wrong() == []


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_job_that_ends_early_goes_on_and_reaches_every_product(pieces: int) -> None:
    world = World()
    for number in range(45):
        world.make(None, 0)
        world.level(number, 0, None)
    world.category(0, 14, {"main": 13}, at_once=False)
    step = Pieces(world.waiting[0])
    while True:
        step.left = pieces
        try:
            if isinstance(work(world.upkeep, step), Done):
                break
        except TimeoutError:
            continue

    assert world.wrong() == []
    low = world.catalog.store.query(Query(LEVELS, (("active", "active"), ("shelf", "low")), order_by="available"))
    assert len(low) == 45
