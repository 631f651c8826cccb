"""A gRPC server for any of Google's services: methods by name, requests as the official client's own messages."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import grpc

__all__ = ["Method", "Refused", "channel", "posted", "serving"]

Method = tuple[Any, Callable[[Any], Any]]
"""The request's message type, and what answers it: a message, or None for google.protobuf.Empty."""


class Refused(Exception):
    """A refusal under one of gRPC's own code names."""

    def __init__(self, code: str, message: str) -> None:
        """Take the code's name and a sentence."""
        super().__init__(message)
        self.code, self.message = code, message


@contextmanager
def serving(service: str, methods: Mapping[str, Method]) -> Iterator[str]:
    """Serve one service on a free port of 127.0.0.1; yield its host:port."""
    server = grpc.server(ThreadPoolExecutor(8))
    handlers = {name: _handler(request, work) for name, (request, work) in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def channel(address: str) -> Any:
    """Return a channel to such a server."""
    return grpc.insecure_channel(address)


def posted(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
    """Make one call as the platform does; return status and Retry-After; 0 when nobody answers."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("POST", parts.path, body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After")
    except OSError:
        return 0, None
    finally:
        connection.close()


def _handler(request: Any, work: Callable[[Any], Any]) -> Any:
    def answer(message: Any, context: Any) -> bytes:
        try:
            found = work(request.wrap(message) if hasattr(request, "wrap") else message)
        except Refused as refused:
            context.abort(grpc.StatusCode[refused.code], refused.message)
        return b"" if found is None else bytes(type(found).pb(found).SerializeToString())

    parse = request.pb().FromString if hasattr(request, "pb") else request.FromString
    return grpc.unary_unary_rpc_method_handler(answer, parse, lambda data: data)
