"""A client that calls handlers in process, without sockets and without a framework around them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode

from flask import Request, Response
from werkzeug.datastructures import Headers

__all__ = ["Answered", "Client"]

_UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as a client sees it; header names are looked up in any case."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Return the name of the problem, after checking that it is one."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return str(self.json["type"]).removeprefix("/problems/")

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Return pointer and code of each field error."""
        return [(each["pointer"], each["code"]) for each in self.json.get("errors", [])]


@dataclass(slots=True)
class Client:
    """Sends requests to a handler; `headers` go with each of them."""

    handle: Callable[[Request], Response]
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "203.0.113.7"

    def as_(self, authorization: str) -> "Client":
        """Return a client with other credentials."""
        return Client(self.handle, {**self.headers, "Authorization": authorization}, self.address)

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Answered:
        """Send a GET; keyword arguments are query parameters."""
        return self.send("GET", path, headers=headers, query=query)

    def post(self, path: str, body: Any = _UNSET, headers: Mapping[str, str] | None = None, **query: Any) -> Answered:
        """Send a POST; a body that is not bytes is sent as JSON."""
        return self.send("POST", path, body, headers=headers, query=query)

    def put(self, path: str, body: Any = _UNSET, headers: Mapping[str, str] | None = None, **query: Any) -> Answered:
        """Send a PUT."""
        return self.send("PUT", path, body, headers=headers, query=query)

    def patch(self, path: str, body: Any = _UNSET, headers: Mapping[str, str] | None = None, **query: Any) -> Answered:
        """Send a PATCH."""
        return self.send("PATCH", path, body, headers=headers, query=query)

    def delete(self, path: str, body: Any = _UNSET, headers: Mapping[str, str] | None = None, **query: Any) -> Answered:
        """Send a DELETE."""
        return self.send("DELETE", path, body, headers=headers, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: Any = _UNSET,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Send any request; `path` may carry its own query string."""
        content = b"" if body is _UNSET else body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _, query_string = path.partition("?")
        if query:
            query_string = urlencode({name: _word(value) for name, value in query.items()}, doseq=True)
        sent = {"Content-Type": "application/json"} if content else {}
        sent |= {**self.headers, **(headers or {})}
        environ = self._environ(method, path, query_string, content)
        environ |= {_variable(name): value for name, value in sent.items()}
        return _answered(self.handle(Request(environ)), environ)

    def _environ(self, method: str, path: str, query_string: str, content: bytes) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": quote(query_string, safe="%=&+,:;/?@!$'()*[]~-._|{}\"<>^`\\#"),
            "SERVER_NAME": "onhand",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(content),
            "CONTENT_LENGTH": str(len(content)) if content else "",
        }


def _answered(response: Response, environ: dict[str, Any]) -> Answered:
    """Take an answer through the WSGI layer, which drops bodies of HEAD and 304."""
    pieces, status, headers = response.get_wsgi_response(environ)
    body = b"".join(pieces)
    return Answered(int(status.split()[0]), Headers(headers), body)


def _variable(name: str) -> str:
    plain = name.upper().replace("-", "_")
    return plain if plain in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{plain}"


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
