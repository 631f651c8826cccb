"""Goal 11: CPU of our process per row of a list, over the official emulator; the official client beside it."""

import time
from collections.abc import Callable

from bench.harness import Missing, Outcome, interleaved
from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.ports.documents import Create, Key, Query
from tests.google.firestore.emulator import NotPresent, running_emulator

__all__ = ["measure"]

ROWS, PAGE, ROUNDS, LISTS = 200, 50, 5, 20
GOAL_MS = 0.1
_PROJECT = "bench"


def measure() -> Outcome:
    """Interleave pages of 50 rows through the port and through the official client."""
    try:
        with running_emulator() as address:
            return _measured(address)
    except NotPresent as reason:
        raise Missing(f"the Firestore emulator ({reason})") from reason


def _measured(address: str) -> Outcome:
    documents = FirestoreDocuments(f"firestore://{_PROJECT}/(default)", Shapes(), emulator=address)
    documents.commit([Create(Key("levels", f"lvl_{number:08}"), _level(number)) for number in range(ROWS)])
    official = _official(address)
    query = Query("levels", order_by="sku", limit=PAGE)
    variants = {"port": _cpu_ms(lambda: len(documents.query(query))), "official client": _cpu_ms(official)}
    rounds = interleaved(ROUNDS, variants)
    documents.close()
    port, theirs = (sorted(each[name] for each in rounds)[ROUNDS // 2] for name in variants)
    return Outcome(
        value=f"{port:.3f} ms CPU per row of a list of {PAGE} (official client {theirs:.3f})",
        goal=f"<= {GOAL_MS} ms",
        passed=port <= GOAL_MS,
        rounds=[", ".join(f"{name} {value:.3f} ms" for name, value in each.items()) for each in rounds],
    )


def _official(address: str) -> Callable[[], int]:
    import grpc
    from google.cloud.firestore_v1 import types
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

    channel = grpc.insecure_channel(address)
    client = FirestoreClient(transport=FirestoreGrpcTransport(host=address, channel=channel))
    order = types.StructuredQuery.Order(field=types.StructuredQuery.FieldReference(field_path="sku"))
    levels = types.StructuredQuery.CollectionSelector(collection_id="levels")
    query = types.StructuredQuery(from_=[levels], order_by=[order], limit=PAGE)
    request = types.RunQueryRequest(parent=f"projects/{_PROJECT}/databases/(default)/documents", structured_query=query)

    def run() -> int:
        rows = [dict(answer.document.fields) for answer in client.run_query(request=request, timeout=30)]
        return len([{name: _plain(value) for name, value in row.items()} for row in rows])

    return run


def _plain(value: object) -> object:
    kind = type(value).pb(value).WhichOneof("value_type")  # type: ignore[attr-defined]
    return getattr(value, kind)


def _cpu_ms(page: Callable[[], int]) -> Callable[[], float]:
    def run() -> float:
        began = time.process_time()
        rows = sum(page() for _ in range(LISTS))
        if rows != PAGE * LISTS:
            raise RuntimeError(f"{rows} rows instead of {PAGE * LISTS}")
        return (time.process_time() - began) * 1000 / rows

    return run


def _level(number: int) -> dict[str, object]:
    return {
        "product_id": f"prd_{number:026}",
        "store_id": f"sto_{number % 2:026}",
        "sku": f"SKU-{number:06}",
        "name": f"Ceramic thing {number} blue",
        "quantity": number,
        "reserved": 0,
        "reorder_level": 10,
        "allow_backorder": False,
        "tags": ["kitchen", "ceramic"],
        "price": "12.50",
        "updated_at": "2026-01-15T10:30:00.000000Z",
        "created_at": "2026-01-15T10:30:00.000000Z",
        "version": 1,
    }
