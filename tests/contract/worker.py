"""A stand-in for the worker: a real HTTP server that records calls and answers as told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Call", "Worker", "running_worker"]


@dataclass(frozen=True)
class Call:
    """One request the worker got; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Worker:
    """What came in, and what to answer: (status, headers) in order, then 200."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: Call) -> tuple[int, dict[str, str]]:
        """Record a call and return what to say; wait while the gate is closed."""
        with self.lock:
            self.calls.append(call)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(10)
        with self.lock:
            self.at_once -= 1
            return self.script.pop(0) if self.script else (200, {})


@contextmanager
def running_worker() -> Iterator[Worker]:
    """Serve on a free port of 127.0.0.1; the gate is open."""
    worker = Worker()
    worker.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = worker.answer(Call(self.path, headers, json.loads(text)))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    worker.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
