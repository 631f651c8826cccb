"""The older feed on the wire: its bytes are compressed once, in an order in which neighbours are alike."""

import gzip
import zlib

import pytest

from tests.http.oos.conftest import Desk

FEED = "/api/shipbob/oos-orders"
BROWSER = "gzip, deflate, br, zstd"


@pytest.mark.parametrize("accepted", ["gzip", BROWSER, "gzip;q=0.1", "*"])
def test_a_client_that_takes_gzip_gets_the_published_bytes(desk: Desk, accepted: str) -> None:
    plain = desk.get(FEED)

    packed = desk.get(FEED, **{"Accept-Encoding": accepted})

    assert (packed.status_code, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Authorization, Origin, Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0, *", "x-gzip-no"])
def test_a_client_that_does_not_gets_them_plain(desk: Desk, accepted: str) -> None:
    answer = desk.get(FEED, **{"Accept-Encoding": accepted})

    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)
    assert answer.data.startswith(b'[{"order_id"')


@pytest.mark.parametrize("accepted", ["", "gzip", BROWSER])
def test_a_client_that_has_the_bytes_is_told_so_whatever_it_takes(desk: Desk, accepted: str) -> None:
    tag = desk.get(FEED).headers["ETag"]

    answer = desk.get(FEED, **{"If-None-Match": tag, "Accept-Encoding": accepted})

    assert (answer.status_code, answer.data, answer.headers.get("Content-Encoding")) == (304, b"", None)


def test_the_feed_comes_latest_seen_first_and_by_sku_within_one_read(desk: Desk) -> None:
    rows = desk.json(FEED)

    places = [(row["last_seen_at"], row["oos_lines"][0]["sku"] or "", row["order_id"]) for row in rows]
    assert places == sorted(sorted(places, key=lambda place: place[1:]), key=lambda place: place[0], reverse=True)
    assert len({sku for _, sku, _ in places}) > 10


def test_the_order_and_the_level_make_the_answer_smaller(desk: Desk) -> None:
    """The same rows by order id, compressed as zlib does by itself, are more bytes."""
    packed = desk.get(FEED, **{"Accept-Encoding": "gzip"}).data
    rows = sorted(gzip.decompress(packed)[2:-2].split(b'},{"order_id"'))

    assert len(packed) < len(zlib.compress(b'},{"order_id"'.join(rows)))
