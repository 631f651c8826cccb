"""What Firestore does, on its own messages: conditional commits, reads, structured queries, counts.

Kept from the real one because our adapter depends on it: a commit is all or nothing; a write of equal content keeps the
update time; ranges stay within a type; a query without its index is refused with the words of the real service.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.shapes import Shape, Shapes
from tests.google.firestore.values import comparable, refusal, same_kind

__all__ = ["Engine", "Refused"]

_FIRST_MOMENT = 1_767_225_600_000_000  # 2026-01-01 in microseconds; every commit is one later
_DESCENDING = types.StructuredQuery.Direction.DESCENDING
_SIGNS = {"LESS_THAN": (-1,), "LESS_THAN_OR_EQUAL": (-1, 0), "GREATER_THAN": (1,), "GREATER_THAN_OR_EQUAL": (0, 1)}


class Refused(Exception):
    """An error of the protocol: the name of its status code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        """Take both."""
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Engine:
    """All databases of one server, in memory; one lock makes every call a moment of its own."""

    shapes: Shapes
    documents: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    moment: int = _FIRST_MOMENT

    def commit(self, request: Any) -> Any:
        """Check every precondition, then write everything; a failed one changes nothing."""
        with self.lock:
            for write in request.writes:
                self._check(write)
            self.moment += 1
            now = self._now()
            answer = types.CommitResponse.pb()(commit_time=now)
            for write in request.writes:
                answer.write_results.append(self._write(write, now))
            return answer

    def get_document(self, request: Any) -> Any:
        """Return one document or NOT_FOUND."""
        with self.lock:
            if request.name not in self.documents:
                raise Refused("NOT_FOUND", f"Document {request.name!r} not found.")
            return self.documents[request.name]

    def batch_get_documents(self, request: Any) -> Iterator[Any]:
        """Answer each name with the document or as missing, all as of one moment."""
        answer = types.BatchGetDocumentsResponse.pb()
        with self.lock:
            for name in request.documents:
                if len(name.split("/")) % 2 == 0:
                    raise Refused("INVALID_ARGUMENT", f"Document name {name!r} lacks a part.")
            found = [(name, self.documents.get(name)) for name in request.documents]
            now = self._now()
        for name, document in found:
            known = {"missing": name} if document is None else {"found": document}
            yield answer(read_time=now, **known)

    def run_query(self, request: Any) -> Iterator[Any]:
        """Answer with the matching documents in order, or once with the time when there are none."""
        answer = types.RunQueryResponse.pb()
        with self.lock:
            rows, now = self._selected(request), self._now()
        for row in rows:
            yield answer(document=row, read_time=now)
        if not rows:
            yield answer(read_time=now)

    def run_aggregation_query(self, request: Any) -> Iterator[Any]:
        """Answer with counts; no other aggregation is in use."""
        query = request.structured_aggregation_query
        inner = types.RunQueryRequest.pb()(parent=request.parent, structured_query=query.structured_query)
        with self.lock:
            number, now = len(self._selected(inner)), self._now()
        answer = types.RunAggregationQueryResponse.pb()(read_time=now)
        for aggregation in query.aggregations:
            if not aggregation.HasField("count"):
                raise Refused("UNIMPLEMENTED", "only count")
            answer.result.aggregate_fields[aggregation.alias].integer_value = number
        yield answer

    def _now(self) -> Any:
        stamp = Timestamp()
        stamp.FromMicroseconds(self.moment)
        return stamp

    def _check(self, write: Any) -> None:
        name = write.update.name or write.delete
        reason = refusal(write.update)
        if reason:
            raise Refused("INVALID_ARGUMENT", reason)
        if write.HasField("update_mask") or write.update_transforms:
            raise Refused("UNIMPLEMENTED", "field masks and transforms are not in use")
        present, wanted = self.documents.get(name), write.current_document
        kind = wanted.WhichOneof("condition_type")
        if kind == "exists" and wanted.exists != (present is not None):
            code = "NOT_FOUND" if wanted.exists else "ALREADY_EXISTS"
            raise Refused(code, f"precondition on {name}")
        if kind == "update_time" and (present is None or present.update_time != wanted.update_time):
            raise Refused("NOT_FOUND" if present is None else "FAILED_PRECONDITION", f"precondition on {name}")

    def _write(self, write: Any, now: Any) -> Any:
        result = types.WriteResult.pb()()
        if write.delete:
            self.documents.pop(write.delete, None)
            return result
        name, present = write.update.name, self.documents.get(write.update.name)
        if present is None or present.fields != write.update.fields:
            created = now if present is None else present.create_time
            document = types.Document.pb()(name=name, create_time=created, update_time=now)
            document.MergeFrom(write.update)
            self.documents[name] = document
        result.update_time.CopyFrom(self.documents[name].update_time)
        return result

    def _selected(self, request: Any) -> list[Any]:
        query = request.structured_query
        collection = query.from_[0].collection_id
        self._check_index(query, collection)
        prefix = f"{request.parent}/{collection}/"
        rows = [row for name, row in self.documents.items() if name.startswith(prefix) and _matches(row, query.where)]
        ordered = [(order.field.field_path, order.direction == _DESCENDING) for order in query.order_by]
        rows = [row for row in rows if all(name == "__name__" or name in row.fields for name, _ in ordered)]
        for name, backwards in reversed(ordered):
            rows.sort(key=partial(_sort_key, name), reverse=backwards)
        if query.HasField("start_at"):
            rows = [row for row in rows if _beyond(row, query.start_at, ordered)]
        end = query.offset + query.limit.value if query.HasField("limit") else None
        return rows[query.offset : end]

    def _check_index(self, query: Any, collection: str) -> None:
        equal, contains, ordered = set(), None, None
        for leaf in _leaves(query.where):
            name, sign = leaf.field.field_path, _sign(leaf)
            if sign in _SIGNS:
                ordered = name
            elif sign == "ARRAY_CONTAINS":
                contains = name
            else:
                equal.add(name)
        for order in query.order_by:
            ordered = order.field.field_path if order.field.field_path != "__name__" else ordered
        shape = Shape(collection, frozenset(equal), contains, ordered)
        if not self.shapes.covers(shape):
            raise Refused("FAILED_PRECONDITION", f"The query requires an index. ({shape})")


def _leaves(where: Any) -> list[Any]:
    match where.WhichOneof("filter_type"):
        case "composite_filter":
            return [leaf for part in where.composite_filter.filters for leaf in _leaves(part)]
        case "field_filter":
            return [where.field_filter]
        case "unary_filter":
            return [where.unary_filter]
    return []


def _sign(leaf: Any) -> str:
    return str(type(leaf).DESCRIPTOR.fields_by_name["op"].enum_type.values_by_number[leaf.op].name)


def _matches(row: Any, where: Any) -> bool:
    return all(_true_of(row, leaf) for leaf in _leaves(where))


def _true_of(row: Any, leaf: Any) -> bool:
    name, sign = leaf.field.field_path, _sign(leaf)
    if name not in row.fields:
        return False
    present = row.fields[name]
    if sign == "IS_NULL":
        return bool(present.WhichOneof("value_type") == "null_value")
    if sign in {"IN", "ARRAY_CONTAINS"}:
        one, many = (present, leaf.value) if sign == "IN" else (leaf.value, present)
        return comparable(one) in [comparable(item) for item in many.array_value.values]
    if sign == "EQUAL":
        return comparable(present) == comparable(leaf.value)
    if sign not in _SIGNS:
        raise Refused("UNIMPLEMENTED", sign)
    left, right = comparable(present), comparable(leaf.value)
    return same_kind(present, leaf.value) and (left > right) - (left < right) in _SIGNS[sign]


def _sort_key(name: str, row: Any) -> tuple[Any, ...]:
    return (row.name.rsplit("/", 1)[1].encode(),) if name == "__name__" else comparable(row.fields[name])


def _beyond(row: Any, cursor: Any, ordered: list[tuple[str, bool]]) -> bool:
    """Say whether a row lies at the cursor (when it includes it) or beyond it."""
    for (name, backwards), value in zip(ordered, cursor.values, strict=False):
        is_name = name == "__name__"
        wanted = (value.reference_value.rsplit("/", 1)[1].encode(),) if is_name else comparable(value)
        present = _sort_key(name, row)
        if present != wanted:
            return (present > wanted) != backwards
    return bool(cursor.before)
