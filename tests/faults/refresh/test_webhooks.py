"""J07: deliveries shuffled, tripled, replayed or forged leave the same state as each once and in order."""

import base64
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from shared.adapters.sources.deliveries import order_of
from shared.core.errors import NotFound, Unauthenticated
from shared.oos.asked import Asked
from shared.oos.source import Fate, Verdict
from shared.oos.webhooks import WebhookService, signature, verify
from shared.ports.documents import Query
from tests.faults.jobs.volume import sized
from tests.faults.refresh.harness import World
from tests.unit.oos.builders import a_line, an_order

SECRET = "whsec_" + base64.b64encode(b"onhand-webhook-test-key-32-bytes").decode()
EVENTS = sized(30, long=1_000)
SHUFFLES = sized(6, long=20)
ORDERS = 25


def service(world: World, secret: str | None = SECRET) -> WebhookService:
    """Return what takes a world's deliveries."""
    return WebhookService({"shipbob": secret, "stord": None}, world.marks, world.jobs, world.clock, order_of)


def headers(world: World, body: bytes, message_id: str, prefix: str = "webhook") -> dict[str, str]:
    """Sign a delivery."""
    stamp = str(int(world.clock.now().timestamp()))
    signed = signature(SECRET, message_id, stamp, body)
    return {f"{prefix}-id": message_id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": signed}


def test_the_vector_of_the_vendor_is_verified() -> None:
    """The signature computed for this project, and both names of the headers."""
    body = b'{"topic":"order.shipment.exception","order_id":1001}'
    expected = "v1,ZeS/TmDAR7ezISm2zqsZN+lY977CZGU0m2YEtHC02S0="

    assert signature(SECRET, "msg_0001", "1700000000", body) == expected
    for prefix in ("webhook", "svix"):
        sent = {f"{prefix}-id": "msg_0001", f"{prefix}-timestamp": "1700000000"}
        sent[f"{prefix}-signature"] = f"v1,AAAA v2,what {expected}"
        verify(SECRET, sent.get, body, 1_700_000_100)


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
@pytest.mark.parametrize("change", ["missing", "other", "empty", "not ascii"])
def test_a_delivery_that_proves_nothing_is_refused(name: str, change: str) -> None:
    world = World.in_memory()
    sent = headers(world, b"{}", "msg_1")
    made: Mapping[str, Callable[[str], str | None]] = {
        "missing": lambda _: None,
        "other": lambda text: "1" + text,
        "empty": lambda _: "",
        "not ascii": lambda text: text + "é",
    }
    changed = {**sent, f"webhook-{name}": made[change](sent[f"webhook-{name}"])}

    with pytest.raises(Unauthenticated):
        service(world).check("shipbob", changed.get, b"{}")


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_delivery_out_of_time_is_refused(seconds: int) -> None:
    world = World.in_memory()
    sent = headers(world, b"{}", "msg_1")
    now = world.clock.now().timestamp()

    verify(SECRET, sent.get, b"{}", now + (seconds - 1 if seconds > 0 else seconds + 1))
    with pytest.raises(Unauthenticated):
        verify(SECRET, sent.get, b"{}", now + seconds + (1 if seconds > 0 else -1))


def test_a_source_without_a_secret_takes_no_deliveries() -> None:
    world = World.in_memory()

    with pytest.raises(NotFound):
        service(world, secret=None).check("shipbob", headers(world, b"{}", "msg_1").get, b"{}")


def a_world(seed: int) -> tuple[World, list[str]]:
    """Return a refreshed world whose vendor has moved on, and the orders its webhooks name, some more than once."""
    rng, world = random.Random(seed), World.in_memory()
    world.source.orders = {f"{number:03d}": an_order(f"{number:03d}") for number in range(ORDERS)}
    world.refresh()
    world.clock.advance(100)
    for number in range(ORDERS + 5):
        order_id = f"{number:03d}"
        fate = rng.choice(("held", "changed", "gone"))
        if fate == "changed":
            world.source.orders[order_id] = an_order(order_id, a_line("CAP-2"))
        elif fate == "gone":
            world.source.orders.pop(order_id, None)
            world.source.fates[order_id] = rng.choice((Fate.SHIPPED, Fate.RELEASED))
        elif order_id not in world.source.orders:
            world.source.orders[order_id] = an_order(order_id)
    named = [f"{number:03d}" for number in range(ORDERS + 5)]
    return world, [*named, *(rng.choice(named) for _ in range(EVENTS))]


def take(world: World, order_ids: list[str], rng: random.Random | None = None) -> None:
    """Take deliveries, with the queue carried out between them at random."""
    taking = service(world)
    for order_id in order_ids:
        taking.take("shipbob", {"order_id": order_id})
        if rng is not None and rng.random() < 0.3:
            world.deliver()
    world.drain(2_000)


def state(world: World) -> dict[str, Any]:
    """Return what readers see of every order, without when it was seen and which episode's start it is."""
    page = world.twin(world.documents).oos.queue(Asked(limit=1000, state="all", wanted=Asked().wanted))
    moving = (
        "snapshot_id",
        "fetched_at",
        "last_seen_at",
        "resolved_at",
        "opened_at",
        "first_seen_at",
        "age_hours",
        "stale",
    )
    return {
        order["order_id"]: {name: value for name, value in order.items() if name not in moving}
        | {"lines": sorted((line["sku"], line["is_open"]) for line in order["lines"])}
        for order in page.orders
    }


def test_any_order_and_number_of_deliveries_ends_in_the_same_state() -> None:
    """Shuffled and tripled, with the queue running in between; equal to each once, in order, and to the vendor."""
    plain, named = a_world(1)
    take(plain, sorted(set(named)))
    expected = state(plain)
    vendor = plain.source.orders

    for shuffle in range(SHUFFLES):
        rng, (world, events) = random.Random(shuffle), a_world(1)
        shuffled = events * 3
        rng.shuffle(shuffled)
        take(world, shuffled, rng)

        assert state(world) == expected
    assert {key for key, order in expected.items() if order["state"] == "open"} == vendor.keys()
    print(f"{EVENTS + ORDERS + 5} deliveries x 3, {SHUFFLES} shuffles")


def test_the_check_finds_states_taken_from_the_deliveries_themselves() -> None:
    """Control of J07: believing what the first look said, as a delivery's own content would be, misses later news."""
    world, _ = a_world(2)
    taking = service(world)
    taking.take("shipbob", {"order_id": "001"})
    world.deliver()
    world.source.orders.pop("001", None)
    world.source.fates["001"] = Fate.CANCELLED

    stale = state(world)["001"]
    taking.take("shipbob", {"order_id": "001"})
    world.drain()

    assert state(world)["001"]["state"] == "resolved"
    assert stale != state(world)["001"]


def test_a_replay_a_day_later_changes_nothing() -> None:
    world, named = a_world(3)
    take(world, named)
    before, pointer = state(world), world.reader.current("shipbob").header.id
    world.clock.advance(86_400)
    taking = service(world)
    sent = headers(world, b"{}", "msg_1")
    world.clock.advance(86_400)

    with pytest.raises(Unauthenticated):
        taking.check("shipbob", sent.get, b"{}")
    take(world, named)

    assert state(world) == before
    assert world.twin(world.documents).reader.current("shipbob").header.id == pointer


def test_an_order_is_shown_within_a_minute_of_its_delivery() -> None:
    world, _ = a_world(4)
    world.source.orders.pop("002", None)
    world.source.fates["002"] = Fate.SHIPPED
    began = world.clock.now()
    service(world).take("shipbob", {"order_id": "001"})
    service(world).take("shipbob", {"order_id": "002"})
    world.drain()

    assert (world.clock.now() - began).total_seconds() <= 60
    assert "002" not in (world.seen() or {})


def test_many_orders_share_one_publication() -> None:
    world, named = a_world(5)
    before = len(world.documents.query(_published()))
    take(world, sorted(set(named)))

    assert len(world.documents.query(_published())) - before <= 3


def test_a_refresh_that_began_before_the_look_does_not_bring_the_old_state_back() -> None:
    """The page was read while the order was held; the look said it is gone; the publication keeps it gone."""
    world, _ = a_world(6)
    world.source.orders["001"] = an_order("001")
    job_id = world.trigger()

    def shipped_meanwhile(number: int) -> None:
        if number == 1:
            world.source.before_page = lambda _: None
            world.clock.advance(5)
            take_one(world)

    world.source.before_page = shipped_meanwhile
    world.drain()

    assert world.jobs.get(job_id).status == "succeeded"
    assert "001" not in (world.seen() or {})
    assert world.oos.order("shipbob", "001").row["resolved_reason"] == "shipped"


def take_one(world: World) -> None:
    """Ship order 001 and let a webhook's look see it, while a refresh holds its own read of it."""
    world.source.orders.pop("001")
    world.source.fates["001"] = Fate.SHIPPED
    world.marks.mark("shipbob", "001", None)
    mark = world.marks.get("shipbob", "001")
    assert mark is not None
    world.store.write([world.marks.fetched(mark, Verdict(Fate.SHIPPED), world.clock.now())])


def test_the_check_finds_a_refresh_that_ignores_later_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the marks the older read wins and the order is held again."""
    world, _ = a_world(6)
    world.source.orders["001"] = an_order("001")
    monkeypatch.setattr(world.marks, "since", lambda *_: [])
    world.trigger()

    def shipped_meanwhile(number: int) -> None:
        if number == 1:
            world.source.before_page = lambda _: None
            world.clock.advance(5)
            take_one(world)

    world.source.before_page = shipped_meanwhile
    world.drain()

    assert "001" in (world.seen() or {})


def test_a_delivery_during_the_look_is_looked_at_again() -> None:
    """The order changes after the vendor was asked and before the verdict is kept."""
    world, _ = a_world(7)
    taking = service(world)

    def news() -> None:
        world.source.before_look_up = lambda: None
        held = world.source.orders.pop("001", None)
        world.source.fates["001"] = Fate.RELEASED
        taking.take("shipbob", {"order_id": "001"})
        if held is not None:
            world.source.orders["001"] = held

    world.source.before_look_up = news
    taking.take("shipbob", {"order_id": "001"})
    world.source.orders.pop("001", None)
    world.source.fates["001"] = Fate.RELEASED
    world.drain()

    assert "001" not in (world.seen() or {})


def test_a_failed_look_is_tried_again_and_resolves_nothing() -> None:
    world, _ = a_world(8)
    world.source.orders.pop("001", None)
    world.source.fates.pop("001", None)
    before = world.seen()
    service(world).take("shipbob", {"order_id": "001"})
    world.deliver()

    assert world.seen() == before
    world.source.fates["001"] = Fate.CANCELLED
    world.drain()
    assert world.oos.order("shipbob", "001").row["resolved_reason"] == "cancelled"


def test_a_look_that_finds_nothing_lets_no_order_vanish() -> None:
    """A vendor that answers with an empty list cannot empty the queue by webhooks; a complete read decides."""
    world, _ = a_world(10)
    world.source.orders.pop("001", None)
    world.source.fates["001"] = Fate.VANISHED
    service(world).take("shipbob", {"order_id": "001"})
    world.drain()

    assert "001" in (world.seen() or {})
    world.refresh()
    assert world.oos.order("shipbob", "001").row["resolved_reason"] == "vanished"


def test_a_delivery_is_not_believed_about_the_number_of_an_order_we_hold() -> None:
    """A wrong number would make the vendor's search find nothing, and a held order vanish."""
    world, _ = a_world(9)
    world.source.orders["001"] = an_order("001")
    service(world).take("shipbob", {"order_id": "001", "order_number": "wrong"})
    world.drain()

    assert world.source.asked == [("001", "S-001")]
    assert "001" in (world.seen() or {})


def test_deliveries_name_their_order_in_every_shape() -> None:
    shapes = {
        "shipment": ("shipbob", {"id": 7002, "order_id": 1001}, ("1001", None)),
        "order": ("shipbob", {"id": 1001, "order_number": "S-1", "shipments": []}, ("1001", "S-1")),
        "nested": ("shipbob", {"topic": "x", "data": {"order_id": "1001"}}, ("1001", None)),
        "stord": ("stord", {"type": "x", "data": {"order_number": "W-1", "order_id": "8b0f"}}, ("W-1", "W-1")),
        "stord without number": ("stord", {"data": {"order_id": "8b0f"}}, ("8b0f", None)),
        "return": ("shipbob", {"id": 5, "status": "x"}, None),
        "nothing": ("stord", {"data": "text"}, None),
    }

    for name, (source, body, expected) in shapes.items():
        assert order_of(source, body) == expected, name


def _published() -> Query:
    return Query("oos_snapshots", (("source", "shipbob"), ("state", "published")), order_by="made_at", limit=1000)
