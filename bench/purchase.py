"""Goal 8: whole sales against the peer's purchases at 8 and 32 connections; afterwards stock = ledger = sale lines.

Ours writes level, sums, movement, sale, rows for the warehouse and idempotency record in one commit; the peer updates a row and
inserts one. Both sell one unit of one of 900 products, the same ones in the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median

from bench.harness import Outcome, Server, Void, interleaved, workspace
from bench.load import Ask, Load, load_by_script
from bench.ours import BASIC, environment, fresh_data, function
from bench.yardsticks import bearer, peer
from shared.app import App
from shared.catalog.change_models import NewProduct
from shared.core.caller import SYSTEM
from shared.core.settings import Settings
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.ports.documents import Query

__all__ = ["measure"]

PRODUCTS, STOCK, ROUNDS = 900, 10**8, 5
FASTER, P99 = 2.5, 0.3
CONNECTIONS = (8, 32)
_SCRIPT = """
local ids = {{ {ids} }}
local n = 0
local run = os.time() .. "-" .. math.floor(os.clock() * 1e9) % 1000000007
request = function()
  n = n + 1
  local id = ids[(7 * n) % #ids + 1]
  return wrk.format("POST", "{path}", {{ {headers}["Content-Type"] = "application/json"{key} }}, {body})
end
"""


@dataclass(frozen=True, slots=True)
class _Shop:
    """A running server and the script that buys from it."""

    server: Server
    script: Path
    path: str


def measure() -> Outcome:
    """Buy from both in turn, round after round, then count what was sold."""
    data = fresh_data("purchase")
    ids = _stocked(data)
    lines: list[str] = []
    with function("sales", "/api/v1/sales?limit=1", data=data) as ours, peer("peer") as theirs:
        shops = {"ours": _ours(ours, ids), "peer": _peer(theirs)}
        for shop in shops.values():
            _run(shop, 4, seconds=1)
        variants = {
            f"{name}@{connections}": partial(_run, shop, connections)
            for connections in CONNECTIONS
            for name, shop in shops.items()
        }
        rounds = interleaved(ROUNDS, variants)
        sold = sum(sum(load.requests for name, load in each.items() if name.startswith("ours")) for each in rounds)
    lines += [_line(each) for each in rounds]
    agreed = _counted(data, ids)
    lines.append(f"sold {agreed} units in all (at least {sold} counted by the load); stock = ledger = sale lines")
    faster = [_ratio(rounds, at, "per_second") for at in CONNECTIONS]
    slowest = [_ratio(rounds, at, "p99_ms") for at in CONNECTIONS]
    return Outcome(
        value=f"{faster[0]:.1f}x @8 and {faster[1]:.1f}x @32 peer req/s, p99 {slowest[0]:.2f}x and {slowest[1]:.2f}x,"
        f" {agreed} units: stock = ledger = lines",
        goal=f">= {FASTER}x, p99 <= {P99}x, stock = ledger = lines",
        passed=min(faster) >= FASTER and max(slowest) <= P99,
        rounds=lines,
    )


def _stocked(data: Path) -> list[str]:
    """Put 900 products on the shelf; return their ids."""
    app = App(Settings.from_env(environment(data)))
    store_id = app.stores.ensure_default()
    products = [
        app.products.create(
            SYSTEM, NewProduct(sku=f"SKU-{number:06d}", name=f"Ceramic thing {number}", sale_price=Decimal("9.99"))
        )
        for number in range(PRODUCTS)
    ]
    ids = [stored.key.id for stored in products]
    for at in range(0, PRODUCTS, 100):
        changes = [Change(one, store_id, STOCK, MovementType.INITIAL) for one in ids[at : at + 100]]
        app.ledger.book(changes)
    app.close()
    return ids


def _ours(server: Server, ids: list[str]) -> _Shop:
    body = '\'{"items":[{"product_id":"\' .. id .. \'","quantity":1}]}\''
    key = ', ["Idempotency-Key"] = run .. "-" .. n'
    names = ", ".join(f'"{one}"' for one in ids)
    return _shop(server, "ours", "/api/v1/sales", _Words(names, BASIC, key, body))


def _peer(server: Server) -> _Shop:
    ids = ", ".join(f'"{2 + number}"' for number in range(PRODUCTS))
    body = "'{\"inventory_id\":' .. id .. ',\"quantity\":1}'"
    return _shop(server, "peer", "/purchases", _Words(ids, bearer(), "", body))


@dataclass(frozen=True, slots=True)
class _Words:
    ids: str
    headers: Mapping[str, str]
    key: str
    body: str


def _shop(server: Server, name: str, path: str, words: _Words) -> _Shop:
    headers = "".join(f'["{header}"] = "{value}", ' for header, value in words.headers.items())
    script = workspace() / f"purchase-{name}.lua"
    text = _SCRIPT.format(ids=words.ids, path=path, headers=headers, key=words.key, body=words.body)
    script.write_text(text)
    return _Shop(server, script, path)


def _run(shop: _Shop, connections: int, seconds: int = 3) -> Load:
    return load_by_script(shop.server, Ask(shop.path, connections=connections, seconds=seconds), shop.script)


def _ratio(rounds: list[dict[str, Load]], connections: int, figure: str) -> float:
    ours, theirs = f"ours@{connections}", f"peer@{connections}"
    return float(median(getattr(each[ours], figure) / getattr(each[theirs], figure) for each in rounds))


def _line(loads: Mapping[str, Load]) -> str:
    return "; ".join(
        f"{name}: {load.per_second:.0f}/s, p50 {load.p50_ms:.0f} ms, p99 {load.p99_ms:.0f} ms, {load.cpu_ms:.2f} ms CPU"
        for name, load in loads.items()
    )


def _counted(data: Path, ids: list[str]) -> int:
    """Return the units sold after showing that levels, movements and sale lines say the same of every product."""
    app = App(Settings.from_env(environment(data)))
    lines = dict.fromkeys(ids, 0)
    for sale in app.store.walk(Query("sales")):
        for line in sale.data["items"]:
            lines[line["product_id"]] += line["quantity"]
    moved = dict.fromkeys(ids, 0)
    for movement in app.store.walk(Query("movements")):
        moved[movement.data["product_id"]] += movement.data["quantity"]
    for level in app.store.walk(Query("levels")):
        product_id = level.data["product_id"]
        if not level.data["on_hand"] == moved[product_id] == STOCK - lines[product_id]:
            raise Void(f"{product_id}: {level.data['on_hand']}, {moved[product_id]}, {STOCK - lines[product_id]}")
    app.close()
    return sum(lines.values())
