"""The demo shop's last 120 days: opening stock, sales of every day, deliveries, 60 transfer orders and 10 customers' orders.

Everything goes through the services, on a clock of its own that walks from the past to now, one commit for the sales of a day in
a store. Opening stock is booked here too, 120 days back: a level's movements never go back in time. How far it has come is part of those commits, so a start that was cut off goes on with the next day.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.demo.chance import chance
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock, parse_instant
from shared.core.ids import RandomIds
from shared.core.values import dataclass
from shared.inventory.keys import level_key
from shared.inventory.ledger import Change, Ledger
from shared.inventory.sums import Sums
from shared.inventory.words import MovementType
from shared.orders.customer_models import NewCustomerOrder, Tracking
from shared.orders.customers import CustomerOrders
from shared.orders.decision_models import NewTransfer
from shared.orders.rules import CustomerStatus, Move, Status
from shared.orders.service import Transfers
from shared.ports.documents import Create, Key, Put, Query, Stored
from shared.sales.models import NewSale
from shared.sales.service import Sales
from shared.stores.models import NewStore, StoreType
from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["DAYS", "seed_customer_orders", "seed_trade"]

App = Any
DAYS, TRANSFERS, CUSTOMER_ORDERS = 120, 60, 10
_SEED = "demo-trade"
_SALES_A_DAY = (1.3, 0.7, 0.8, 0.9, 1.0, 1.3, 1.6)
"""How busy a weekday is, Monday first."""
_SALES = 6
_OPENING, _DELIVERY, _DELIVERY_DAYS, _SUPPLIED = 40, 30, 3, 70
_NEW_DAYS, _UNDECIDED, _CANCELLED = 24, 50, 12
_PROGRESS = Key("demo", "trade")
_PLACES = (
    ("Ada", "Berger", "Lange Gasse 4", "Wien", "1080", "AT"),
    ("Bo", "Carlsen", "Havnegade 12", "Aarhus", "8000", "DK"),
    ("Chiara", "Danesi", "Via Roma 21", "Torino", "10121", "IT"),
    ("Dirk", "Evers", "Domplatz 3", "Bonn", "53111", "DE"),
    ("Elise", "Faure", "12 rue Nationale", "Lille", "59000", "FR"),
)


_STORES = (
    ("Hamburg Altstadt", "North", "Urban", "Europe/Berlin"),
    ("Bremen Market", "North", "Suburban", "Europe/Berlin"),
    ("Wien Mitte", "South", "Business", "Europe/Vienna"),
    ("Graz Hill", "South", "Tourist", "Europe/Vienna"),
    ("Lyon Centre", "West", "Shopping", "Europe/Paris"),
)


@dataclass(frozen=True)
class _Past:
    """The services of trade on a clock that stands where the history has come to."""

    app: App
    clock: ManualClock
    ledger: Ledger
    sales: Sales
    transfers: Transfers
    operator: Caller
    manager: Caller

    def at(self, moment: datetime) -> None:
        """Move on to a moment."""
        self.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))


def seed_trade(app: App) -> None:
    """Play the days that are missing."""
    now: datetime = app.clock.now()
    _stores(app)
    progress = app.store.get(_PROGRESS)
    if progress is None:
        first = {"began_at": (now - timedelta(days=DAYS)).isoformat(), "days": 0}
        app.store.write([Create(_PROGRESS, first)])
        progress = app.store.get(_PROGRESS)
    began = parse_instant(progress.data["began_at"])
    products = _products(app)
    stores = sorted(app.stores.all(), key=lambda store: (not store.is_default, store.name))
    past = _past(app, began)
    if progress.data["days"] == 0:
        _open(past, products, [store.id for store in stores])
    plan = _plan(stores, products)
    for day in range(progress.data["days"], DAYS):
        _play(past, began, day, (stores, products, plan))
    app.request_flush()


def seed_customer_orders(app: App) -> None:
    """Keep the customers' orders that are missing, each as far on its way as the demo wants it."""
    rng = chance(_SEED, "customers")
    products, past = _products(app), _past(app, app.clock.now() - timedelta(days=9))
    currency, ids = app.settings.default_currency, RandomIds(past.clock)
    orders = CustomerOrders(app.store, past.clock, ids, app.jobs, currency, app.has_supplier)
    for number in range(1, CUSTOMER_ORDERS + 1):
        past.at(app.clock.now() - timedelta(days=9) + timedelta(hours=20 * number))
        name = f"WEB-{1000 + number}"
        body = _customer_order(name, rng.choice(_PLACES), rng.sample(products, rng.randrange(1, 4)))
        key = Key("demo", f"order-{number}")
        if app.store.get(key) is None:
            app.store.atomically(lambda body=body, number=number, key=key: _keep(orders, past, body, (number, key)))


def _stores(app: App) -> None:
    """Open the demo's other stores where they are missing."""
    names = {store.name for store in app.stores.all()}
    for name, region, kind, zone in _STORES[: max(0, 6 - len(names))]:
        if name not in names:
            app.stores.create(NewStore(name=name, region=region, store_type=StoreType(kind), timezone=zone))


def _keep(orders: CustomerOrders, past: _Past, body: NewCustomerOrder, told: tuple[int, Key]) -> None:
    number, key = told
    stored = orders.create(past.operator, body)
    way = (
        (),
        (CustomerStatus.PROCESSING,),
        (CustomerStatus.CANCELLED,),
        (CustomerStatus.PROCESSING, CustomerStatus.SHIPPED),
        (CustomerStatus.PROCESSING, CustomerStatus.SHIPPED, CustomerStatus.DELIVERED),
    )[number % 5]
    if CustomerStatus.SHIPPED in way:
        for item in stored.data["items"]:
            tracking = Tracking(tracking_number=f"TRK{number:04d}", carrier="DHL")
            orders.track(stored.key.id, item["id"], tracking)
        way = way[2:]
    for status in way:
        orders.set_status(stored.key.id, status)
    past.app.store.write([Create(key, {"order_id": stored.key.id})])


def _customer_order(name: str, place: Sequence[str], products: Sequence[Stored]) -> NewCustomerOrder:
    first, last, street, city, code, country = place
    return NewCustomerOrder.model_validate(
        {
            "order_number": name,
            "platform": "webshop",
            "customer_email": f"{first}.{last}@example.com".lower(),
            "shipping_address": {
                "first_name": first,
                "last_name": last,
                "address1": street,
                "city": city,
                "postal_code": code,
                "country_code": country,
            },
            "shipping_method": "standard",
            "items": [{"product_id": product.key.id, "quantity": 1 + at} for at, product in enumerate(products)],
        }
    )


def _past(app: App, began: datetime) -> _Past:
    clock = ManualClock(began)
    ids, outbox = RandomIds(clock), WarehouseOutbox(app.store, clock)
    ledger = Ledger(app.store, clock, ids, outbox)
    sales = Sales(app.store, clock, ids, ledger, Sums(ledger), app.stores, outbox)
    transfers = Transfers(app.store, clock, ids, ledger, app.stores, outbox, app.settings.order_sla_hours)
    return _Past(app, clock, ledger, sales, transfers, *_people(app))


def _people(app: App) -> tuple[Caller, Caller]:
    """Return the demo's operator and manager."""
    found = {stored.data["username"]: stored.key.id for stored in app.store.walk(Query("users"))}
    roles = (Role.OPERATOR, Role.MANAGER)
    operator, manager = (Caller(found.get(role.value, role.value), role.value, role) for role in roles)
    return operator, manager


def _products(app: App) -> list[Stored]:
    found = [stored for stored in app.store.walk(Query("products")) if stored.data["sale_price"] is not None]
    return sorted(found, key=lambda stored: str(stored.data["sku"]))


def _open(past: _Past, products: Sequence[Stored], store_ids: Sequence[str]) -> None:
    """Book the opening stock of every shelf that has none, before the first day."""
    for store_id in store_ids:
        keys = {level_key(store_id, product.key.id): product.key.id for product in products}
        present = past.app.store.get_many(list(keys))
        missing = [product_id for key, product_id in keys.items() if key not in present]
        rng = chance(_SEED, store_id == store_ids[0], len(missing))
        changes = [
            Change(
                product_id,
                store_id,
                rng.randrange(_OPENING, 4 * _OPENING),
                MovementType.INITIAL,
                reason="Opening stock",
            )
            for product_id in missing
        ]
        past.ledger.book(changes)


def _play(past: _Past, began: datetime, day: int, shop: tuple[Any, Sequence[Stored], Mapping[int, Any]]) -> None:
    """Play one day: decisions on transfer orders first, then deliveries and sales in one commit with how far we are."""
    stores, products, plan = shop
    morning = began + timedelta(days=day)
    past.at(morning)
    for number, step in plan.get(day, ()):
        _step(past, number, step)
    past.app.store.atomically(lambda: _trade(past, morning, day, (stores, products)))


def _trade(past: _Past, morning: datetime, day: int, shop: tuple[Any, Sequence[Stored]]) -> None:
    stores, products = shop
    rng = chance(_SEED, "day", day)
    past.clock._now = morning + timedelta(minutes=30)  # noqa: SLF001 - a commit that runs again begins its day anew
    if day % _DELIVERY_DAYS == 0:
        for store in stores:
            _deliver(past, rng, store.id, products)
    busy = _SALES_A_DAY[morning.weekday()] * (1 + day / (2 * DAYS))
    _sell(past, rng, (stores, products, busy), morning)
    progress = past.app.store.get(_PROGRESS)
    past.app.store.write([Put(_PROGRESS, {**progress.data, "days": day + 1}, progress.version)])


def _deliver(past: _Past, rng: random.Random, store_id: str, products: Sequence[Stored]) -> None:
    """Restock what runs low, mostly in time."""
    booking = past.ledger.open((product.key.id, store_id) for product in products)
    for product in products:
        low = booking.available(product.key.id, store_id) <= product.data["reorder_threshold"]
        if low and rng.randrange(100) < _SUPPLIED:
            units = _DELIVERY + rng.randrange(_DELIVERY)
            booking.add(Change(product.key.id, store_id, units, MovementType.ADDITION, reason="Delivery"))
    booking.write()


def _sell(past: _Past, rng: random.Random, shop: tuple[Any, Sequence[Stored], float], morning: datetime) -> None:
    stores, products, busy = shop
    weights = [1 / (1 + at % 9) for at in range(len(products))]
    for minute in sorted(rng.randrange(60, 720) for _ in range(max(1, round(busy * _SALES)))):
        past.at(morning + timedelta(minutes=minute))
        basket = dict.fromkeys(product.key.id for product in rng.choices(products, weights, k=rng.randrange(1, 5)))
        items = [{"product_id": product_id, "quantity": rng.randrange(1, 4)} for product_id in basket]
        store = stores[0] if rng.randrange(2) else rng.choice(stores)
        past.sales.try_purchase(past.operator, NewSale.model_validate({"items": items, "store_id": store.id}))


def _plan(stores: Sequence[Any], products: Sequence[Stored]) -> dict[int, list[tuple[int, Any]]]:
    """Return what happens to which transfer order on which day: 60 orders that end in every state."""
    rng = chance(_SEED, "transfers")
    plan: dict[int, list[tuple[int, Any]]] = {}
    for number in range(TRANSFERS):
        made = 3 + number * (DAYS - 2) // TRANSFERS
        others = [store.id for store in stores if not store.is_default]
        source = stores[0].id if rng.random() < 0.8 and others else None  # noqa: PLR2004
        wanted = NewTransfer(
            from_store_id=source,
            to_store_id=rng.choice(others) if others else stores[0].id,
            product_id=rng.choice(products).key.id,
            quantity=rng.randrange(2, 13),
        )
        plan.setdefault(made, []).append((number, wanted))
        for day, step in _decisions(rng, made):
            plan.setdefault(day, []).append((number, step))
    return plan


def _decisions(rng: random.Random, made: int) -> list[tuple[int, Status]]:
    """Return an order's later days: old ones are fulfilled or cancelled, many of the newest still on their way."""
    chosen, is_new = rng.randrange(100), made > DAYS - _NEW_DAYS
    approved, ended = made + rng.randrange(1, 3), made + rng.randrange(3, 7)
    if is_new and chosen < _UNDECIDED:
        return []
    if chosen > 100 - _CANCELLED:
        return [(approved, Status.CANCELLED)]
    steps = [(approved, Status.APPROVED), (ended, Status.FULFILLED)]
    return [step for step in steps[: 1 if is_new else 2] if step[0] < DAYS]


def _step(past: _Past, number: int, step: NewTransfer | Status) -> None:
    """Make an order, or decide on it; a decision that stock refuses leaves it where it is."""
    key = Key("demo", f"transfer-{number}")
    if isinstance(step, NewTransfer):
        if past.app.store.get(key) is None:
            past.app.store.atomically(lambda: _make(past, key, step))
        return
    made = past.app.store.get(key)
    stored = past.transfers.get(made.data["order_id"])
    move = Move(step, past.manager, "No longer needed." if step is Status.CANCELLED else None)
    past.transfers.move_all([stored.key.id], move)


def _make(past: _Past, key: Key, wanted: NewTransfer) -> None:
    stored = past.transfers.create(past.operator, wanted)
    past.app.store.write([Create(key, {"order_id": stored.key.id})])
