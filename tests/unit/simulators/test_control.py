"""The control side, `/_sim/`, as another process or a person uses it."""

from typing import Any

import pytest

from local.simulators import ShipBob, Stord
from shared.core.clock import ManualClock
from tests.unit.simulators.client import ORDERS, Got, call


def control(simulator: ShipBob | Stord, name: str, body: Any = None) -> Got:
    """Call the control side: POST with a body, GET without; no token is needed."""
    return call(simulator, f"/_sim/{name}", method="GET" if body is None else "POST", body=body, token="")


def test_a_reset_makes_a_new_world(shipbob: ShipBob) -> None:
    shipbob.fault("http_500")
    shipbob.switch(links="absolute")
    shipbob.script("/order", 1, {"op": "revoke_token"})
    before = shipbob.truth()

    made = control(shipbob, "reset", {"seed": 9, "size": 100, "scenario": "default"}).json

    assert (made["orders"], made["held"] > 0) == (100, True)
    assert shipbob.truth() != before
    assert (shipbob.faults(), shipbob.switches["links"], shipbob.journal.entries()) == ([], "relative", [])
    assert call(shipbob, "/2026-07/order").status == 200


def test_a_reset_without_words_repeats_the_world(shipbob: ShipBob) -> None:
    before = shipbob.truth()
    shipbob.world.ship(before[0]["order_id"])
    shipbob.revoke_token()

    control(shipbob, "reset", {})

    assert shipbob.truth() == before
    assert call(shipbob, "/2026-07/order").status == 200


def test_the_clock_moves(shipbob: ShipBob, clock: ManualClock) -> None:
    assert control(shipbob, "clock", {"advance_s": 90}).json == {"now": "2026-01-15T10:31:30.000000Z"}
    assert clock.monotonic() == 90


def test_faults_are_set_by_fault_or_kind_and_listed(shipbob: ShipBob) -> None:
    control(shipbob, "faults", [{"kind": "http_500", "times": 1, "route": "/order"}, {"fault": "reset", "after": 3}])

    assert control(shipbob, "faults").json["faults"] == shipbob.faults()
    assert [entry["fault"] for entry in shipbob.faults()] == ["http_500", "reset"]
    assert call(shipbob, "/2026-07/order").status == 500


def test_the_control_side_stays_within_reach_under_refusal(shipbob: ShipBob) -> None:
    control(shipbob, "faults", {"fault": "refused"})
    with pytest.raises(ConnectionError):
        call(shipbob, "/2026-07/order")

    control(shipbob, "faults", {"fault": "none"})

    assert call(shipbob, "/2026-07/order").status == 200


def test_scripts_changes_and_switches(stord: Stord) -> None:
    name = next(order.name for order in stord.world.orders if order.status == "open")
    before = call(stord, ORDERS, {"status[]": "open"}).json["metadata"]["total_count"]

    control(stord, "script", [{"route": "orders/sales", "before_request": 2, "do": [{"op": "ship", "order_id": name}]}])
    control(stord, "switches", {"total_count": "present", "rate_limit": 1000})
    made = control(stord, "change", {"op": "new_order", "lines": [["TEE-1", 1]], "short": ["TEE-1"]}).json

    totals = [call(stord, ORDERS, {"status[]": "open"}).json["metadata"]["total_count"] for _ in range(2)]
    assert totals == [before + 1, before]
    assert made["results"][0] in {row["order_id"] for row in stord.truth()}
    assert control(stord, "switches").json["switches"]["rate_limit"] == 1000


def test_the_journal_tells_requests_and_no_secret(shipbob: ShipBob) -> None:
    call(shipbob, "/2026-07/order", {"Page": 2, "StatusIds": 3})

    entry = control(shipbob, "journal").json[-1]

    assert entry == {
        "time": "2026-01-15T10:30:00.000000Z",
        "method": "GET",
        "path": "/2026-07/order",
        "route": "/order",
        "query": [["Page", "2"], ["StatusIds", "3"]],
        "headers": ["accept-encoding", "authorization", "host"],
        "authorised": True,
        "status": 200,
        "fault": None,
        "unknown_parameters": ["StatusIds"],
    }
    assert shipbob.journal.entries(status=404) == []


def test_the_truth_is_told(stord: Stord) -> None:
    assert control(stord, "truth").json == stord.truth()
    assert call(stord, "/_sim/truth", {"statuses": "open,partially_shipped"}).json == stord.truth(
        ["open", "partially_shipped"]
    )


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("faults", {"fault": "melt"}, 400),
        ("faults", {"fault": "reset", "times": 0}, 400),
        ("faults", {}, 400),
        ("switches", {"links": "odd"}, 400),
        ("switches", {"colour": "red"}, 400),
        ("change", {"op": "ship", "order_id": "77"}, 400),
        ("change", {"op": "ship", "nobody": 1}, 400),
        ("clock", {}, 400),
        ("reset", {"scenario": "storm"}, 400),
        ("nothing", {}, 404),
    ],
)
def test_wrong_control_calls_are_refused_with_a_reason(shipbob: ShipBob, name: str, body: Any, status: int) -> None:
    before = shipbob.truth()

    got = control(shipbob, name, body)

    assert (got.status, bool(got.json["message"])) == (status, True)
    assert (shipbob.faults(), shipbob.truth()) == ([], before)


def test_settings_are_what_the_product_needs(shipbob: ShipBob, stord: Stord) -> None:
    assert shipbob.settings() == {
        "SHIPBOB_BASE_URL": f"http://127.0.0.1:{shipbob.port}",
        "SHIPBOB_API_TOKEN": "demo-shipbob-token",
        "SHIPBOB_WEBHOOK_SECRET": "whsec_ZGVtby1zaGlwYm9iLXdlYmhvb2stc2VjcmV0LTAwMDE=",
    }
    assert stord.settings() == {
        "STORD_BASE_URL": f"http://127.0.0.1:{stord.port}/v1",
        "STORD_API_TOKEN": "demo-stord-token",
        "STORD_ORG_ID": "demo-org",
        "STORD_NETWORK_ID": "demo-network",
        "STORD_WEBHOOK_SECRET": "whsec_ZGVtby1zdG9yZC13ZWJob29rLXNlY3JldC0wMDAwMDE=",
    }
