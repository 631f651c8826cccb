"""AliExpress as sources.md 4 describes it: categories in the wrapping of the switch, signed calls only."""

from typing import Any

import pytest

from local.simulators import AliExpress, Options
from shared.adapters.suppliers.aliexpress.signing import signature
from shared.core.clock import ManualClock
from tests.unit.simulators.client import call

APP, SECRET, TOKEN = "demo-aliexpress-app", "demo-aliexpress-secret", "demo-aliexpress-key"


def _asked(simulator: AliExpress, clock: ManualClock, secret: str = SECRET) -> Any:
    told = {
        "app_key": APP,
        "method": "aliexpress.ds.category.get",
        "session": TOKEN,
        "sign_method": "sha256",
        "timestamp": str(int(clock.now().timestamp() * 1000)),
    }
    return call(simulator, "/sync", {**told, "sign": signature(secret, told)}).json


@pytest.mark.parametrize("wrapping", ["named", "bare"])
def test_categories_are_told_one_wrapping_deeper(clock: ManualClock, wrapping: str) -> None:
    with AliExpress(clock, Options(size=10)) as simulator:
        simulator.switch(wrapping=wrapping)
        told = _asked(simulator, clock)["aliexpress_ds_category_get_response"]["resp_result"]
        refused = _asked(simulator, clock, "another-secret")["error_response"]

    listed = told["result"]["categories"]
    rows = listed if wrapping == "bare" else listed["category"]
    assert (told["resp_code"], [row["category_id"] for row in rows]) == (200, [2399, 2403, 2491])
    assert refused["code"] == "IncompleteSignature"
