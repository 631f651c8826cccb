"""A small Cloud Storage: the three calls of its JSON surface that Onhand makes, on a socket, with faults."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Storage", "storage"]

_OBJECT = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)")
_UPLOAD = re.compile(r"/upload/storage/v1/b/([^/]+)/o")


class Storage:
    """Buckets of objects; `statuses` are answered first, one a request; `cut` ends downloads in the middle."""

    def __init__(self, port: int) -> None:
        """Start empty."""
        self.endpoint = f"http://127.0.0.1:{port}"
        self.objects: dict[tuple[str, str], bytes] = {}
        self.statuses: list[int] = []
        self.cut = False
        self.forbidden: set[str] = {"forbidden-bucket"}


class _Handler(BaseHTTPRequestHandler):
    """Answers for the storage its server carries."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Return an object."""
        if self._troubled():
            return
        place = self._place()
        if place and place[0] in self._storage.forbidden:
            self._send(403, b"{}")
            return
        data = self._storage.objects.get(place) if place else None
        self._send(404 if data is None else 200, data or b"{}")

    def do_DELETE(self) -> None:
        """Remove an object."""
        if self._troubled():
            return
        place = self._place()
        found = self._storage.objects.pop(place, None) if place else None
        self._send(404 if found is None else 204, b"")

    def do_POST(self) -> None:
        """Take an upload."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._troubled():
            return
        parts = urlsplit(self.path)
        found, query = _UPLOAD.fullmatch(parts.path), parse_qs(parts.query)
        assert found is not None
        assert query["uploadType"] == ["media"]
        self._storage.objects[unquote(found[1]), query["name"][0]] = body
        self._send(200, b"{}")

    @property
    def _storage(self) -> Storage:
        found = vars(self.server)["storage"]
        assert isinstance(found, Storage)
        return found

    def _troubled(self) -> bool:
        if not self._storage.statuses:
            return False
        self._send(self._storage.statuses.pop(0), b"{}")
        return True

    def _place(self) -> tuple[str, str] | None:
        found = _OBJECT.fullmatch(urlsplit(self.path).path)
        return (unquote(found[1]), unquote(found[2])) if found else None

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        short = self._storage.cut and status == 200
        self.wfile.write(body[: len(body) // 2] if short else body)
        self.close_connection = short


@contextmanager
def storage() -> Iterator[Storage]:
    """Serve a storage while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made = Storage(server.server_address[1])
    vars(server)["storage"] = made
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
