"""Whole catalogues: without a limit, in small cursors, through deaths, and cheaply when nothing changed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from local.simulators.wire import Answer
from shared.core.errors import Transient
from shared.jobs.record import Record
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from shared.suppliers import notes, upsert
from shared.suppliers.models import NewSyncSchedule, SyncSupplier, TriggerSync
from shared.suppliers.sync import SyncWork
from tests.http.inventory.builders import ok
from tests.http.settling import settle
from tests.http.suppliers.market import Market
from tests.http.suppliers.test_bigbuy import varied

COUNTS = ("fetched", "created", "updated", "unchanged", "failed")


class DiedError(BaseException):
    """The process is gone: nothing after this moment ran."""


def counted(run: dict[str, Any]) -> tuple[Any, ...]:
    """Return a run's status and counts."""
    return (run["status"], *(run[name] for name in COUNTS))


def told(market: Market, collection: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a collection."""
    return {one.key.id: dict(one.data) for one in market.shop.app.store.walk(Query(collection))}


def document(market: Market, key: Key) -> Stored:
    """Return a document that is there."""
    found = market.shop.app.store.get(key)
    assert found is not None
    return found


def test_only_a_sync_by_hand_has_a_limit_of_its_own() -> None:
    schedule = NewSyncSchedule.model_validate({"sync_type": "products", "supplier_id": "sup_1", "frequency": "daily"})

    assert SyncSupplier.model_validate({"supplier_id": "sup_1"}).limit == 1000
    assert TriggerSync.model_validate({"sync_type": "full"}).options.limit is None
    assert schedule.options.limit is None


@pytest.mark.parametrize("limit", [None, 0, 10_001])
def test_no_limit_cannot_be_asked_for_by_hand(market: Market, limit: int | None) -> None:
    supplier = market.connect("bigbuy")
    body = {"supplier_id": supplier["id"], "limit": limit}

    assert market.manager().post("/api/v1/suppliers/sync", body).status == 422
    assert market.history() == []


def test_a_full_sync_without_a_limit_takes_every_product(market: Market) -> None:
    supplier = market.connect("bigbuy")
    ok(market.manager().post("/api/v1/sync/trigger", {"sync_type": "full", "supplier_id": supplier["id"]}), 202)
    settle(market.shop.app)

    assert counted(market.history()[0]) == ("succeeded", 40, 40, 0, 0, 0)


def deaths(market: Market, at: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the process die before the `at`-th commit from now on, or after it; return what brings it back."""
    documents, done = market.shop.app.store.documents, [0]
    commit = documents.commit

    def dying(writes: Sequence[Write]) -> Any:
        done[0] += 1
        if done[0] == at // 2 + 1:
            if at % 2:
                commit(writes)
            raise DiedError
        return commit(writes)

    monkeypatch.setattr(documents, "commit", dying)
    return lambda: monkeypatch.setattr(documents, "commit", commit)


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_wherever_a_sync_dies_each_record_is_taken_and_counted_once(
    market: Market, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.suppliers.sync._AT_ONCE", 4)
    monkeypatch.setattr(notes, "_MOST_BYTES", 200)
    plain = len(market.bigbuy.world.offers) - len(varied(market))
    total = plain + 3 * (len(market.bigbuy.world.offers) - plain)
    supplier = market.connect("bigbuy")
    job = ok(market.manager().post("/api/v1/suppliers/sync", {"supplier_id": supplier["id"]}), 202)["job_id"]
    revive = deaths(market, at, monkeypatch)

    with pytest.raises(DiedError):
        market.shop.app.job_runner.deliver("supplier-sync", {"job_id": job, "step": 0, "lease_epoch": 1})
    revive()
    for _ in range(3):
        market.shop.clock.advance(700)
        settle(market.shop.app)

    assert counted(market.history()[0]) == ("succeeded", total, total, 0, 0, 0)
    assert len(market.products()) == total
    assert told(market, notes.WALKS) == {}


def refuse_texts(market: Market, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let BigBuy refuse the list of texts for good; return what takes that back."""
    given = market.bigbuy._list
    refusal = Answer(200, b'{"code": 400, "message": "Bad"}', {"Content-Type": "application/json"})
    monkeypatch.setattr(
        market.bigbuy,
        "_list",
        lambda name, request: refusal if name == "productsinformation" else given(name, request),
    )
    return lambda: monkeypatch.setattr(market.bigbuy, "_list", given)


def test_the_cursor_stays_small_and_notes_go_with_their_category(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, supplier = market.shop.app, market.connect("bigbuy")
    forgive = refuse_texts(market, monkeypatch)
    ok(market.manager().post("/api/v1/suppliers/sync", {"supplier_id": supplier["id"]}), 202)
    settle(app)

    job = document(market, Key("jobs", market.history()[0]["job_id"])).data
    kept = told(market, notes.WALKS)

    assert market.history()[0]["status"] == "failed"
    assert len(str(job["cursor"])) < 900
    assert {name.partition(".")[2] for name in kept} == {"0.stock.0", "0.prices.0", "0.pictures.0"}

    forgive()
    retried = ok(market.manager().post(f"/api/v1/jobs/{market.history()[0]['job_id']}/retry"), 202)
    settle(app)
    runs = {run["job_id"]: run for run in market.history()}
    assert runs[retried["job_id"]]["status"] == "succeeded"
    assert told(market, notes.WALKS) == {}


def test_notes_that_nobody_takes_up_again_are_forgotten(market: Market) -> None:
    app = market.shop.app
    app.store.write(notes.WalkNotes(app.store, app.clock, "job_1").writes({f"0.stock.{at}": [at] for at in range(12)}))

    for days, left in ((39, 12), (2, 0)):
        market.shop.clock.advance(days * 86_400)
        for chore in app.chores():
            chore()
        assert len(told(market, notes.WALKS)) == left


def test_notes_that_are_gone_fail_the_sync_and_say_so(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    app, supplier = market.shop.app, market.connect("bigbuy")
    forgive = refuse_texts(market, monkeypatch)
    ok(market.manager().post("/api/v1/suppliers/sync", {"supplier_id": supplier["id"]}), 202)
    settle(app)
    notes.WalkNotes(app.store, app.clock, market.history()[0]["job_id"]).drop(["0.prices.0"])

    forgive()
    again = ok(market.manager().post(f"/api/v1/jobs/{market.history()[0]['job_id']}/retry"), 202)
    settle(app)

    job = ok(market.manager().get(f"/api/v1/jobs/{again['job_id']}"))
    assert (job["status"], job["error"]["code"], market.products()) == ("failed", "notes_gone", [])


def test_a_job_begun_by_an_older_release_begins_anew(market: Market) -> None:
    app, supplier = market.shop.app, market.connect("bigbuy")
    job_id = ok(market.manager().post("/api/v1/suppliers/sync", {"supplier_id": supplier["id"]}), 202)["job_id"]
    stored = document(market, Key("jobs", job_id))
    older = {"phases": ["products"], "walk": {"list": "texts", "at": 0}, "done": 7, "touched": {}}
    app.store.change([stored.key], lambda found: (None, [_with_cursor(found[stored.key], older)]))
    settle(app)

    assert counted(market.history()[0]) == ("succeeded", 40, 40, 0, 0, 0)


def _with_cursor(stored: Any, cursor: dict[str, Any]) -> Write:
    return Put(stored.key, replace(Record.of(stored), cursor=cursor).data(), stored.version)


# Quotas


@pytest.mark.parametrize(
    "counts_waits", [False, True], ids=["waits are no failures", "control: every wait is an attempt"]
)
def test_a_sync_waits_for_a_quota_as_often_as_it_must(
    market: Market, counts_waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raised(_: SyncWork, __: Any, trouble: Transient) -> Any:
        raise trouble

    monkeypatch.setattr("shared.adapters.suppliers.bigbuy._PAGE_SIZE", 1)
    if counts_waits:
        monkeypatch.setattr(SyncWork, "_later", raised)
    supplier = market.connect("bigbuy")
    ok(market.manager().post("/api/v1/suppliers/sync", {"supplier_id": supplier["id"]}), 202)
    messages = set()
    for _ in range(30):
        settle(market.shop.app)
        market.shop.clock.advance(3700)
        messages.add(ok(market.manager().get(f"/api/v1/jobs/{market.history()[0]['job_id']}"))["progress_message"])

    run = market.history()[0]
    if counts_waits:
        assert run["status"] == "failed"
    else:
        assert counted(run) == ("succeeded", 40, 40, 0, 0, 0)
        assert len({message for message in messages if "429" in str(message)}) > 5


# Unchanged records


def written(market: Market) -> dict[tuple[str, str], str]:
    """Return the versions of everything that a sync could write of products."""
    names = ("products", "product_stock", "product_changes", "supplier_links", "price_changes")
    walked = [one for name in names for one in market.shop.app.store.walk(Query(name))]
    return {(one.key.collection, one.key.id): one.version for one in walked}


def test_a_record_that_is_as_it_was_writes_nothing_until_it_was_not_seen_for_a_day(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    before = written(market)

    again = market.sync(supplier)
    same = written(market)
    market.shop.clock.advance(86_400)
    later = market.sync(supplier)

    links = told(market, "supplier_links").values()
    assert counted(again) == counted(later) == ("succeeded", 40, 0, 0, 40, 0)
    assert same == before
    assert {name for (name, _), version in written(market).items() if version not in before.values()} == {
        "supplier_links"
    }
    assert len({link["last_seen_at"][:10] for link in links}) == 1


def test_stock_that_moved_is_told_to_the_link_alone(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    before, offer = written(market), market.bigbuy.world.offers[3]
    offer.stock += 5

    run = market.sync(supplier)
    stock = market.sync(supplier, "stock")

    moved = [key for key, version in written(market).items() if before.get(key) != version]
    assert counted(run) == ("succeeded", 40, 0, 1, 39, 0)
    assert counted(stock) == ("succeeded", 40, 0, 0, 40, 0)
    assert [name for name, _ in moved] == ["supplier_links"]
    assert told(market, "supplier_links")[moved[0][1]]["supplier_stock"] == offer.stock


def edited_cost(market: Market) -> tuple[str, float]:
    """Let a person change what a synced product costs; return the SKU and the supplier's price."""
    offer = market.bigbuy.world.offers[3]
    product = next(one for one in market.products() if one["sku"] == offer.sku)
    ok(market.manager().patch(f"/api/v1/products/{product['id']}", {"unit_cost": 9999}))
    return offer.sku, offer.cost


def test_a_product_that_people_changed_is_looked_at_although_its_record_is_as_it_was(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    sku, cost = edited_cost(market)

    run = market.sync(supplier)

    assert counted(run) == ("succeeded", 40, 0, 1, 39, 0)
    assert next(one["unit_cost"] for one in market.products() if one["sku"] == sku) == cost


def test_a_fingerprint_without_the_products_version_would_leave_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        upsert, "_is_as_known", lambda fingerprint, met: met.link and met.link.data["fingerprint"] == fingerprint
    )
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    sku, _ = edited_cost(market)

    market.sync(supplier)

    assert next(one["unit_cost"] for one in market.products() if one["sku"] == sku) == 9999


def test_a_link_that_people_changed_is_told_anew(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    offer = market.bigbuy.world.offers[3]
    product = next(one for one in market.products() if one["sku"] == offer.sku)
    path = f"/api/v1/products/{product['id']}/suppliers/{supplier['id']}"
    ok(market.manager().put(path, {"supplier_product_id": str(offer.id), "cost": 9999}))

    run = market.sync(supplier)

    link = ok(market.manager().get(f"/api/v1/products/{product['id']}/suppliers"))["items"][0]
    assert (counted(run), link["cost"]) == (("succeeded", 40, 0, 1, 39, 0), offer.cost)


def test_what_an_older_release_kept_of_texts_still_tells_edits_from_the_suppliers_words(market: Market) -> None:
    app, supplier = market.shop.app, market.connect("bigbuy")
    market.sync(supplier)
    theirs, ours = market.bigbuy.world.offers[3:5]
    for link in app.store.walk(Query("supplier_links")):
        marks = {"said", "fingerprint", "met_version"}
        product = document(market, Key("products", link.data["product_id"])).data
        texts = {name: product[name] for name in ("name", "description", "images")}
        older = {name: value for name, value in link.data.items() if name not in marks}
        key = upsert._older_key(supplier["id"], link.data["supplier_product_id"])
        app.store.write([Put(link.key, older, link.version), Create(key, texts)])
    product = next(one for one in market.products() if one["sku"] == ours.sku)
    ok(market.manager().patch(f"/api/v1/products/{product['id']}", {"name": "Ours"}))
    theirs.name, ours.name = "Theirs anew", "Theirs too"

    run = market.sync(supplier)

    names = {one["sku"]: one["name"] for one in market.products()}
    assert counted(run)[:2] == ("succeeded", 40)
    assert (names[theirs.sku], names[ours.sku]) == ("Theirs anew", "Ours")
    assert told(market, "supplier_texts") == {}


# Stock of more products than a note holds


@pytest.mark.parametrize("kind", ["bigbuy", "aliexpress"])
def test_a_stock_sync_reads_every_linked_product(market: Market, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "_MOST_BYTES", 60)
    supplier = market.connect(kind)
    made = market.sync(supplier)
    world = getattr(market, kind).world
    for offer in world.offers:
        offer.stock += 7

    run = market.sync(supplier, "stock")

    linked = {link["supplier_product_id"]: link["supplier_stock"] for link in told(market, "supplier_links").values()}
    assert counted(run) == ("succeeded", made["created"], 0, made["created"], 0, 0)
    assert sorted(linked.values()) == sorted(
        offer.stock for offer in world.offers for _ in range(2 if kind == "aliexpress" and offer.id % 7 == 0 else 1)
    )
    assert told(market, notes.WALKS) == {}


@pytest.mark.parametrize(
    ("room", "most", "largest"),
    [(30, 495, (30, 42)), (30, 34, (22, 35)), (3, 4, (6, 12)), (10**6, 10**6, (100, 500))],
    ids=["by room", "the last one goes into the next", "one at a time", "control: no bound"],
)
def test_a_commit_takes_no_more_records_than_it_has_room_for(
    market: Market, room: int, most: int, largest: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, sizes = market.shop.app.store.documents, [0]
    commit = documents.commit

    def measured(writes: Sequence[Write]) -> Any:
        sizes.append(len(writes))
        return commit(writes)

    monkeypatch.setattr(documents, "commit", measured)
    monkeypatch.setattr(upsert, "_ROOM", room)
    monkeypatch.setattr(upsert, "_MOST", most)

    run = market.sync(market.connect("bigbuy"))

    assert counted(run) == ("succeeded", 40, 40, 0, 0, 0)
    assert largest[0] <= max(sizes) <= largest[1]
