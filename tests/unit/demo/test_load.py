"""Demo data: loaded once, on an empty store only; a start that was cut off goes on where it was."""

from pathlib import Path
from typing import Any

import pytest

from local.demo.load import load
from local.demo.shop import DEMO_SKUS, VENDORS_OF_DEMO, seed_catalogue, seed_vendors
from shared.app import App
from shared.catalog.change_models import NewProduct
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.ports.documents import Query

SEEDS = (("catalogue", seed_catalogue), ("vendors", seed_vendors))


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """Give an application on an empty store."""
    return App(Settings.from_env({"STORE_URL": "sqlite:///:memory:", "DATA_DIR": str(tmp_path)}), ManualClock())


def counted(app: Any) -> dict[str, int]:
    """Count what the demo shop is made of."""
    names = ("products", "categories", "vendors", "vendor_prices", "vendor_price_changes", "product_changes")
    return {name: app.store.count(Query(name)) for name in names}


WHOLE = {
    "products": 40,
    "categories": 6,
    "vendors": 5,
    "vendor_prices": 100,
    "vendor_price_changes": 100,
    "product_changes": 40,
}


def test_an_empty_store_gets_the_shop_once(app: Any) -> None:
    ran = [load(app, SEEDS) for _ in range(2)]

    assert ran == [["catalogue", "vendors"], []]
    assert counted(app) == WHOLE
    assert (len(set(DEMO_SKUS)), len(VENDORS_OF_DEMO)) == (40, 5)


def test_a_store_with_products_of_its_own_is_left_alone_for_good(app: Any) -> None:
    mine = app.products.create(SYSTEM, NewProduct(name="Mine"))

    assert load(app, SEEDS) == []
    app.products.archive(SYSTEM, mine.key.id)
    assert load(app, SEEDS) == []
    assert counted(app)["products"] == 1


@pytest.mark.parametrize("after", [0, 1, 7, 39])
def test_a_load_that_was_cut_off_goes_on_and_makes_nothing_twice(app: Any, after: int) -> None:
    made = app.products.create
    left = [after]

    def cut(caller: Any, wanted: NewProduct) -> Any:
        if left[0] == 0:
            raise OSError("the machine stopped")
        left[0] -= 1
        return made(caller, wanted)

    object.__setattr__(app.products, "create", cut)
    with pytest.raises(OSError, match="stopped"):
        load(app, SEEDS)
    object.__setattr__(app.products, "create", made)

    assert load(app, SEEDS) == ["catalogue", "vendors"]
    assert counted(app) == WHOLE


def test_a_seed_added_later_runs_on_a_store_that_has_the_others(app: Any) -> None:
    load(app, SEEDS)
    ran: list[str] = []

    assert load(app, (*SEEDS, ("later", lambda _: ran.append("later")))) == ["later"]
    assert ran == ["later"]
