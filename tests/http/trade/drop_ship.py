"""A supplier that takes orders in memory and can be told to misbehave, and a shop whose orders go there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.core.errors import NotFound, Terminal, Transient
from shared.orders.suppliers import Gateway, Link, Placed, Placement
from tests.client import Answered
from tests.http.trade.shop import Shop

__all__ = ["ADDRESS", "DropShip", "Supplier"]

ADDRESS = {"first_name": "Ada", "address1": "1 Road", "city": "Bonn", "postal_code": "53111", "country_code": "de"}


class Supplier:
    """Takes every order it is sent, twice as well: a duplicate shows in `placed`."""

    def __init__(self) -> None:
        """Start without orders and in good order."""
        self.placed: list[Placement] = []
        self.asked: list[str] = []
        self.refuses: str | None = None
        self.loses = 0
        """How many answers get lost after the order was taken."""
        self.late = 0
        """How many calls are not taken at all."""

    def find(self, reference: str) -> Placed | None:
        """Return the order of a reference."""
        self.asked.append(reference)
        at = next((at for at, one in enumerate(self.placed, 1) if one.reference == reference), None)
        return None if at is None else Placed(f"S-{at}")

    def place(self, order: Placement) -> Placed:
        """Take an order."""
        if self.refuses is not None:
            raise Terminal("refused", self.refuses)
        if self.late:
            self.late -= 1
            raise Transient("late", "No answer.")
        self.placed.append(order)
        if self.loses:
            self.loses -= 1
            raise Transient("lost", "The answer was lost.")
        return Placed(f"S-{len(self.placed)}", tracking_numbers=(f"T-{len(self.placed)}",), carrier="DHL")

    @property
    def references(self) -> list[str]:
        """Return the references of the orders taken, in order."""
        return [one.reference for one in self.placed]


class DropShip(Shop):
    """A shop with two suppliers, `sup_a` and `sup_b`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Open with two products and no links."""
        super().__init__(folder, None, **environment)
        self.suppliers = {"sup_a": Supplier(), "sup_b": Supplier()}
        self.links: dict[str, list[Link]] = {}
        vars(self.app)["supplier_gateway"] = self._gateway
        vars(self.app)["has_supplier"] = lambda supplier_id: supplier_id in self.suppliers
        vars(self.app)["supplier_links"] = self._links
        self.cup, self.pen = self.a_product("Cup", sku="CUP-1"), self.a_product("Pen", sku="PEN-1", sale_price="1.10")

    @property
    def a(self) -> Supplier:
        """Return the first supplier."""
        return self.suppliers["sup_a"]

    @property
    def b(self) -> Supplier:
        """Return the second supplier."""
        return self.suppliers["sup_b"]

    def order(self, *items: Mapping[str, Any], **said: Any) -> dict[str, Any]:
        """Keep an order of two cups and a pen from `sup_a`, unless said otherwise."""
        given = [
            {"product_id": self.cup, "quantity": 2, "supplier_id": "sup_a"},
            {"sku": "pen-1", "quantity": 1, "supplier_id": "sup_a"},
        ]
        body = {"shipping_address": ADDRESS, "items": list(items) or given, **said}
        answer = self.operator.post("/api/v1/orders", body)
        assert answer.status == 201, answer.body
        kept: dict[str, Any] = answer.json
        return kept

    def fulfil(self, order: Mapping[str, Any], **said: Any) -> Answered:
        """Ask for an order's fulfilment."""
        return self.operator.post("/api/v1/orders/fulfill", {"order_id": order["id"], **said})

    def read(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Return an order as it stands."""
        found: dict[str, Any] = self.viewer.get(f"/api/v1/orders/{order['id']}").json
        return found

    def job(self, answer: Answered) -> Any:
        """Return the job of an answer."""
        return self.app.jobs.get(answer.json["job_id"])

    def finish(self, answer: Answered, *, hours: int = 3) -> Any:
        """Let a job end, moving time on while it waits for another attempt; return it."""
        for _ in range(hours * 120):
            self.work()
            if self.job(answer).finished_at is not None:
                break
            self.clock.advance(30)
        return self.job(answer)

    def fulfilled(self, order: Mapping[str, Any], **said: Any) -> tuple[dict[str, Any], Any]:
        """Fulfil an order to the end; return it and the job."""
        answer = self.fulfil(order, **said)
        assert answer.status == 202, answer.body
        job = self.finish(answer)
        return self.read(order), job

    def _gateway(self, supplier_id: str) -> Gateway:
        if supplier_id not in self.suppliers:
            raise NotFound("No supplier has this id.", resource="supplier")
        return self.suppliers[supplier_id]

    def _links(self, product_ids: Sequence[str]) -> Mapping[str, Sequence[Link]]:
        return {product_id: self.links.get(product_id, []) for product_id in product_ids}
