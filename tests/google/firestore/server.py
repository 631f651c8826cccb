"""The sockets: Firestore v1 over gRPC and over REST on one port, as the official emulator has it."""

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import grpc
from google.cloud.firestore_v1 import types
from google.protobuf import json_format
from pydantic_core import from_json, to_json

from tests.google.firestore.engine import Engine, Refused

__all__ = ["serving"]

_CALLS: dict[str, Any] = {
    "Commit": types.CommitRequest,
    "GetDocument": types.GetDocumentRequest,
    "BatchGetDocuments": types.BatchGetDocumentsRequest,
    "RunQuery": types.RunQueryRequest,
    "RunAggregationQuery": types.RunAggregationQueryRequest,
}
_STREAMS = {"BatchGetDocuments", "RunQuery", "RunAggregationQuery"}
_METHODS = {"Commit": "commit", "GetDocument": "get_document", "BatchGetDocuments": "batch_get_documents"}
_METHODS |= {"RunQuery": "run_query", "RunAggregationQuery": "run_aggregation_query"}
_REST = {"commit": "Commit", "batchGet": "BatchGetDocuments", "runQuery": "RunQuery"}
_REST |= {"runAggregationQuery": "RunAggregationQuery"}
_HTTP_STATUS = {"NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "UNIMPLEMENTED": 501}


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """Serve an engine on a free port of 127.0.0.1; yield its host:port."""
    calls = grpc.server(ThreadPoolExecutor(8))
    calls.add_generic_rpc_handlers((_grpc_handlers(engine),))
    inner = calls.add_insecure_port("127.0.0.1:0")
    calls.start()
    front = _Front(engine, inner)
    thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{front.server_address[1]}"
    finally:
        front.shutdown()
        front.server_close()
        calls.stop(None)
        thread.join()


def _grpc_handlers(engine: Engine) -> Any:
    handlers = {}
    for name, request in _CALLS.items():
        make = grpc.unary_stream_rpc_method_handler if name in _STREAMS else grpc.unary_unary_rpc_method_handler
        work = _streamed(engine, name) if name in _STREAMS else _answered(engine, name)
        handlers[name] = make(work, request.pb().FromString, lambda answer: answer.SerializeToString())
    return grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", handlers)


def _answered(engine: Engine, name: str) -> Callable[[Any, Any], Any]:
    def answer(request: Any, context: Any) -> Any:
        try:
            return getattr(engine, _METHODS[name])(request)
        except Refused as refused:
            context.abort(grpc.StatusCode[refused.code], refused.message)

    return answer


def _streamed(engine: Engine, name: str) -> Callable[[Any, Any], Iterable[Any]]:
    def stream(request: Any, context: Any) -> Iterator[Any]:
        try:
            yield from getattr(engine, _METHODS[name])(request)
        except Refused as refused:
            context.abort(grpc.StatusCode[refused.code], refused.message)

    return stream


class _Front(ThreadingHTTPServer):
    """One port for both: a connection that starts with HTTP/2's preface is handed to the gRPC server."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Engine, inner: int) -> None:
        self.engine, self._inner = engine, inner
        super().__init__(("127.0.0.1", 0), _Rest)

    def finish_request(self, request: Any, client_address: Any) -> None:
        if request.recv(3, socket.MSG_PEEK) == b"PRI":
            _splice(request, socket.create_connection(("127.0.0.1", self._inner)))
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is a bug of this server and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _splice(left: socket.socket, right: socket.socket) -> None:
    """Copy both ways until one side ends."""
    back = threading.Thread(target=_copy, args=(right, left), daemon=True)
    back.start()
    _copy(left, right)
    back.join()
    right.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


class _Rest(BaseHTTPRequestHandler):
    """The REST surface: JSON of the same messages."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Front

    def do_POST(self) -> None:
        """Answer `/v1/{parent}:{method}`."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parent, _, method = unquote(self.path).removeprefix("/v1/").rpartition(":")
        try:
            status, answer = 200, self._answer(parent, _REST[method], from_json(body))
        except Refused as refused:
            status = _HTTP_STATUS.get(refused.code, 400)
            answer = {"error": {"code": status, "message": refused.message, "status": refused.code}}
        except (KeyError, json_format.ParseError) as error:
            status, answer = 400, {"error": {"code": 400, "message": str(error), "status": "INVALID_ARGUMENT"}}
        data = to_json(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, parent: str, name: str, body: dict[str, Any]) -> Any:
        place = "parent" if name.startswith("Run") else "database"
        body[place] = parent if place == "parent" else parent.removesuffix("/documents")
        request = json_format.ParseDict(body, _CALLS[name].pb()())
        answer = getattr(self.server.engine, _METHODS[name])(request)
        if name in _STREAMS:
            return [json_format.MessageToDict(each) for each in answer]
        return json_format.MessageToDict(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Keep the test output clean."""
