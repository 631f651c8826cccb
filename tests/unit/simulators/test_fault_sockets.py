"""Every fault truly happens on the socket."""

import http.client
import json
import socket
import time

import pytest
import requests

from local.simulators import FAULTS, SHIPBOB_TOKEN, ShipBob, Stord
from tests.unit.simulators.client import ORDERS, call

ORDER = "/2026-07/order"
TESTED = {
    "rate_limited", "http_500", "http_502", "http_503", "http_504", "html_error", "html_ok", "truncated", "wrong_type",
    "empty_body", "empty_list", "refused", "reset", "reset_in_body", "slow_headers", "slow_body", "redirect",
    "token_revoked", "endless_pages", "wrong_total",
}  # fmt: skip


def test_every_word_of_the_contract_is_tested_here() -> None:
    assert set(FAULTS) == TESTED


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_http_errors_come_as_often_as_asked(shipbob: ShipBob, status: int) -> None:
    shipbob.fault(f"http_{status}", times=2)

    assert [call(shipbob, ORDER).status for _ in range(3)] == [status, status, 200]


def test_rate_limited_speaks_as_the_vendor_does(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("rate_limited", times=1)
    stord.fault("rate_limited", times=1)

    one, other = call(shipbob, ORDER), call(stord, ORDERS)

    assert (one.status, one.headers["x-retry-after"]) == (429, "2")
    assert one.json == {"statusCode": 429, "message": "Too many calls, try again in 2 seconds."}
    assert "retry-after" not in one.headers
    assert (other.status, other.headers["retry-after"]) == (429, "2")


def test_html_comes_with_an_error_or_without(shipbob: ShipBob) -> None:
    shipbob.fault("html_error", times=1)
    shipbob.fault("html_ok", times=1)

    bad, good = call(shipbob, ORDER), call(shipbob, ORDER)

    assert (bad.status, good.status) == (503, 200)
    assert bad.headers["content-type"] == good.headers["content-type"] == "text/html"
    assert good.body.startswith(b"<!doctype html>")


def test_truncated_json_ends_in_the_middle(shipbob: ShipBob) -> None:
    whole = call(shipbob, ORDER).body
    shipbob.fault("truncated", times=1)

    cut = call(shipbob, ORDER).body

    assert cut == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_body_shorter_than_announced_is_the_other_way_to_be_truncated(shipbob: ShipBob) -> None:
    shipbob.switch(truncated="short")
    shipbob.fault("truncated", times=1)

    with pytest.raises(http.client.IncompleteRead):
        call(shipbob, ORDER)


def test_wrong_type_keeps_the_body_and_lies_about_it(shipbob: ShipBob) -> None:
    whole = call(shipbob, ORDER).body
    shipbob.fault("wrong_type", times=1)

    got = call(shipbob, ORDER)

    assert (got.body, got.headers["content-type"]) == (whole, "text/html; charset=utf-8")


def test_an_empty_body_is_an_empty_body(shipbob: ShipBob) -> None:
    shipbob.fault("empty_body", times=1)

    assert (call(shipbob, ORDER).body, call(shipbob, ORDER).status) == (b"", 200)


def test_an_empty_list_strikes_only_order_lists(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("empty_list")
    stord.fault("empty_list")
    known = shipbob.world.orders[0].id

    assert call(shipbob, ORDER).json == []
    assert call(shipbob, ORDER, {"IDs": known}).json == []
    assert call(shipbob, "/2026-07/channel").json["items"]
    assert call(shipbob, f"/2026-07/order/{known}").json["id"] == known
    assert call(stord, ORDERS).json == {"data": [], "metadata": {"after": None, "total_count": 0}}


def test_a_refusing_port_refuses_until_cleared(shipbob: ShipBob) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", shipbob.port, timeout=5)
    kept.request("GET", ORDER)
    kept.getresponse().read()

    shipbob.fault("refused")

    with pytest.raises(ConnectionRefusedError):
        call(shipbob, ORDER)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        _again(kept)
    shipbob.clear_faults()
    assert call(shipbob, ORDER).status == 200


def _again(connection: http.client.HTTPConnection) -> None:
    """Use a connection that was open before; the library would open a new one, which is refused."""
    try:
        connection.request("GET", ORDER)
        connection.getresponse()
    finally:
        connection.close()


def test_a_counted_refusal_breaks_so_many_connections(shipbob: ShipBob) -> None:
    shipbob.fault("refused", times=1)

    with pytest.raises(ConnectionError):
        call(shipbob, ORDER)
    assert call(shipbob, ORDER).status == 200


def test_a_reset_is_a_reset_before_any_byte(shipbob: ShipBob) -> None:
    shipbob.fault("reset", times=1)
    with socket.create_connection(("127.0.0.1", shipbob.port), timeout=5) as sock:
        sock.sendall(b"GET /2026-07/order HTTP/1.1\r\nHost: x\r\n\r\n")

        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_reset_in_the_body_comes_after_some_of_it(shipbob: ShipBob) -> None:
    shipbob.fault("reset_in_body", times=1)
    request = f"GET {ORDER} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SHIPBOB_TOKEN}\r\n\r\n"
    read = bytearray()
    with socket.create_connection(("127.0.0.1", shipbob.port), timeout=5) as sock:
        sock.sendall(request.encode())

        with pytest.raises(ConnectionResetError):
            _read_all(sock, read)

    assert read.startswith(b"HTTP/1.1 200 OK\r\n")


def _read_all(sock: socket.socket, read: bytearray) -> None:
    while piece := sock.recv(1024):
        read += piece


def test_slow_headers_outlast_the_read_timeout(shipbob: ShipBob) -> None:
    shipbob.fault("slow_headers", times=1)

    with pytest.raises(TimeoutError):
        call(shipbob, ORDER, timeout=0.2)


def test_a_slow_body_starts_and_then_outlasts_the_read_timeout(shipbob: ShipBob) -> None:
    shipbob.fault("slow_body", times=1)
    url = f"{shipbob.origin}{ORDER}"
    with requests.Session() as session:
        answer = session.get(url, headers={"Authorization": f"Bearer {SHIPBOB_TOKEN}"}, timeout=0.3, stream=True)

        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError, match="Read timed out"):
            len(answer.content)


def test_slowness_ends_with_the_whole_answer(shipbob: ShipBob) -> None:
    shipbob.fault("slow_body", times=1)
    began = time.perf_counter()

    assert len(call(shipbob, ORDER).json) == 50
    assert time.perf_counter() - began >= 0.5


def test_stopping_does_not_wait_for_slow_answers(shipbob: ShipBob) -> None:
    shipbob._server.slow_s = 60.0
    shipbob.fault("slow_headers", times=1)
    with socket.create_connection(("127.0.0.1", shipbob.port), timeout=5) as sock:
        sock.sendall(b"GET /2026-07/order HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.perf_counter()

        shipbob.stop()

    assert time.perf_counter() - began < 5


def test_a_redirect_names_another_host(shipbob: ShipBob) -> None:
    shipbob.fault("redirect", times=1)

    got = call(shipbob, ORDER, {"Page": 1})

    assert (got.status, got.headers["location"]) == (302, "https://elsewhere.invalid/2026-07/order?Page=1")


def test_a_revoked_token_is_refused_in_the_middle(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("token_revoked", after=1)
    stord.fault("token_revoked", times=1)

    assert [call(shipbob, ORDER).status for _ in range(3)] == [200, 401, 401]
    assert [call(stord, ORDERS).status for _ in range(2)] == [401, 200]


def test_endless_pages_are_empty_and_name_a_next_page(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("endless_pages")
    stord.fault("endless_pages")

    far = call(shipbob, ORDER, {"Page": 99})
    first = call(stord, ORDERS, {"status[]": "nothing"}).json
    second = call(stord, ORDERS, {"status[]": "nothing", "after": first["metadata"]["after"]}).json

    assert (far.json, far.headers["next-page"], far.headers["total-pages"]) == ([], "/order?Page=100", "100")
    assert first["data"] == second["data"] == []
    assert first["metadata"]["after"] != second["metadata"]["after"] != None  # noqa: E711 (both differ, none is missing)


def test_a_wrong_total_disagrees_with_the_rows(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("wrong_total", times=1)
    stord.fault("wrong_total", times=1)

    assert call(shipbob, ORDER).headers["total-count"] == str(len(shipbob.world.orders) + 7)
    assert call(stord, ORDERS).json["metadata"]["total_count"] == len(stord.world.orders) + 7


def test_a_path_limits_a_fault_with_or_without_the_version(shipbob: ShipBob, stord: Stord) -> None:
    shipbob.fault("http_500", path="/2026-07/channel")
    shipbob.fault("http_502", path="/location")
    stord.fault("http_503", path="orders/sales")

    assert call(shipbob, ORDER).status == 200
    assert call(shipbob, "/2026-07/channel").status == 500
    assert call(shipbob, "/2026-07/location").status == 502
    assert call(stord, ORDERS).status == 503


def test_none_clears_all_faults(shipbob: ShipBob) -> None:
    shipbob.fault("http_500")
    shipbob.fault("reset", times=3, after=2, path="/order")
    listed = shipbob.faults()

    shipbob.fault("none")

    assert listed == [
        {"fault": "http_500", "times": None, "after": 0, "path": ""},
        {"fault": "reset", "times": 3, "after": 2, "path": "/order"},
    ]
    assert shipbob.faults() == []
    assert call(shipbob, ORDER).status == 200


def test_an_unknown_fault_is_refused_and_changes_nothing(shipbob: ShipBob) -> None:
    with pytest.raises(ValueError, match="rate_limited"):
        shipbob.fault("melt")

    assert shipbob.faults() == []
