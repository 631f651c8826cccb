"""The local run answers before its queue and simulators have begun: what needs them waits for them."""

import threading
from pathlib import Path

from local.control import router
from local.product import Product
from shared.http.serve import serve
from tests.client import Client
from tests.e2e.readme import SIMULATORS, free_ports
from tests.http.product import tokens


def test_draining_and_faults_wait_until_everything_has_begun(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path), "PORT": str(free_ports(1 + SIMULATORS)), "DEMO_DATA": "false"}
    product = Product(given)
    product.prepare()
    admin = Client(serve([router(product)], lambda: product.app)).as_(f"Bearer {tokens(product.app)['admin']}")
    early = admin.post("/__local/drain", {"timeout_seconds": 0})

    def begin() -> None:
        product.start()
        product.begun.set()

    beginning = threading.Thread(target=begin)
    beginning.start()
    spoiled = admin.post("/__local/simulators/bigbuy", {"fault": "http_500"})
    drained = admin.post("/__local/drain")
    beginning.join()
    product.stop()

    assert (early.status, early.json) == (200, {"drained": False})
    assert (spoiled.status, spoiled.json["faults"][0]["fault"]) == (200, "http_500")
    assert (drained.status, drained.json) == (200, {"drained": True})
