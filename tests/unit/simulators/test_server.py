"""The socket server under everything: persistent connections, odd bytes, gzip, and one process per simulator."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.simulators import SHIPBOB_TOKEN, Options, ShipBob
from shared.core.clock import ManualClock
from tests.unit.simulators.client import call

ORDER = "/2026-07/order"


def test_a_connection_serves_many_requests(shipbob: ShipBob) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shipbob.port, timeout=5)
    lengths = []
    for _ in range(3):
        connection.request("GET", ORDER, headers={"Authorization": f"Bearer {SHIPBOB_TOKEN}"})
        lengths.append(len(connection.getresponse().read()))
    connection.close()

    assert len(set(lengths)) == 1


def test_requests_at_once_are_all_answered(shipbob: ShipBob) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda page: call(shipbob, ORDER, {"Page": page}).status, range(1, 41)))

    assert statuses == [200] * 40


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"x" * 70_000]
)
def test_bytes_that_are_no_request_end_the_connection(shipbob: ShipBob, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shipbob.port), timeout=5) as sock:
        sock.sendall(sent)

        assert sock.recv(100).startswith(b"HTTP/1.1 400")


def test_answers_may_be_compressed(shipbob: ShipBob) -> None:
    plain = call(shipbob, ORDER).body
    shipbob.switch(gzip="accepted")

    packed = call(shipbob, ORDER, headers={"Accept-Encoding": "gzip"})

    assert (packed.headers["content-encoding"], gzip.decompress(packed.body)) == ("gzip", plain)


def test_the_port_is_free_after_stop() -> None:
    with ShipBob(ManualClock(), Options(size=1)) as first:
        port = first.port
    with ShipBob(ManualClock(), Options(size=1, port=port)) as second:
        assert call(second, ORDER).status == 200


def test_a_taken_port_is_an_error(shipbob: ShipBob) -> None:
    with pytest.raises(OSError, match="in use"):
        ShipBob(ManualClock(), Options(size=1, port=shipbob.port))


def test_a_simulator_runs_in_a_process_of_its_own() -> None:
    line = [sys.executable, "-m", "local.simulators", "stord", "--size", "50", "--faults", "stord:http_503:1"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection(
            told["STORD_BASE_URL"].removeprefix("http://").removesuffix("/v1"), timeout=5
        )
        connection.request("GET", "/v1/organizations/demo-org/oms/networks/demo-network/orders/sales")
        status = connection.getresponse().status
        connection.close()
        process.communicate("")

    assert (told["orders"], status, process.returncode) == (50, 503, 0)
