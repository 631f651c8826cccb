"""What the server of the local run lets through, so that the limits met are the product's own and told in its words."""

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from local.__main__ import Server

LONG_PATH = b"GET /?q=" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
LONG_TOKEN = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + b"y" * 9_000 + b"\r\n\r\n"


def read(config: Config, sent: bytes) -> Request:
    """Read a request as the server does before it calls the product."""
    return Request(config, IterUnreader(iter([sent])), ("127.0.0.1", 1))


def test_a_path_and_a_token_that_are_too_long_reach_the_product() -> None:
    config = Server({}).cfg

    assert len(read(config, LONG_PATH).uri) == 9_004
    assert [len(value) for name, value in read(config, LONG_TOKEN).headers if name == "AUTHORIZATION"] == [9_007]


def test_the_servers_own_defaults_would_refuse_both_in_its_own_words() -> None:
    with pytest.raises(LimitRequestLine):
        read(Config(), LONG_PATH)
    with pytest.raises(LimitRequestHeaders):
        read(Config(), LONG_TOKEN)
