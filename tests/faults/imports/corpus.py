"""Hostile files, made from a seed: each breaks some reader that trusts what it is given."""

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

__all__ = ["bomb", "corpus", "mutated"]

_PLAIN = b"sku,title,price,stock\nA-1,Tee,1.00,5\nA-2,Cap,2.00,6\n"
_XML = (
    b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>A</g:id><title>T</title></item></channel></rss>'
)
_JSON = json.dumps({"products": [{"sku": "A", "name": "T", "price": 1.5, "tags": ["a", "b"]}] * 5}).encode()


def bomb(mebibytes: int) -> bytes:
    """Return a gzip that unpacks to so many MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"A,Boom,1.00,%s\n" % (b"n" * 4_000) * 264
    return b"".join([*(packer.compress(block) for _ in range(mebibytes)), packer.flush()])


def corpus(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield some three hundred files by name."""
    yield from _documents()
    yield from _tables()
    yield from _archives()
    rng = random.Random(seed)
    for name, whole in (("csv", _PLAIN), ("xml", _XML), ("json", _JSON), ("gzip", gzip.compress(_PLAIN, mtime=0))):
        for number in range(60):
            yield f"{name} cut and stirred {number}", mutated(whole, rng)


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """Return a file with some bytes changed, doubled, taken out or moved."""
    data = bytearray(whole)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(data)) if data else 0
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.randrange(1, 20)]
            case 2:
                data[at:at] = rng.choice((b"\0", b'"', b"<", b"]", b"{", b"\xff\xfe", b"\r", b"&x;", b"'=1"))
            case 3:
                data[at:at] = data[: rng.randrange(1, 40)]
            case _:
                data = data[: max(1, at)]
    return bytes(data)


def _documents() -> Iterator[tuple[str, bytes]]:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    yield "laughs", f'<!DOCTYPE r [<!ENTITY e0 "ha">{levels}]><r><item><id>&e9;</id></item></r>'.encode()
    yield "outside dtd", b'<!DOCTYPE r SYSTEM "http://169.254.169.254/x.dtd"><r><item><id>1</id></item></r>'
    yield "outside entity", b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><item><id>&x;</id></item></r>'
    yield "parameter entity", b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://169.254.169.254/">%x;]><r/>'
    for depth in (65, 1_000, 200_000):
        yield f"depth {depth}", b"<r>" + b"<a>" * depth + b"</a>" * depth + b"</r>"
        yield f"json depth {depth}", b"[" * depth + b"]" * depth
        yield f"json object depth {depth}", b'{"products":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    attributes = b" ".join(b'a%d="1"' % number for number in range(20_000))
    yield "attributes", b"<r><item " + attributes + b"><id>1</id></item></r>"
    yield "long tag", b"<r><item " + b"a" * 3_000_000
    yield "long text", b"<r><item><id>" + b"x" * 1_000_000 + b"</id></item></r>"
    yield "long comment", b"<r><!--" + b"x" * 5_000_000
    yield "cdata", b"<r><item><id><![CDATA[" + b"x" * 1_000_000 + b"]]></id></item></r>"
    yield "many cells", b"<r><item>" + b"".join(b"<c%d>1</c%d>" % (n, n) for n in range(5_000)) + b"</item></r>"
    yield "bad prefix", b"<r><item><g:id>1</g:id></item></r>"
    yield "unknown encoding", b'<?xml version="1.0" encoding="klingon"?><r><item><id>1</id></item></r>'
    yield "page", b"<!doctype html><html><body>Not a feed</body></html>"
    yield "json text", b'{"products": [{"name": "' + b"x" * 9_000_000 + b'"}]}'
    yield "json keys", b'{"products": [{' + b",".join(b'"k%d": 1' % n for n in range(300)) + b"}]}"
    yield "json number", b'[{"sku": "a", "price": 1' + b"0" * 5_000 + b"}]"
    yield "json exponent", b'[{"sku": "a", "name": "b", "price": 1e999999999}]'
    yield "json not a number", b'{"sku": "a", "name": "b", "price": NaN}\n{"sku": "b"}\n'
    yield "json no list", b'{"meta": {"items": [1]}, "count": 3}'
    yield "json scalars", b'[1, "two", null, true, [3], {"sku": "x", "name": "y"}]'
    yield "lines deep", b'{"sku":"a"}\n' + b'{"a":' * 5_000 + b"\n"
    yield "lone surrogate", b'[{"sku": "a", "name": "\\ud800", "price": 1}]'


def _tables() -> Iterator[tuple[str, bytes]]:
    yield "wide header", b"sku,title," + b"c," * 1_000_000 + b"end\n"
    yield "wide row", b"sku,title\nA,B" + b"," * 1_000_000 + b"\n"
    yield "columns", b",".join(b"c%d" % n for n in range(201)) + b"\nx\n"
    yield "long cell", b"sku,title\nA," + b"x" * 300_000 + b"\n"
    yield "open quote", b'sku,title\nA,"' + b"x\n" * 3_000_000
    yield "no line end", b"sku,title\n" + b"x" * 12_000_000
    yield "only quotes", b'"' * 100_000
    yield "nul", b"sku,title,price\nA\0,T\0ee,1\0\nB,Cap,2\n"
    yield "utf-16", "sku;title\nA;Tee\n".encode("utf-16")
    yield "utf-16 broken", "sku;title\nA;Tee\n".encode("utf-16")[:-1]
    yield "utf-8 mark", b"\xef\xbb\xbfsku,title\nA,Tee\n"
    yield "latin", "sku;titre;prix\nA;Th\u00e9;1,5\n".encode("latin-1")
    yield "undefined bytes", b"sku,title\nA,\x81\x8d\x8f\x90\x9d\n"
    yield "direction marks", "sku,title\nA,\u202etxt.exe\n".encode()
    yield "blank headers", b",,\nA,B,C\n"
    yield "double headers", b"sku,sku,title,title\nA,B,C,D\n"
    yield "formulas", b"sku,title\n=cmd|' /C calc'!A0,=1+1\n+1,@x\n-1,\t=1\n"
    yield "empty", b""
    yield "blank", b"\n\n  \n"
    yield "header only", b"sku,title,price\n"
    for separator in (b",", b";", b"\t", b"|"):
        yield f"ragged {separator!r}", separator.join([b"sku", b"title"]) + b"\n" + separator * 5 + b"\nA\n"


def _archives() -> Iterator[tuple[str, bytes]]:
    yield "bomb", bomb(64)
    yield "gzip in gzip", gzip.compress(gzip.compress(_PLAIN))
    yield "cut gzip", gzip.compress(_PLAIN * 100)[:-30]
    yield "many members", gzip.compress(b"sku,title\n") + gzip.compress(b"A,B\n") * 30
    yield "office", _zip({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    yield "zip of many", _zip({f"{number}.csv": _PLAIN for number in range(30)})
    yield "zip of two", _zip({"a.csv": _PLAIN, "b.csv": _PLAIN})
    yield "zip upwards", _zip({"../../etc/cron.d/x": _PLAIN})
    yield "zip absolute", _zip({"/etc/passwd": _PLAIN})
    yield "zip of windows", _zip({"C:\\x.csv": _PLAIN})
    yield "zip in zip", _zip({"a.zip": _zip({"b.csv": _PLAIN})})
    yield "zip bomb", _zip({"a.csv": b"0" * 64_000_000})
    yield "zip empty", b"PK\x05\x06" + b"\0" * 18
    yield "zip cut", _zip({"a.csv": _PLAIN * 50})[:60]
    yield "zip lies", struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 5, 2**32 - 1, 5, 0) + b"a.csv" + b"x"
    yield "old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()
