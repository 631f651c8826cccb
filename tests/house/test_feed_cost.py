"""What a feed request costs in document reads, counted: the pointer at most once a second, the bytes once per snapshot."""

import gzip
from pathlib import Path

from bench.feed_data import publish
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from tests.client import Client
from tests.http.builders import UNLIMITED

FEED = "/api/shipbob/oos-orders"
PASSWORD = "feed-password-1"


def a_feed(folder: Path) -> tuple[App, Client]:
    """Return the application over a snapshot of 500 orders, and a client of its feed."""
    from functions.oos.legacy import router as legacy
    from functions.oos.routes import router
    from shared.http.serve import serve

    publish(folder, 500)
    given = {"DATA_DIR": str(folder), "BASIC_AUTH_USERNAME": "feed", "BASIC_AUTH_PASSWORD": PASSWORD}
    app = App(Settings.from_env({**UNLIMITED, **given}), ManualClock())
    return app, Client(serve([router, legacy], lambda: app)).as_("Basic ZmVlZDpmZWVkLXBhc3N3b3JkLTE=")


def reads_of(app: App, client: Client, **headers: str) -> tuple[int, int]:
    """Return the status of a feed request and the documents it read."""
    before = app.documents.counts.reads
    status = client.get(FEED, headers={"Accept-Encoding": "gzip", **headers}).status
    return status, app.documents.counts.reads - before


def test_a_feed_costs_three_reads_the_first_time_one_each_second_and_none_in_between(tmp_path: Path) -> None:
    app, client = a_feed(tmp_path)

    first = reads_of(app, client)
    again = reads_of(app, client)
    app.clock.advance(1.5)  # type: ignore[attr-defined]
    later = reads_of(app, client)

    assert first[0] == again[0] == later[0] == 200
    assert first[1] <= 3
    assert [again[1], later[1]] == [0, 1]
    assert "warehouse" not in vars(app)


def test_an_order_costs_less_than_a_hundred_bytes_on_the_wire(tmp_path: Path) -> None:
    """Egress is most of what a feed costs: 1.4 kB of JSON for each order, compressed once."""
    _, client = a_feed(tmp_path)

    packed = client.get(FEED, headers={"Accept-Encoding": "gzip"}).body

    assert len(packed) < 100 * 500
    assert len(gzip.decompress(packed)) > 1_400 * 500


def test_an_unchanged_feed_costs_at_most_the_pointer(tmp_path: Path) -> None:
    app, client = a_feed(tmp_path)
    tag = client.get(FEED).headers["ETag"]
    app.clock.advance(1.5)  # type: ignore[attr-defined]

    assert reads_of(app, client, **{"If-None-Match": tag}) == (304, 1)
    assert reads_of(app, client, **{"If-None-Match": tag}) == (304, 0)
    assert "warehouse" not in vars(app)
