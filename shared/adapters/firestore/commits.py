"""Commits through the official client: one conditional batch, never a transaction, never sent twice.

A commit whose answer was lost may have been applied. The client's own retries are therefore off: only the caller knows
(by its idempotency record or its job checkpoint) whether sending again is right.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from shared.adapters.encoding import encoded
from shared.adapters.firestore.values import LIST, REVISION, hidden
from shared.adapters.google_packages import client_module
from shared.core.clock import parse_instant
from shared.core.errors import Transient
from shared.ports.documents import Conflict, Create, Delete, Put, Write

__all__ = ["Commits"]

_TIMEOUT_S = 10.0


class Commits:
    """The official client, loaded and connected on the first commit."""

    def __init__(self, database: str, emulator: str | None, expiring: Collection[tuple[str, str]]) -> None:
        """Take `projects/P/databases/D`, the emulator's host:port if any, and the (collection, field) pairs with a TTL."""
        self._database = database
        self._emulator = emulator
        self._expiring = expiring
        self._lock = threading.Lock()
        self._client: Any = None

    def send(self, writes: Sequence[Write]) -> list[str]:
        """Apply the writes all or nothing; return the new versions; raise Conflict, ValueError or Transient."""
        from google.api_core import exceptions

        client = self._connected()
        request = self._request(writes)
        try:
            answer = client.commit(request=request, retry=None, timeout=_TIMEOUT_S)
        except (
            exceptions.FailedPrecondition,
            exceptions.AlreadyExists,
            exceptions.Aborted,
            exceptions.NotFound,
        ) as error:
            raise _lost(writes, error) from error
        except exceptions.InvalidArgument as error:
            raise ValueError(f"Firestore refuses the commit: {error.message}") from error
        except exceptions.GoogleAPIError as error:
            raise Transient("store_unavailable", f"Firestore: {error}") from error
        results = type(answer).pb(answer).write_results
        return [
            "" if isinstance(write, Delete) else result.update_time.ToJsonString()
            for write, result in zip(writes, results, strict=True)
        ]

    def close(self) -> None:
        """Close the connection; the next commit opens it again."""
        with self._lock:
            if self._client is not None:
                self._client.transport.close()
            self._client = None

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._emulator)
            return self._client

    def _request(self, writes: Sequence[Write]) -> Any:
        from google.cloud.firestore_v1 import types

        encoder = _Encoder()
        request = types.CommitRequest.pb()(database=self._database)
        for write in writes:
            message = request.writes.add()
            name = f"{self._database}/documents/{write.key.collection}/{write.key.id}"
            if isinstance(write, Delete):
                message.delete = name
            else:
                message.update.name = name
                for field, value in self._fields(write, encoder).items():
                    message.update.fields[field].CopyFrom(value)
            if isinstance(write, Create):
                message.current_document.exists = False
            elif write.if_version is not None:
                _set_version(message.current_document.update_time, write)
        return types.CommitRequest.wrap(request)

    def _fields(self, write: Create | Put, encoder: "_Encoder") -> Mapping[str, Any]:
        body, blobs = encoded(write.data, write.key)
        plain = from_json(body)
        fields = {name: encoder.value(value) for name, value in {**plain, **blobs}.items()}
        for collection, name in self._expiring:
            if collection == write.key.collection and isinstance(plain.get(name), str):
                fields[name] = encoder.moment(plain[name])
        if isinstance(write, Put) and write.if_version is not None:
            fields[REVISION] = encoder.value(write.if_version)
        return fields


class _Encoder:
    """Plain values to protocol buffers; a class because their modules may only be loaded on need."""

    def __init__(self) -> None:
        """Load the classes."""
        from google.cloud.firestore_v1.types import document

        self._value, self._array, self._map = document.Value.pb(), document.ArrayValue.pb(), document.MapValue.pb()
        self._kinds: dict[type, Callable[[Any], Any]] = {
            type(None): lambda _: self._value(null_value=0),
            bool: lambda value: self._value(boolean_value=value),
            int: lambda value: self._value(integer_value=value),
            float: lambda value: self._value(double_value=value),
            str: lambda value: self._value(string_value=value),
            bytes: lambda value: self._value(bytes_value=value),
            list: lambda value: self._value(array_value=self._array(values=[self._element(item) for item in value])),
            dict: lambda value: self._mapped({hidden(key): self.value(item) for key, item in value.items()}),
        }

    def value(self, value: Any) -> Any:
        """Return the Value of anything JSON, or of bytes."""
        return self._kinds[type(value)](value)

    def moment(self, text: str) -> Any:
        """Return the timestamp of a text that `instant` wrote."""
        moment = self._value()
        moment.timestamp_value.FromDatetime(parse_instant(text))
        return moment

    def _element(self, value: Any) -> Any:
        return self._mapped({LIST: self.value(value)}) if isinstance(value, list) else self.value(value)

    def _mapped(self, fields: Mapping[str, Any]) -> Any:
        return self._value(map_value=self._map(fields=fields))


def _client(emulator: str | None) -> Any:
    client = client_module("google.cloud.firestore_v1", "firestore").FirestoreClient
    if emulator is None:
        return client()
    import grpc
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

    channel = grpc.insecure_channel(emulator)
    return client(transport=FirestoreGrpcTransport(host=emulator, channel=channel))


def _set_version(stamp: Any, write: Put | Delete) -> None:
    """Write the precondition; a version that no document of ours can have is a conflict already."""
    try:
        stamp.FromJsonString(write.if_version)
    except ValueError as error:
        raise Conflict([write.key]) from error


def _lost(writes: Sequence[Write], error: Exception) -> Conflict | Transient:
    """Say what a commit lost against: a change, or, where it sets no condition, only the server's own contention."""
    conditional = [write.key for write in writes if isinstance(write, Create) or write.if_version is not None]
    return Conflict(conditional) if conditional else Transient("store_unavailable", f"Firestore: {error}")
