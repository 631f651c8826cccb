"""M01, M02, J01, J04, J05: an import has one effect, the one its diff shows, whatever happens on the way."""

import contextlib
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared.core.errors import InvalidState
from shared.imports import apply
from shared.inventory.keys import LEVELS, level_key
from shared.jobs.record import JOBS
from shared.ports.documents import Create, Key, Query
from tests.faults.jobs.rig import Crash, TappedDocuments
from tests.http.imports.client import Imports, importing

SEED = 20261128
FIRST = b"sku,title,price,stock,barcode\n" + b"".join(
    b"K-%d,Thing %d,%d.50,%d,\n" % (number, number, number, number) for number in range(1, 71)
)
SECOND = b"sku,title,price,stock\n" + b"".join(
    b"K-%d,Thing %d,%d.75,%d\n" % (number, number, number, number * 2) for number in range(41, 111)
)


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    """Start an installation with its shop."""
    with importing(tmp_path) as made:
        yield made


def shown(imports: Imports) -> dict[str, Any]:
    """Return what the catalogue says, without ids and times."""
    names = ("name", "sale_price", "status", "stock")
    return {sku: tuple(product[name] for name in names) for sku, product in imports.products().items()}


def ledger(imports: Imports) -> list[tuple[str, int]]:
    """Return the movements by SKU and quantity."""
    return sorted((movement["product_sku"], movement["quantity"]) for movement in imports.movements())


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """Return what two overlapping files make when nothing goes wrong."""
    with importing(tmp_path_factory.mktemp("clean")) as made:
        made.upload(FIRST)
        made.upload(SECOND)
        return shown(made), ledger(made)


def test_the_same_file_again_has_no_effect(imports: Imports) -> None:
    imports.upload(FIRST)
    before, moved = shown(imports), ledger(imports)

    again = [imports.upload(FIRST) for _ in range(3)]

    assert {run["totals"]["unchanged"] for run in again} == {70}
    assert (shown(imports), ledger(imports)) == (before, moved)


def test_two_uploads_of_one_file_at_once_have_one_effect(imports: Imports, clean: Any) -> None:
    for answer in [imports.send(FIRST), imports.send(FIRST)]:
        imports.carried_out(answer)
    imports.upload(SECOND)

    assert (shown(imports), ledger(imports)) == clean


def dies(imports: Imports, at: int) -> Callable[[], bool]:
    """Let the process die at the n-th commit from now, before or after it; return whether it did."""
    documents = TappedDocuments(imports.app.documents)
    vars(imports.app)["documents"] = documents
    imports.app.store.documents = documents
    counter = count(1)
    died: list[bool] = []

    def strike(name: str, _: Any) -> None:
        if name == "commit" and next(counter) == at and not died:
            died.append(True)
            raise Crash

    if at % 2:
        documents.before = strike
    else:
        documents.after = strike
    return lambda: bool(died)


def survives(imports: Imports, job_id: str) -> None:
    """Let a job come to its end although its worker dies: the queue delivers again when the lease is over."""
    for _ in range(5):
        try:
            imports.finish(job_id)
        except Crash:
            imports.clock.advance(120)
        else:
            return


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_a_killed_worker_leaves_what_a_whole_run_leaves(tmp_path: Path, clean: Any, dry_run: str) -> None:
    deaths = 0
    print(f"seed {SEED}, {dry_run}")
    points = random.Random(SEED).sample(range(1, 14), 8)
    for number, at in enumerate(points):
        with importing(tmp_path / str(number)) as made:
            if dry_run == "true":
                ready = made.upload(FIRST, dry_run="true")
                died = dies(made, at)
                answer = None
                while answer is None:
                    try:
                        answer = made.post(f"/imports/{ready['id']}/apply")
                    except Crash:
                        answer = None
            else:
                answer = made.send(FIRST)
                died = dies(made, at)
            if answer.status_code == 202:
                assert answer.json is not None
                survives(made, answer.json["job_id"])
            else:  # the commit that started it had been made before the process died
                survives(made, made.get(f"/imports/{ready['id']}")["job_id"])
            made.upload(SECOND)
            deaths += died()
            assert (shown(made), ledger(made)) == clean
            assert made.upload(FIRST, dry_run="true")["totals"]["create"] == 0

    print(f"{deaths} deaths at {points}")
    assert deaths >= 6


def test_a_unit_of_many_writes_leaves_what_small_ones_leave(tmp_path: Path) -> None:
    told, sizes = [], []
    for name, most in (("many", 8_000), ("few", 500)):
        with importing(tmp_path / name) as made:
            commits = counted(made, most)
            ready = made.upload(FIRST, dry_run="true")
            before = len(commits)
            made.act(ready, "apply")
            applied, largest = (shown(made), ledger(made)), max(commits[before:])
            made.act(made.get(f"/imports/{ready['id']}"), "undo")
            told.append((applied, shown(made), ledger(made)))
            sizes.append(largest)

    assert told[0] == told[1]
    assert sizes == [358, 163]
    assert len(told[0][0][0]) == 70
    assert {product[2] for product in told[0][1].values()} == {"archived"}


@pytest.mark.parametrize("reviewed", [True, False], ids=["reviewed", "at once"])
def test_products_of_many_stores_are_updated_in_as_many_commits_as_it_takes(imports: Imports, reviewed: bool) -> None:
    imports.upload(b"sku,title,price,stock\n" + b"".join(b"A-%d,Tee,1,5\n" % number for number in range(12)))
    level = next(iter(imports.app.store.walk(Query(LEVELS))))
    others = [f"sto_{number}" for number in range(60)]
    for product in imports.products().values():
        copies = [
            Create(level_key(store, product["id"]), {**level.data, "product_id": product["id"], "store_id": store})
            for store in others
        ]
        imports.app.documents.commit(copies)
    names = b"sku,title\n" + b"".join(b"A-%d,New name\n" % n for n in range(12))
    ready = imports.upload(names, dry_run="true") if reviewed else None
    sizes = counted(imports, 500)

    applied = imports.act(ready, "apply") if ready else imports.upload(names)

    assert (applied["status"], applied["totals"]["update"]) == ("applied", 12)
    assert len(imports.get(f"/imports/{applied['id']}/diff?limit=100")["items"]) == 12
    assert {product["name"] for product in imports.products().values()} == {"New name"}
    named = [stored.data["product_name"] for stored in imports.app.store.walk(Query(LEVELS))]
    assert named == ["New name"] * len(named)
    assert len(named) >= 12 * 60
    assert 180 < max(sizes) <= 500
    assert imports.act(applied, "undo")["status"] == "undone"
    assert {product["name"] for product in imports.products().values()} == {"Tee"}


def counted(imports: Imports, most: int) -> list[int]:
    """Let a store take so many writes together; return the list that the size of each commit is noted in."""
    documents = TappedDocuments(imports.app.documents)
    documents.most_writes = most
    vars(imports.app)["documents"] = imports.app.store.documents = documents
    sizes: list[int] = []
    documents.before = lambda name, writes: sizes.append(len(writes)) if name == "commit" else None
    return sizes


def test_every_task_twice_and_old_ones_again_change_nothing_more(imports: Imports, clean: Any) -> None:
    inner = imports.deliver
    delivered: list[Any] = []

    def twice(claimed: Any) -> Any:
        delivered.append(claimed)
        first = inner(claimed)
        inner(claimed)
        inner(delivered[0])
        return first

    imports._dispatcher._deliver = twice
    imports.upload(FIRST)
    imports.upload(SECOND)

    assert (shown(imports), ledger(imports)) == clean


@pytest.mark.parametrize("touched", ["price", "stock", "sku taken"])
def test_a_moved_base_refuses_the_whole_import(imports: Imports, touched: str) -> None:
    imports.upload(b"sku,title,price,stock\nA,Tee,1,5\nB,Cap,1,5\n")
    ready = imports.upload(b"sku,title,price,stock\nA,Tee,2,6\nB,Cap,2,6\nC,Hat,2,6\n", dry_run="true")
    product = imports.products()["B"]["id"]
    if touched == "price":
        imports.upload(b"sku,price\nB,9\n")
    elif touched == "stock":
        imports.post("/inventory/adjust", json={"product_id": product, "quantity": -1})
    else:
        imports.upload(b"sku,title\nC,Somebody else's\n")
        product = imports.products()["C"]["id"]
    before, moved = shown(imports), ledger(imports)

    answer = imports.post(f"/imports/{ready['id']}/apply")

    assert answer.status_code == 409
    assert (answer.json["type"], answer.json["moved"]) == ("/problems/BaseMoved", [product])  # type: ignore[index]
    assert (shown(imports), ledger(imports)) == (before, moved)
    assert imports.get(f"/imports/{ready['id']}")["status"] == "ready"


def test_the_check_is_what_refuses(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without looking at the base, the very same steps overwrite what somebody else has set."""
    imports.upload(b"sku,title,price\nA,Tee,1\n")
    ready = imports.upload(b"sku,title,price\nA,Tee,2\n", dry_run="true")
    imports.upload(b"sku,price\nA,9\n")
    monkeypatch.setattr(apply, "_not_at", lambda *_: [])
    monkeypatch.setattr(apply.Applier, "_updated", _careless)

    applied = imports.act(ready, "apply")

    assert (applied["status"], imports.products()["A"]["sale_price"]) == ("applied", "2.00")


def _careless(applier: Any, caller: Any, row: Any) -> Any:
    changes = {name: told["after"] for name, told in row.fields.items()}
    return applier.products.apply(caller, applier.products.get(row.product_id), changes)


def test_a_base_that_moves_while_the_import_is_applied_is_not_overwritten(imports: Imports) -> None:
    imports.upload(FIRST)
    ready = imports.upload(FIRST.replace(b".50,", b".60,"), dry_run="true")
    answer = imports.post(f"/imports/{ready['id']}/apply")
    moving = TappedDocuments(imports.app.documents)
    imports.app.store.documents = vars(imports.app)["documents"] = moving
    product = imports.products()["K-60"]["id"]
    done: list[bool] = []

    def move(name: str, writes: Any) -> None:
        applied = name == "commit" and any(write.key.collection == "import_parts" for write in writes)
        if applied and not done:
            done.append(True)
            imports.app.products.update(_caller(), product, _patch(99))

    moving.after = move
    applied = imports.carried_out(answer)

    assert imports.products()["K-60"]["sale_price"] == "99.00"
    assert applied["totals"] == {"rows": 70, "create": 0, "update": 69, "unchanged": 0, "skip": 0, "error": 1}
    assert [error["code"] for error in applied["errors"]] == ["base_moved"]


def _caller() -> Any:
    from shared.core.caller import SYSTEM

    return SYSTEM


def _patch(price: int) -> Any:
    from shared.catalog.change_models import ProductPatch

    return ProductPatch.model_validate({"sale_price": price})


def test_an_undo_is_refused_when_a_product_has_changed_since(imports: Imports) -> None:
    run = imports.upload(b"sku,title,price,stock\nA,Tee,1,5\nB,Cap,1,5\n")
    product = imports.products()["A"]["id"]
    imports.post("/inventory/adjust", json={"product_id": product, "quantity": -1})
    before, moved = shown(imports), ledger(imports)

    answer = imports.post(f"/imports/{run['id']}/undo")

    assert (answer.status_code, answer.json["moved"]) == (409, [product])  # type: ignore[index]
    assert (shown(imports), ledger(imports)) == (before, moved)


def test_an_undo_restores_fields_and_stock(imports: Imports) -> None:
    imports.upload(b"sku,title,price,stock,category,brand,barcode,tags\nA,Tee,1,5,Tops,Acme,4006381333931,red\n")
    before = imports.products()["A"]
    run = imports.upload(
        b"sku,title,price,stock,category,brand,barcode,tags\nA,Tee 2,2,9,Shirts,New,5901234123457,blue\n"
    )

    imports.act(run, "undo")

    after = imports.products()["A"]
    stamps = {"version", "updated_at"}
    assert {name: value for name, value in after.items() if name not in stamps} == {
        name: value for name, value in before.items() if name not in stamps
    }
    assert ledger(imports) == [("A", -4), ("A", 4), ("A", 5)]


class Canceller:
    """Cancels a job at the n-th commit from now and notes what is written after it has ended."""

    def __init__(self, imports: Imports, job_id: str, at: int) -> None:
        """Stand between the product and its store."""
        self._imports, self._job_id, self._at = imports, job_id, at
        self._seen = count(1)
        self._inner = imports.app.documents
        self._tapped = TappedDocuments(self._inner)
        self._tapped.before = self._watch
        self.late: list[Any] = []
        self._put(self._tapped)

    def gone(self) -> list[Any]:
        """Step aside; return what was written too late."""
        self._put(self._inner)
        return self.late

    def _put(self, documents: Any) -> None:
        self._imports.app.store.documents = vars(self._imports.app)["documents"] = documents

    def _watch(self, name: str, writes: Any) -> None:
        if name != "commit":
            return
        stored = self._inner.get(Key(JOBS, self._job_id))
        if stored is not None and stored.data["status"] == "cancelled":
            self.late += [write for write in writes if write.key.collection == "products"]
        if next(self._seen) == self._at:
            self._tapped.before = _quiet
            with contextlib.suppress(InvalidState):
                self._imports.app.jobs.cancel(self._job_id)
            self._tapped.before = self._watch


def _quiet(_: str, __: Any) -> None:
    return None


def test_a_cancelled_import_writes_nothing_more(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    ends = []
    for at in sorted(random.Random(SEED).sample(range(1, 14), 6)):
        with importing(tmp_path / str(at)) as made:
            answer = made.send(FIRST).json
            assert answer is not None
            canceller = Canceller(made, answer["job_id"], at)
            job = made.finish(answer["job_id"])
            late = canceller.gone()
            run = made.get(f"/imports/{answer['import_id']}")
            ends.append(job["status"])

            assert (job["status"], run["status"]) in {("cancelled", "cancelled"), ("succeeded", "applied")}
            assert late == []

    print(ends)
    assert ends.count("cancelled") >= 2  # how many commits an import takes depends on how fast the machine is


def test_an_import_that_waits_for_review_can_be_cancelled(imports: Imports) -> None:
    ready = imports.upload(FIRST, dry_run="true")

    answer = imports.post(f"/imports/{ready['id']}/cancel")

    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")  # type: ignore[index]
    assert imports.post(f"/imports/{ready['id']}/apply").status_code == 409
    assert imports.post(f"/imports/{ready['id']}/cancel").status_code == 409
    assert imports.products() == {}


def test_a_source_in_trouble_is_tried_again_and_gives_up_with_its_reason(imports: Imports) -> None:
    imports.shop.fault("http_503", times=2)
    passing = imports.feed("/feeds/products.json")
    imports.shop.fault("http_503")
    lasting = imports.feed("/feeds/products.json")

    assert (passing["status"], passing["totals"]["create"]) == ("applied", 12)
    assert (lasting["status"], lasting["errors"][0]["code"]) == ("failed", "source_unavailable")
    assert imports.get(f"/jobs/{lasting['job_id']}")["dead_letter"] is True

    imports.shop.fault("none")
    retried = imports.post(f"/jobs/{lasting['job_id']}/retry")
    assert retried.json is not None
    imports.finish(retried.json["new_job_id"])
    assert imports.get(f"/imports/{lasting['id']}")["status"] == "applied"
