"""An operator's day: the morning's refresh, triage by money, a plan, a note, a restock, and orders that leave by themselves.

The product runs as `make run` starts it; everything is asked over HTTP as an operator's tool would. Only what happens in the
warehouse (stock arrives, an order ships, the vendor tells of it) is done at the simulator.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local.simulators import SHIPBOB_WEBHOOK_SECRET
from local.simulators.webhooks import sign
from shared.oos.diff import applied, comparable
from tests.e2e import readme

PATIENCE_S = 90
V1 = "/api/v1"


class Operator:
    """Somebody at work, by HTTP."""

    def __init__(self, address: str) -> None:
        """Take the product's address; ShipBob's simulator is on the next port."""
        self.address = address
        host, _, port = address.rpartition(":")
        self.shipbob = f"{host}:{int(port) + 1}"
        self._pair = "Basic " + base64.b64encode(b"demo:demo-password-1").decode()

    def ask(self, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer."""
        status, content = self.send(self.address + path, body, {"Authorization": self._pair})
        assert status < 300, content
        return json.loads(content)

    def walk(self, query: str) -> dict[str, Any]:
        """Return the orders of a list by id."""
        path = f"{V1}/oos/orders?limit=1000&source=shipbob&{query}"
        page = self.ask(path)
        found = {item["order_id"]: item for item in page["items"]}
        while page["next_cursor"]:
            page = self.ask(f"{path}&cursor={page['next_cursor']}")
            found |= {item["order_id"]: item for item in page["items"]}
        return found

    def at_the_warehouse(self, *changes: Mapping[str, Any]) -> None:
        """Let things happen at ShipBob."""
        status, content = self.send(f"{self.shipbob}/_sim/change", list(changes), {})
        assert status == 200, content

    def shipbob_tells(self, order_id: str) -> int:
        """Deliver a signed webhook; return the status."""
        body = json.dumps({"topic": "order.shipped", "order_id": int(order_id)}).encode()
        stamp = int(datetime.now(UTC).timestamp())
        signed = sign(SHIPBOB_WEBHOOK_SECRET, "msg_day", stamp, body)
        headers = {"webhook-id": "msg_day", "webhook-timestamp": str(stamp), "webhook-signature": signed}
        return self.send(f"{self.address}{V1}/webhooks/shipbob", body, headers)[0]

    @staticmethod
    def send(url: str, body: Any, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a request, a POST when there is a body."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        asked = Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310 - our own address
        try:
            with urlopen(asked, timeout=60) as answer:  # noqa: S310 - our own address
                return answer.status, answer.read()
        except HTTPError as refused:
            return refused.code, refused.read()


def until(found: Callable[[], Any], what: str) -> Any:
    """Wait until something is so; real processes work on it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.3)
    raise AssertionError(f"in vain: {what}")


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
def test_an_operators_day(tmp_path: Path) -> None:
    with readme.running(tmp_path / "data") as address:
        readme.wait_until_read(address)
        operator = Operator(address)
        morning = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        held = operator.walk("reason=all")
        what_alerts_say(operator)

        sku = triage_by_money(operator, held)
        release = plan_and_note(operator)
        unblock_before_the_restock(operator, sku)
        gone = the_restock_arrives(operator, held, release)
        look_back(operator, morning, held, gone)


def what_alerts_say(operator: Operator) -> None:
    """Alerts of the demo shop are there with the first refresh, not an hour later, and none about a feed just read."""
    told = until(lambda: operator.ask(f"{V1}/alerts?limit=100")["items"], "alerts after the first refresh")

    assert {alert["alert_type"] for alert in told} >= {"low_stock", "order_sla"}
    assert "feed_stale" not in {alert["alert_type"] for alert in told}
    assert {alert["status"] for alert in told} == {"active"}


def triage_by_money(operator: Operator, held: Mapping[str, Any]) -> str:
    """The morning's first question: where is the money? It adds up to the orders themselves."""
    told = operator.ask(f"{V1}/oos/at-risk")
    feed = operator.walk("")
    (total,) = told["totals"]

    assert round(total["order_value"] * 100) == sum(
        round(item["value"] * 100) for item in feed.values() if item["value"]
    )
    assert feed.keys() <= held.keys()
    dearest = max(told["groups"], key=lambda group: group["line_value"])
    assert operator.ask(f"{V1}/oos/skus?sort=-value&limit=1")["items"][0]["sku"] == dearest["key"]
    return str(dearest["key"])


def plan_and_note(operator: Operator) -> Mapping[str, Any]:
    """Which of them can ship from somewhere else, now? The plan is right, and a note says what was done."""
    told = operator.ask(f"{V1}/oos/plan", {"source": "shipbob"})
    release: Mapping[str, Any] = told["releases"][0]
    order = operator.ask(f"{V1}/oos/orders/shipbob/{release['order_id']}?include=coverage,promise")
    lines = {line["line_id"]: line for line in order["lines"]}

    for one in release["assignments"]:
        sites = {(site["source"], site["facility"]): site["available"] for site in lines[one["line_id"]]["coverage"]}
        assert sites[one["from_source"], one["facility"]] >= one["units"]
    assert order["promise"]["status"] in {"estimated", "refused"}
    note = {"order_id": release["order_id"], "sku": order["lines"][0]["sku"], "comment": "Ships from the other site."}
    operator.ask(f"{V1}/comments", note)
    assert [one["comment"] for one in operator.ask(f"{V1}/comments?order_id={release['order_id']}")["items"]] == [
        "Ships from the other site."
    ]
    return release


def unblock_before_the_restock(operator: Operator, sku: str) -> None:
    """What would 40 units of the dearest SKU release?"""
    told = operator.ask(f"{V1}/oos/unblock", {"sku": sku, "quantity": 40, "source": "shipbob"})

    assert told["used"] + told["left_over"] == 40
    assert [one["position"] for one in told["released"]] == list(range(1, len(told["released"]) + 1))


def the_restock_arrives(operator: Operator, held: Mapping[str, Any], release: Mapping[str, Any]) -> dict[str, str]:
    """Orders leave the queue by themselves, with the reason: one told by a webhook, the others found by a refresh."""
    told, *found = [release["order_id"], *sorted(key for key in held if key != release["order_id"])[:3]]
    operator.at_the_warehouse({"op": "ship", "order_id": int(told)})
    assert operator.shipbob_tells(told) == 200
    order = f"{V1}/oos/orders/shipbob/{told}"
    until(lambda: operator.ask(order)["state"] == "resolved", "the webhook's order leaves")

    operator.at_the_warehouse(
        {"op": "cancel", "order_id": int(found[0])}, *({"op": "ship", "order_id": int(key)} for key in found[1:])
    )
    job = operator.ask(f"{V1}/refresh/shipbob", {})["job_id"]
    until(lambda: operator.ask(f"{V1}/jobs/{job}")["status"] == "succeeded", "the refresh ends")
    return {told: "shipped", found[0]: "cancelled"} | dict.fromkeys(found[1:], "shipped")


def look_back(operator: Operator, morning: str, held: Mapping[str, Any], gone: Mapping[str, str]) -> None:
    """The evening's question: what has changed since the morning, and why?"""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    told = operator.ask(f"{V1}/oos/diff?source=shipbob&from={morning}&to={now}")
    left = {one["order_id"]: one["resolved_reason"] for one in told["left"]}
    history = operator.ask(f"{V1}/oos/history?from={morning[:10]}&to=2100-01-01&source=shipbob&limit=1000")["items"]

    assert gone.items() <= left.items()
    assert gone.items() <= {item["order_id"]: item["resolved_reason"] for item in history}.items()
    assert operator.walk("reason=all").keys().isdisjoint(gone)
    then = operator.walk(f"reason=all&as_of={morning}")
    assert then.keys() == held.keys()
    before = {key: comparable(item) for key, item in then.items()}
    after = {key: comparable(item) for key, item in operator.walk("reason=all").items()}
    assert applied(before, told) == after
