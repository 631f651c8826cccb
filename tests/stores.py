"""Every documents store, for any test: the fixture `documents` runs a test on all four, each time empty.

`@on_stores("sqlite-memory", "sqlite-file")` narrows that to some. A test module or a folder's conftest that needs query
shapes of its own overrides the fixture `shapes`; the default is the product's own index file.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import Clock
from shared.core.errors import Transient
from shared.ports.documents import Create, Documents, Key

__all__ = ["INDEX_FILE", "STORES", "Stores", "each_store", "on_stores"]

STORES = ("sqlite-memory", "sqlite-file", "firestore-server", "firestore-emulator")
_WARM_THREADS, _WARM_ROUNDS = 8, 12
INDEX_FILE = Path(__file__).parent.parent / "infra" / "firestore.indexes.json"


def on_stores(*names: str) -> pytest.MarkDecorator:
    """Run a test that takes `documents` on these stores only."""
    return pytest.mark.parametrize("documents", names, indirect=True)


each_store = on_stores(*STORES)


class Stores:
    """Opens empty stores; what a store needs is started on first use and ended with the run."""

    def __init__(self, running: ExitStack) -> None:
        """Take what is closed at the end of the run."""
        self._running = running
        self._numbers = count(1)
        self._addresses: dict[str, str] = {}
        self._missing = ""
        self._shapes: Callable[[Shapes], None] = lambda _: None

    def url(self, store: str, folder: Path) -> tuple[str, str | None]:
        """Return the address of an empty store (a path for SQLite) and the emulator's host:port if it needs one."""
        number = next(self._numbers)
        if store.startswith("sqlite"):
            return (":memory:" if store == "sqlite-memory" else str(folder / f"store-{number}.db")), None
        return f"firestore://test-{number}/(default)", self._address(store)

    def open(self, store: str, shapes: Shapes, folder: Path, *, clock: Clock | None = None) -> Documents:
        """Open an empty store; skip the test with the reason when the emulator cannot be had."""
        url, address = self.url(store, folder)
        if address is None:
            return SqliteDocuments(url, shapes)
        self._shapes(shapes)
        return FirestoreDocuments(url, shapes, clock, emulator=address)

    def _address(self, store: str) -> str:
        if store not in self._addresses:
            start = self._server if store == "firestore-server" else self._emulator
            self._addresses[store] = start()
        return self._addresses[store]

    def _server(self) -> str:
        from tests.google.firestore.engine import Engine
        from tests.google.firestore.server import serving

        engine = Engine(Shapes())
        self._shapes = lambda shapes: setattr(engine, "shapes", shapes)
        return self._running.enter_context(serving(engine))

    def _emulator(self) -> str:
        from tests.google.firestore.emulator import NotPresent, running_emulator

        if not self._missing:
            try:
                address = self._running.enter_context(running_emulator())
            except NotPresent as reason:
                self._missing = str(reason)
            else:
                _warm(address)
                return address
        pytest.skip(self._missing)


def _warm(address: str) -> None:
    """Let a fresh emulator compile what commits and reads need, so that no test of contention waits for that."""
    documents = FirestoreDocuments("firestore://warm/(default)", Shapes(), emulator=address)
    with ThreadPoolExecutor(_WARM_THREADS) as pool:
        for number in range(_WARM_ROUNDS):
            keys = [Key("warm", f"{number}-{each}") for each in range(_WARM_THREADS)]
            with suppress(Transient):  # what is late here is warm all the same
                list(pool.map(lambda key: documents.commit([Create(key, {"number": 1})]), keys))
                list(pool.map(lambda key: documents.get_many([key]), keys))
    documents.close()


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """Give the opener of stores."""
    with ExitStack() as running:
        yield Stores(running)


@pytest.fixture
def shapes() -> Shapes:
    """Give the query shapes the product declares."""
    return Shapes.read(INDEX_FILE)


@pytest.fixture(params=STORES)
def documents(request: pytest.FixtureRequest, stores: Stores, shapes: Shapes, tmp_path: Path) -> Iterator[Documents]:
    """Give an empty store of each kind in turn."""
    opened = stores.open(request.param, shapes, tmp_path)
    yield opened
    opened.close()
