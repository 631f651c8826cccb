"""Pages of documents where a condition is left that no index holds; see `shared.http.page`."""

from collections.abc import Iterator

from shared.http.page import sifted
from shared.ports.documents import Query, Stored
from shared.ports.store import Store

__all__ = ["sifted", "walk"]


def walk(store: Store, wanted: Query) -> Iterator[Stored]:
    """Yield every document of a query in order, whatever its limit says."""
    return store.walk(wanted)
