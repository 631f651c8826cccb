"""What Secret Manager does with one secret: numbered versions that are enabled or not, listed in pages, read with a checksum."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google_crc32c
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession

from tests.google.calls import Refused
from tests.google.published import complaints

__all__ = ["SECRET", "SecretEngine", "running_secret_manager"]

SECRET = "projects/test/secrets/encryption-key"
_STATUS = {"NOT_FOUND": 404, "PERMISSION_DENIED": 403, "UNAVAILABLE": 503, "RESOURCE_EXHAUSTED": 429}
_PAGE = 2


class SecretEngine:
    """One secret; the service names versions by the project's number, whatever the caller calls it."""

    def __init__(self, *values: str) -> None:
        """Start with a version for each value."""
        self.values = [value.encode() for value in values]
        self.disabled: set[int] = set()
        self.damages = False
        self.trouble: list[Refused] = []
        self.asked: list[str] = []
        self.misspelt: list[str] = []

    def add(self, value: str) -> None:
        """Add a version."""
        self.values.append(value.encode())

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """Answer one GET as the service would."""
        self.asked.append(path)
        if self.trouble:
            raise self.trouble.pop(0)
        listed = path == f"/v1/{SECRET}/versions"
        answer = self._page(query) if listed else self._access(path)
        kind = "ListSecretVersionsResponse" if listed else "AccessSecretVersionResponse"
        self.misspelt += complaints("secretmanager.v1", kind, answer)
        return answer

    def _page(self, query: dict[str, str]) -> Any:
        assert query["filter"] == "state:ENABLED"
        enabled = [number for number in range(len(self.values), 0, -1) if number not in self.disabled]
        start = int(query.get("pageToken") or 0)
        shown = [{"name": _name(number), "state": "ENABLED"} for number in enabled[start : start + _PAGE]]
        more = {"nextPageToken": str(start + _PAGE)} if start + _PAGE < len(enabled) else {}
        return {"versions": shown, "totalSize": len(enabled), **more}

    def _access(self, path: str) -> Any:
        number = int(path.rpartition("/versions/")[2].removesuffix(":access"))
        if path != f"/v1/{_name(number)}:access" or not 1 <= number <= len(self.values):
            raise Refused("NOT_FOUND", "Secret version not found")
        data = self.values[number - 1]
        sums = {"dataCrc32c": str(google_crc32c.value(data) + self.damages)}
        return {"name": _name(number), "payload": {"data": base64.b64encode(data).decode(), **sums}}


@contextmanager
def running_secret_manager(engine: SecretEngine) -> Iterator[tuple[Callable[[], Any], str]]:
    """Serve an engine; yield what makes official sessions, and where to ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                status, answer = 200, engine.answer(parts.path, query)
            except Refused as refused:
                status = _STATUS[refused.code]
                answer = {"error": {"code": status, "message": refused.message, "status": refused.code}}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    session: Any = AuthorizedSession(AnonymousCredentials())  # type: ignore[no-untyped-call]
    try:
        yield lambda: session, f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        session.close()
        server.shutdown()
        server.server_close()
        thread.join()
    assert engine.misspelt == []


def _name(number: int) -> str:
    return f"projects/123456/secrets/encryption-key/versions/{number}"
