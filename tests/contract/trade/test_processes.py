"""S01 and S03 to S07 with several processes at one store, on every kind of mutation: adjust, reserve, purchase, transfer, fulfil.

Each round has a product of its own. The controls are callers who do not look at what others did.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from shared.core.clock import SystemClock
from shared.core.conditions import Precondition
from shared.inventory import booking, service
from shared.inventory.keys import product_key
from shared.orders.rules import Status
from shared.ports.documents import Create, Query
from tests.contract.stock.buyers import opened
from tests.contract.trade.market import PRICES, Market, a_market
from tests.contract.trade.rivals import KINDS, Round, acted
from tests.faults.jobs.volume import LONG, sized
from tests.stores import Stores

ROOT = Path(__file__).parents[3]
PROCESSES, CALLERS, UNITS = 4, 16, 10
ALL = PROCESSES * CALLERS
LIMIT_S = 10.0
STORES = ("sqlite-file", "firestore-emulator") if LONG else ("sqlite-file",)


@dataclass
class Rivals:
    """Several processes at one store, and the same store here."""

    market: Market
    shops: list[subprocess.Popen[str]]

    def act(self, *rounds: Round) -> tuple[Counter[str], float]:
        """Let all callers of all processes act at once; return how they fared, and the seconds of the slowest.

        With fewer rounds than processes some do the same.
        """
        for number, shop in enumerate(self.shops):
            assert shop.stdin is not None
            shop.stdin.write(json.dumps(asdict(rounds[number % len(rounds)])) + "\n")
            shop.stdin.flush()
        answers = [json.loads(shop.stdout.readline()) for shop in self.shops if shop.stdout is not None]
        outcomes: Counter[str] = Counter()
        for answer in answers:
            outcomes.update(answer["outcomes"])
        return outcomes, max(answer["slowest"] for answer in answers)


@contextmanager
def running(stores: Stores, store: str, folder: Path) -> Iterator[Rivals]:
    """Start the processes; end them."""
    url, emulator = stores.url(store, folder)
    with ExitStack() as ending:
        documents = opened(url, emulator or "")
        ending.callback(documents.close)
        market = a_market(documents, SystemClock())
        market.stock.adjust("cup", 1)
        program = [sys.executable, "-m", "tests.contract.trade.rivals", url, emulator or ""]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        shops = [ending.enter_context(subprocess.Popen(program, cwd=ROOT, **pipes)) for _ in range(PROCESSES)]
        for shop in shops:
            assert shop.stdout is not None
            assert shop.stdout.readline() == "ready\n"
        made = Rivals(market, shops)
        made.act(*[Round("adjust", shelved(market, f"warm-{number}", CALLERS), [], 4) for number in range(PROCESSES)])
        yield made


@pytest.fixture(scope="module", params=STORES)
def rivals(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rivals]:
    """Give processes at each store in turn."""
    with running(stores, request.param, tmp_path_factory.mktemp("rivals")) as made:
        yield made


def shelved(market: Market, name: str, units: int) -> str:
    """Put units of a new product on the shelf; return it."""
    cup = market.stock.store.get(product_key("cup"))
    assert cup is not None
    market.stock.store.write([Create(product_key(name), {**cup.data, "sku": name.upper()})])
    market.stock.adjust(name, units)
    return name


def ordered(market: Market, kind: str, name: str) -> list[str]:
    """Make orders of one unit each where these are what callers decide on."""
    return [market.order(1, name).key.id for _ in range(ALL if kind == "fulfil" else 0)]


def shares(told: Round) -> list[Round]:
    """Return what each process does: orders are dealt out."""
    if not told.names:
        return [told]
    return [replace(told, names=told.names[at : at + CALLERS]) for at in range(0, ALL, CALLERS)]


def check(market: Market, kind: str, name: str, units: int, done: int) -> None:
    """Show that so many units left the shelf by what was done and no other, and that the ledger explains each."""
    here, moves = market.stock.level(name), market.stock.movements(name)
    gone, held = (0, done) if kind == "reserve" else (done, 0)
    assert (here["on_hand"], here["reserved"], here["available"]) == (units - gone, held, units - done)
    assert [move["quantity"] for move in moves] == [units, *[-1] * gone]
    assert [move["new_stock"] for move in moves] == [units - taken for taken in range(gone + 1)]
    assert market.sold(name) == (done if kind == "purchase" else 0)
    arrived = market.stock.movements(name, "other")
    assert sum(move["quantity"] for move in arrived) == (done if kind in {"transfer", "fulfil", "finish"} else 0)
    sums = market.stock.sums.of([name])[name]
    assert (sums["available_stock"], sums["reserved_stock"]) == (units - done + len(arrived), held)


def take_all(rivals: Rivals, rounds: int, units: int) -> None:
    """Let everybody at a shelf, kind after kind and round after round."""
    done, market = min(units, ALL), rivals.market
    expected = Counter(done=done) + Counter(short=ALL - done)
    slowest: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for number in range(rounds):
        for kind in KINDS:
            name = shelved(market, f"{kind}-{units}-{number}", units)

            outcomes, took = rivals.act(*shares(Round(kind, name, ordered(market, kind, name), CALLERS)))

            assert outcomes == expected, (kind, number)
            check(market, kind, name, units, done)
            slowest[kind] = max(slowest[kind], took)
    told = {kind: round(seconds, 2) for kind, seconds in slowest.items()}
    print(f"{rounds} rounds of {ALL} callers at {units} units, the slowest of each kind in s: {told}")
    assert max(slowest.values()) < LIMIT_S


def test_64_callers_in_4_processes_take_exactly_10_units_by_every_mutation(rivals: Rivals) -> None:
    take_all(rivals, sized(1, 20), UNITS)


@pytest.mark.skipif(not LONG, reason="64 for 64 from processes: with LONG_TESTS=1 only")
def test_64_callers_in_4_processes_are_all_served_by_every_mutation(rivals: Rivals) -> None:
    take_all(rivals, 10, ALL)


def test_64_callers_in_4_processes_fulfil_an_order_once(rivals: Rivals) -> None:
    market = rivals.market
    for number in range(sized(1, 20)):
        name = shelved(market, f"finish-{number}", UNITS)
        order = market.order(1, name)
        market.move(order, Status.APPROVED)

        outcomes, _ = rivals.act(Round("finish", name, [order.key.id], CALLERS))

        assert outcomes == {"done": 1, "late": ALL - 1}
        check(market, "finish", name, UNITS, 1)


@pytest.mark.parametrize(("kind", "refusal"), [("expected", "mismatch"), ("version", "stale")])
def test_of_64_writers_in_4_processes_who_saw_the_same_level_one_wins(rivals: Rivals, kind: str, refusal: str) -> None:
    for number in range(sized(1, 50)):
        name = shelved(rivals.market, f"{kind}-{number}", UNITS)
        seen = rivals.market.stock.level(name)["on_hand" if kind == "expected" else "version"]

        outcomes, _ = rivals.act(Round(kind, name, [str(seen)], CALLERS))

        assert outcomes == {"done": 1, refusal: ALL - 1}
        assert [move["quantity"] for move in rivals.market.stock.movements(name)] == [UNITS, -UNITS]


def test_a_unit_goes_once_though_processes_disagree_whether_its_reservation_has_ended(rivals: Rivals) -> None:
    stock = rivals.market.stock
    for number in range(sized(2, 100)):
        name = shelved(rivals.market, f"end-{number}", 1)
        held = stock.reserve(name, 1, 10)["id"]

        outcomes, _ = rivals.act(Round("commit", name, [held], CALLERS), Round("adjust", name, [], CALLERS, ahead=11))

        assert outcomes["done"] == 1
        assert outcomes["done"] + outcomes["short"] + outcomes["late"] == ALL
        assert [move["quantity"] for move in stock.movements(name)] == [1, -1]
        assert stock.level(name)["on_hand"] == 0


def test_random_histories_of_4_processes_at_once_leave_a_true_ledger(rivals: Rivals) -> None:
    market = rivals.market
    for number in range(sized(1, 25)):
        seeds = [100_000 * number + 100 * process for process in range(PROCESSES)]

        outcomes, _ = rivals.act(*[Round("history", "", [], CALLERS, seed=seed) for seed in seeds])

        assert outcomes == {"done": ALL}
        ledger_is_true(market, [(product, store) for product in PRICES for store in ("main", "other")])
        assert market.stock.audit.check().differences == []


def ledger_is_true(market: Market, pairs: Sequence[tuple[str, str]]) -> None:
    """Show that each level is the sum of its movements, each of which goes on where the one before it ended."""
    for product, store in pairs:
        running = 0
        for move in market.stock.movements(product, store):
            assert move["previous_stock"] == running
            running += move["quantity"]
            assert move["new_stock"] == running >= 0
        assert market.stock.level(product, store)["on_hand"] == running
    sales = {sale.key.id: sale.data for sale in market.stock.store.walk(Query("sales"))}
    for product in PRICES:
        taken = [move for move in market.stock.movements(product) if move["transaction_type"] == "sale"]
        lines = {
            sale_id: -line["quantity"]
            for sale_id, sale in sales.items()
            for line in sale["items"]
            if line["product_id"] == product
        }
        assert {move["reference"]: move["quantity"] for move in taken} == lines


@pytest.mark.parametrize("kind", KINDS)
def test_control_callers_who_do_not_look_at_the_shelf_are_seen(
    kind: str, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking, "check_change", lambda *_, **__: None)
    monkeypatch.setattr(booking.Booking, "can_take", lambda *_: True)
    documents = opened(stores.url("sqlite-file", tmp_path)[0], "")
    market = a_market(documents, SystemClock())
    name = shelved(market, kind, UNITS)

    answer = acted(market, Round(kind, name, ordered(market, kind, name)[:12], 12))

    assert answer["outcomes"] == {"done": 12}
    with pytest.raises(AssertionError):
        check(market, kind, name, UNITS, UNITS)
    documents.close()


@pytest.mark.parametrize("kind", ["expected", "version"])
def test_control_writers_whose_condition_is_not_looked_at_all_win(
    kind: str, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_expect", lambda *_: None)
    monkeypatch.setattr(Precondition, "check", lambda *_: None)
    documents = opened(stores.url("sqlite-file", tmp_path)[0], "")
    market = a_market(documents, SystemClock())
    name = shelved(market, kind, UNITS)

    assert acted(market, Round(kind, name, ["1"], 12))["outcomes"] == {"done": 12}
    documents.close()


def test_control_a_movement_that_is_not_written_is_seen_in_random_histories(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = booking.Booking._moved

    def silent(self: booking.Booking, change: booking.Change, level: dict[str, Any]) -> dict[str, Any]:
        movement = moved(self, change, level)
        if change.kind.value == "transfer_in":
            self._made.movements.pop()
        return movement

    monkeypatch.setattr(booking.Booking, "_moved", silent)
    documents = opened(stores.url("sqlite-file", tmp_path)[0], "")
    market = a_market(documents, SystemClock())

    assert acted(market, Round("history", "", [], 8, seed=1))["outcomes"] == {"done": 8}
    with pytest.raises(AssertionError):
        ledger_is_true(market, [(product, store) for product in PRICES for store in ("main", "other")])
    documents.close()
