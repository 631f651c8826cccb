"""The documents port on Firestore: versions are the documents' update times."""

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.encoding import MAX_WRITES, check_writes, possible
from shared.adapters.firestore.commits import Commits
from shared.adapters.firestore.queries import counted, structured
from shared.adapters.firestore.rest import Rest
from shared.adapters.firestore.values import decoded
from shared.adapters.shapes import Shapes
from shared.core.clock import Clock, SystemClock
from shared.ports.documents import Counts, Delete, Key, Query, Stored, UndeclaredShape, Write

__all__ = ["FirestoreDocuments"]

_MOST_KEYS = 500
_log = logging.getLogger(__name__)


class FirestoreDocuments:
    """One Firestore database; safe for threads."""

    most_writes = MAX_WRITES

    def __init__(
        self,
        url: str,
        shapes: Shapes,
        clock: Clock | None = None,
        *,
        emulator: str | None = None,
        strict: bool = True,
    ) -> None:
        """Take `firestore://project/database`, the declared shapes, and the emulator's host:port if any.

        When not `strict` (in the cloud) an undeclared shape is logged and left to Firestore to refuse.
        """
        self._database = database_name(url)
        self.counts = Counts()
        self._shapes, self._strict = shapes, strict
        self._rest = Rest(self._database, emulator, clock or SystemClock(), random.Random())  # noqa: S311 - jitter
        self._commits = Commits(self._database, emulator, shapes.expiring)

    def get(self, key: Key) -> Stored | None:
        """Return one document as last committed, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return those of the documents that exist, as of one moment."""
        wanted = [key for key in dict.fromkeys(keys) if possible(key)]
        names = [f"{self._database}/documents/{key.collection}/{key.id}" for key in wanted]
        found: dict[Key, Stored] = {}
        moment: dict[str, str] = {}
        for start in range(0, len(names), _MOST_KEYS):
            answers = self._rest.post("batchGet", {"documents": names[start : start + _MOST_KEYS], **moment})
            for answer in answers:
                if "found" in answer:
                    document = _stored(answer["found"])
                    found[document.key] = document
                moment = {"readTime": answer["readTime"]}
        self.counts.add(reads=len(names))
        return found

    def query(self, query: Query) -> list[Stored]:
        """Return the matching documents in order; raise UndeclaredShape for a shape without its index."""
        self._check(query)
        answers = self._rest.post("runQuery", structured(query, self._database, self._expiring(query)))
        rows = [_stored(answer["document"]) for answer in answers if "document" in answer]
        self.counts.add(reads=max(1, len(rows) + query.offset))
        return rows

    def count(self, query: Query) -> int:
        """Return how many documents match, ignoring order, limit, place and offset."""
        self._check(query)
        answers = self._rest.post("runAggregationQuery", counted(query, self._expiring(query)))
        # Elements without a result only report progress.
        (result,) = (answer["result"] for answer in answers if "result" in answer)
        number = int(result["aggregateFields"]["n"]["integerValue"])
        self.counts.add(reads=max(1, -(-number // 1000)))
        return number

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Apply the writes all or nothing; return the new versions in order ("" for a Delete)."""
        check_writes(writes)
        if not writes:
            return []
        versions = self._commits.send(writes)
        deletes = sum(isinstance(write, Delete) for write in writes)
        self.counts.add(writes=len(writes) - deletes, deletes=deletes)
        return versions

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Apply the writes as `commit` does: Firestore takes no more at a time."""
        return self.commit(writes)

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when Firestore does not answer."""
        self._rest.post("batchGet", {"documents": [f"{self._database}/documents/ping/ping"]}, once=True)

    def close(self) -> None:
        """Close all connections."""
        self._rest.close()
        self._commits.close()

    def _check(self, query: Query) -> None:
        try:
            self._shapes.check(query)
        except UndeclaredShape as error:
            if self._strict:
                raise
            _log.error("%s", error)

    def _expiring(self, query: Query) -> frozenset[str]:
        return frozenset(name for collection, name in self._shapes.expiring if collection == query.collection)


def database_name(url: str) -> str:
    """Return `projects/P/databases/D` of `firestore://P/D` (D defaults to `(default)`); raise ValueError otherwise."""
    parts = urlsplit(url)
    if parts.scheme != "firestore" or not parts.netloc:
        raise ValueError(f"not a Firestore address (firestore://project/database): {url}")
    return f"projects/{parts.netloc}/databases/{parts.path.strip('/') or '(default)'}"


def _stored(document: Mapping[str, Any]) -> Stored:
    collection, document_id = document["name"].split("/")[-2:]
    return Stored(Key(collection, document_id), decoded(document.get("fields", {})), document["updateTime"])
