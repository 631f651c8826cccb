"""Files that break careless readers, made on request: nothing hostile lies in the tree."""

import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from local.simulators.wire import Answer

__all__ = ["HOSTILE"]

_CSV = {"Content-Type": "text/csv"}
_XML = {"Content-Type": "application/xml"}
_JSON = {"Content-Type": "application/json"}


def _dtd() -> Answer:
    body = (
        '<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://169.254.169.254/feed.dtd"><rss><channel><item><id>DTD-1</id>'
    )
    return Answer(200, f"{body}<title>Outside</title><price>1.00</price></item></channel></rss>".encode(), _XML)


def _entities() -> Answer:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">{levels}]>'
    return Answer(200, f"{head}<rss><item><id>E-1</id><title>&e9;</title></item></rss>".encode(), _XML)


def _deep_xml() -> Answer:
    return Answer(200, b"<rss><item>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</item></rss>", _XML)


def _deep_json() -> Answer:
    return Answer(200, b"[" * 200_000 + b"]" * 200_000, _JSON)


@cache
def _bomb() -> bytes:
    """Return a small gzip that unpacks to 256 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    block = b"BOMB-1,Boom,1.00\n" * 61_681
    return b"".join(
        [packer.compress(b"sku,title,price\n"), *(packer.compress(block) for _ in range(256)), packer.flush()]
    )


def _bomb_csv_gz() -> Answer:
    return Answer(200, _bomb(), {"Content-Type": "application/gzip"})


def _wide() -> Answer:
    return Answer(200, b"sku,title," + b"c," * 1_000_000 + b"end\nW-1,Wide," + b"," * 1_000_000 + b"\n", _CSV)


def _long_cell() -> Answer:
    return Answer(200, b"sku,title,price\nL-1," + b"x" * 300_000 + b",1.00\n", _CSV)


def _formulas() -> Answer:
    names = ('=HYPERLINK(""http://evil.invalid"";""x"")', "+1+1", "-2+3", "@SUM(A1)", "'=1+1", "''=cmd|' /C calc'!A0")
    rows = "".join(f'FORM-{n},"{name}",{n}.00\n' for n, name in enumerate(names, 1))
    return Answer(200, f"sku,title,price\n{rows}".encode(), _CSV)


def _ragged() -> Answer:
    return Answer(200, b"sku,title,price\nR-1,Whole,1.00\nR-2,Short\nR-3,Long,3.00,extra\nR-4,Also whole,4.00\n", _CSV)


def _bad_rows() -> Answer:
    rows = "BAD-1,One,abc,1\nBAD-2,Two,-5.00,1\nBAD-3,Three,1.00,1.5\nBAD-4,,1.00,many\nBAD-5,Five\n"
    return Answer(200, f"sku,title,price,stock\n{rows}".encode(), _CSV)


def _truncated() -> Answer:
    whole = json.dumps({"products": [{"sku": f"T-{n}", "name": f"Thing {n}", "price": 1.5} for n in range(50)]})
    return Answer(200, whole[: len(whole) * 2 // 3].encode(), _JSON)


def _endless() -> Answer:
    def rows() -> Iterator[bytes]:
        yield b"sku,title,notes\n"
        filler, number = b"n" * 60_000, 0
        while True:
            number += 1
            yield b"ENDLESS-%d,Again,%s\n" % (number, filler)

    return Answer(200, b"", _CSV, manner="endless", pieces=rows)


def _slow() -> Answer:
    return Answer(200, b"sku,title,price\nS-1,Slow,1.00\nS-2,Slower,2.00\n", _CSV, manner="slow_body")


def _loop() -> Answer:
    return Answer(302, b"", {"Location": "/feeds/hostile/redirect-loop"})


def _private() -> Answer:
    return Answer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})


HOSTILE: dict[str, Callable[[], Answer]] = {
    "dtd.xml": _dtd,
    "entities.xml": _entities,
    "deep.xml": _deep_xml,
    "deep.json": _deep_json,
    "bomb.csv.gz": _bomb_csv_gz,
    "wide.csv": _wide,
    "long-cell.csv": _long_cell,
    "formulas.csv": _formulas,
    "ragged.csv": _ragged,
    "bad-rows.csv": _bad_rows,
    "truncated.json": _truncated,
    "endless.csv": _endless,
    "slow.csv": _slow,
    "redirect-loop": _loop,
    "redirect-private": _private,
}
