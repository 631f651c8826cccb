"""The HTTP side: routes of REST v2, resumable uploads, and scripted faults."""

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.google.bigquery.engine import Engine, Job, Refusal, Resource
from tests.google.published import complaints

PAGE_ROWS = 1000
_PROJECT = r"^/bigquery/v2/projects/\w+"
_UPLOAD = "/upload/bigquery/v2/projects/p/jobs"


class Misspelt(AssertionError):
    """An answer of this server is not one that Google publishes."""


class BigQueryServer:
    """A running server: `url`, `engine`, `faults` to answer with instead, `log` of what was asked."""

    def __init__(self) -> None:
        """Bind a free port of the loopback address."""
        self.engine = Engine()
        self.faults: deque[tuple[str, Refusal]] = deque()
        self.drops: deque[str] = deque()
        self.log: list[str] = []
        self.misspelt: list[str] = []
        self.stopped = False
        self.uploads: dict[str, Resource] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["BigQueryServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()
        if self.misspelt:
            raise Misspelt("; ".join(self.misspelt))

    def stop(self) -> None:
        """Stop listening; later connections are refused and open ones end with their next request."""
        self.stopped = True
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Resource, dict[str, str]]:
        """Return status, JSON and headers for one request."""
        split = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        line = f"{method} {split.path}"
        self.log.append(line)
        if self.faults and re.search(self.faults[0][0], line):
            raise self.faults.popleft()[1]
        if split.path == _UPLOAD:
            return self._upload(method, query, body)
        for verb, pattern, schema, act in _ROUTES:
            found = re.match(_PROJECT + pattern + "$", split.path)
            if found and verb == method:
                return 200, self._shaped(schema, act(self.engine, found.groups(), query | {"body": body})), {}
        raise Refusal(404, "notFound", f"no route {line}")

    def _upload(self, method: str, query: dict[str, str], body: bytes) -> tuple[int, Resource, dict[str, str]]:
        if method == "POST":
            session = str(len(self.uploads))
            self.uploads[session] = json.loads(body)
            return 200, {}, {"Location": f"{self.url}{_UPLOAD}?uploadType=resumable&upload_id={session}"}
        return 200, self._shaped("Job", self.engine.insert_job(self.uploads[query["upload_id"]], body)), {}

    def _shaped(self, schema: str | None, answer: Resource) -> Resource:
        """Return an answer that is as published; what is not is remembered for the end of the test."""
        self.misspelt += complaints("bigquery.v2", schema, answer) if schema else ["not empty"] if answer else []
        return answer


def _handler_of(server: BigQueryServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            if server.stopped:
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers: dict[str, str] = {}
            try:
                status, answer, headers = server.answer(self.command, self.path, body)
            except Refusal as refusal:
                error = {
                    "code": refusal.status,
                    "message": str(refusal),
                    "errors": [{**refusal.item(), "domain": "global"}],
                }
                status, answer = refusal.status, {"error": error}
            if server.drops and re.search(server.drops[0], f"{self.command} {urlsplit(self.path).path}"):
                server.drops.popleft()
                self.close_connection = True
                return
            data = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(data)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names the standard library looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Stay silent."""

    return Handler


def _results(job: Job, query: dict[str, Any]) -> Resource:
    """Return a page of a query's rows, as getQueryResults does."""
    if job.failure is not None:
        raise job.failure
    statistics = {name: each for name, each in job.resource["statistics"]["query"].items() if name != "statementType"}
    answer: Resource = {"jobReference": job.resource["jobReference"], "jobComplete": True, **statistics}
    if "numDmlAffectedRows" in statistics:
        return answer
    start = int(query.get("pageToken") or query.get("startIndex") or 0)
    end = start + min(PAGE_ROWS, int(query.get("maxResults", PAGE_ROWS)))
    answer |= {"schema": {"fields": job.schema}, "totalRows": str(len(job.rows)), "rows": job.rows[start:end]}
    return answer | ({"pageToken": str(end)} if end < len(job.rows) else {})


def _deleted(engine: Engine, path: tuple[str, ...], _: dict[str, Any]) -> Resource:
    engine.delete_table(*path)
    return {}


_ROUTES: tuple[tuple[str, str, str | None, Callable[[Engine, tuple[str, ...], dict[str, Any]], Resource]], ...] = (
    ("GET", r"/datasets/(\w+)", "Dataset", lambda engine, path, _: engine.dataset(path[0])),
    (
        "POST",
        r"/datasets/(\w+)/tables",
        "Table",
        lambda engine, path, query: engine.create_table(path[0], json.loads(query["body"])),
    ),
    ("GET", r"/datasets/(\w+)/tables/(\w+)", "Table", lambda engine, path, _: engine.table(*path)),
    ("DELETE", r"/datasets/(\w+)/tables/(\w+)", None, _deleted),
    ("POST", r"/jobs", "Job", lambda engine, _, query: engine.insert_job(json.loads(query["body"]))),
    ("GET", r"/jobs/([\w-]+)", "Job", lambda engine, path, query: engine.job(path[0], query.get("location")).resource),
    (
        "GET",
        r"/queries/([\w-]+)",
        "GetQueryResultsResponse",
        lambda engine, path, query: _results(engine.job(path[0], query.get("location")), query),
    ),
)
