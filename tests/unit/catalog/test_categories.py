"""Categories on every store: unique slugs, names that make them, renaming, and no removal while in use."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.catalog.categories import slug_of
from shared.catalog.category_models import CategoryPatch, NewCategory
from shared.catalog.upkeep import Upkeep
from shared.core.conditions import Precondition
from shared.core.errors import AlreadyExists, InvalidState, NotFound, PreconditionFailed, Problem, ValidationFailed
from shared.ports.documents import Documents
from tests.stores import on_stores
from tests.unit.catalog.builders import a_catalog

_EACH = on_stores("sqlite-memory", "sqlite-file", "firestore-server", "firestore-emulator")


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Home & Garden", "home-garden"), ("Café  Crème", "cafe-creme"), ("x" * 200, "x" * 100), ("ß", "ss")],
)
def test_a_slug_is_made_of_the_words_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_names_without_latin_letters_have_slugs_of_their_own() -> None:
    assert slug_of("日本") != slug_of("中国")
    assert slug_of("日本").startswith("c-")


@_EACH
def test_a_slug_belongs_to_one_category(documents: Documents) -> None:
    categories = a_catalog(documents).categories
    first = categories.create(NewCategory(name="Tools"))

    with pytest.raises(AlreadyExists):
        categories.create(NewCategory(name="Other", slug="tools"))
    second = categories.create(NewCategory(name="Other"))
    with pytest.raises(AlreadyExists):
        categories.update(second.key.id, CategoryPatch(slug="tools"))

    categories.update(first.key.id, CategoryPatch(slug="new-tools"))
    assert categories.update(second.key.id, CategoryPatch(slug="tools")).data["version"] == 2


@_EACH
def test_of_many_who_make_a_category_at_once_one_succeeds(documents: Documents) -> None:
    categories = a_catalog(documents).categories

    def attempt(_: int) -> str:
        try:
            return categories.create(NewCategory(name="Tools")).key.id
        except Problem as refused:
            return refused.name

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(16)))

    assert outcomes.count("AlreadyExists") == 15
    assert [stored.key.id for stored in categories.named(("Tools",))] == [
        outcome for outcome in outcomes if outcome != "AlreadyExists"
    ]


@_EACH
def test_a_category_in_use_stays(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product = catalog.add(category="Tools")
    category = catalog.categories.named(("Tools",))[0]

    assert catalog.categories.view(category)["product_count"] == 1
    with pytest.raises(InvalidState):
        catalog.categories.delete(category.key.id)

    catalog.change(product.key.id, category=None)
    catalog.categories.delete(category.key.id)
    with pytest.raises(NotFound):
        catalog.categories.get(category.key.id)
    assert catalog.categories.create(NewCategory(name="Tools")).data["slug"] == "tools"


@_EACH
def test_renaming_reaches_its_products_and_can_be_repeated(documents: Documents) -> None:
    catalog = a_catalog(documents)
    product = catalog.add(category="Tools", current_stock=3)
    category = catalog.categories.named(("Tools",))[0]

    catalog.categories.update(category.key.id, CategoryPatch(name="Gear"))
    for _ in range(2):
        Upkeep(catalog.products).rename_category(category.key.id, "Gear")

    shown = catalog.show(product.key.id)
    assert (shown["category"], shown["category_id"], shown["version"]) == ("Gear", category.key.id, 1)
    levels = catalog.products.sums.levels_of(product.key.id)
    assert [level.data["category"] for level in levels] == ["Gear"]


@on_stores("sqlite-memory")
def test_a_change_is_conditional_and_takes_only_what_is_input(documents: Documents) -> None:
    categories = a_catalog(documents).categories
    made = categories.create(NewCategory(name="Tools"))
    category_id, shown = made.key.id, categories.view(made)

    assert categories.update(category_id, CategoryPatch.model_validate(shown)).data == made.data
    with pytest.raises(PreconditionFailed):
        categories.update(category_id, CategoryPatch(name="X", version=7))
    with pytest.raises(PreconditionFailed):
        categories.delete(category_id, Precondition(parts=("nothing",)))
    for said in ({"name": None}, {"id": "x"}, {"product_count": 4}):
        with pytest.raises(ValidationFailed):
            categories.update(category_id, CategoryPatch.model_validate(said))


@on_stores("sqlite-memory")
def test_a_name_whose_slug_another_category_has_gets_a_slug_of_its_own(documents: Documents) -> None:
    categories = a_catalog(documents).categories
    other = categories.create(NewCategory(name="Werkzeug", slug="tools"))

    made = categories.ensure("Tools")

    assert made.key != other.key
    assert made.data["slug"].startswith("tools-")
    assert categories.ensure("Tools").key == made.key
