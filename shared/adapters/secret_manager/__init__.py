"""The secrets port with its keys in Secret Manager: each version of one secret is a key, the newest enabled one seals.

Texts are those of `shared.adapters.aes_gcm`, so a deployment may move its ENCRYPTION_KEY here without sealing anything anew. A
rotation is a new version: it seals from the next start on, and what an instance meets that was sealed with a version it does
not know makes it read the versions again. A disabled version opens nothing more.
"""

import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any

from shared.adapters.aes_gcm import AesGcm
from shared.adapters.google_calls import crc32c, patience, translated
from shared.core.errors import Terminal

__all__ = ["SecretManagerSecrets"]

_HOST = "https://secretmanager.googleapis.com/v1"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SERVICE, _CODE = "Secret Manager", "secret_manager"


class SecretManagerSecrets:
    """Seals under the versions of one secret, named `projects/P/secrets/S`."""

    def __init__(self, secret: str, session: Callable[[], Any] | None = None, host: str = _HOST) -> None:
        """Take the secret's name, what makes the authorised session (the official one by default), and where to ask."""
        self._secret, self._host = secret, host
        self._make, self._loading = session or _official, threading.Lock()
        self._session: Any = None
        self._keys: AesGcm | None = None

    def seal(self, plain: bytes, *, place: str) -> str:
        """Return printable ciphertext with a fresh nonce and the key's id; `place` is authenticated, not stored."""
        return self._known().seal(plain, place=place)

    def open(self, sealed: str, *, place: str) -> bytes:
        """Return the plain bytes; raise Terminal `cannot_open` for a wrong place, key or tampered text."""
        keys = self._known()
        if not keys.knows(sealed):
            keys = self._read()
        return keys.open(sealed, place=place)

    def _known(self) -> AesGcm:
        return self._keys or self._read()

    def _read(self) -> AesGcm:
        """Read every enabled version; the newest comes first."""
        with self._loading:
            names = sorted(self._versions(), key=lambda name: int(name.rpartition("/")[2]), reverse=True)
            if not names:
                raise Terminal("secret_manager_empty", f"{self._secret} has no enabled version.")
            try:
                self._keys = AesGcm(*map(self._value, names))
            except ValueError as error:
                raise Terminal("secret_manager_no_key", f"A version of {self._secret} is no key: {error}.") from None
            return self._keys

    def _versions(self) -> Iterator[str]:
        token: str | None = ""
        while token is not None:
            page = self._get(f"{self._secret}/versions", {"filter": "state:ENABLED", "pageToken": token})
            yield from (version["name"] for version in page.get("versions", ()))
            token = page.get("nextPageToken") or None

    def _value(self, version: str) -> str:
        payload = self._get(f"{version}:access", {})["payload"]
        data = base64.b64decode(payload["data"])
        if int(payload.get("dataCrc32c", crc32c(data))) != crc32c(data):
            raise Terminal("secret_manager_damaged", "What Secret Manager sent was damaged on its way.")
        return data.decode("utf-8", "replace")

    def _get(self, path: str, query: dict[str, str]) -> Any:
        options = patience()
        with translated(_SERVICE, _CODE):
            return options["retry"](self._got)(path, query, options["timeout"])

    def _got(self, path: str, query: dict[str, str], limit_s: float) -> Any:
        from google.api_core import exceptions
        from google.auth.exceptions import TransportError
        from requests import RequestException

        untyped: Any = exceptions

        try:
            if self._session is None:
                self._session = self._make()
            answer = self._session.get(f"{self._host}/{path}", params=query, timeout=limit_s, allow_redirects=False)
        except (RequestException, TransportError) as failure:
            raise untyped.ServiceUnavailable(str(failure)) from failure
        if not answer.ok:
            raise untyped.from_http_response(answer)
        return answer.json()


def _official() -> Any:
    import google.auth
    from google.auth.transport import requests

    credentials, _ = google.auth.default(scopes=[_SCOPE])
    untyped: Any = requests
    return untyped.AuthorizedSession(credentials)
