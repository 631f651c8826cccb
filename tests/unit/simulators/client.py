"""A plain HTTP client for the simulators: no retries, no pool, nothing hidden."""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from local.simulators import SHIPBOB_TOKEN, STORD_TOKEN, Simulator

ORDERS = "/v1/organizations/demo-org/oms/networks/demo-network/orders/sales"
Params = Mapping[str, object] | Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    names: list[str]

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


def call(
    simulator: Simulator,
    path: str,
    params: Params = (),
    *,
    method: str = "GET",
    token: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> Got:
    """Make one request on a connection of its own."""
    if token is None:
        token = SHIPBOB_TOKEN if simulator.name == "shipbob" else STORD_TOKEN
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=timeout)
    try:
        target = path + ("?" + urlencode(params) if params else "")
        connection.request(method, target, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        pairs = answer.getheaders()
        data = answer.read()
        return Got(answer.status, {name.lower(): value for name, value in pairs}, data, [name for name, _ in pairs])
    finally:
        connection.close()


def shipbob_orders(simulator: Simulator, **params: object) -> list[dict[str, Any]]:
    """Walk ShipBob's order list to its end."""
    found: list[dict[str, Any]] = []
    for page in range(1, 1000):
        rows = call(simulator, "/2026-07/order", {"Limit": 250, "Page": page, "SortOrder": "Oldest", **params}).json
        found += rows
        if len(rows) < 250:
            break
    return found


def stord_orders(simulator: Simulator, *statuses: str, limit: int = 100) -> list[dict[str, Any]]:
    """Walk Stord's order list to its end."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        params = [("limit", limit), *(("status[]", status) for status in statuses)]
        answer = call(simulator, ORDERS, [*params, ("after", after)] if after else params).json
        found += answer["data"]
        after = answer["metadata"]["after"]
        if after is None:
            return found
