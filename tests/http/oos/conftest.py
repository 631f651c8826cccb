"""One installation for all tests of the desk: two refreshes of both 3PLs, with orders that left in between."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.core.clock import instant
from tests.installation import PASSWORD, Installation, installed

__all__ = ["Desk"]


@dataclass(frozen=True)
class Desk:
    """An installation with its history: when each refresh was over, and which orders left before the second."""

    onhand: Installation
    first: datetime
    second: datetime
    shipped: str

    def get(self, path: str, **headers: str) -> Any:
        """Read a path as the Basic pair (an operator)."""
        return self.onhand.get(path, **headers)

    def json(self, path: str) -> Any:
        """Read a path that answers 200."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.json

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Post a body as the Basic pair."""
        return self.onhand.http.post(path, json=body, auth=("demo", PASSWORD), headers=headers)

    def orders(self, query: str) -> list[dict[str, Any]]:
        """Walk a whole list of orders by its cursors."""
        path = f"/api/v1/oos/orders?limit=1000&{query}"
        page = self.json(path)
        found = list(page["items"])
        while page["next_cursor"]:
            page = self.json(f"{path}&cursor={page['next_cursor']}")
            found += page["items"]
        return found

    def as_of_first(self) -> str:
        """Return the moment after the first refresh as a parameter."""
        return f"as_of={instant(self.first)}"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give the installation; tests read it, or write what no other test looks at."""
    folder: Path = tmp_path_factory.mktemp("desk")
    with installed(folder, size=150, seed=11) as onhand:
        for source in ("shipbob", "stord"):
            onhand.refresh(source)
        first = onhand.clock.now()
        onhand.clock.advance(900)
        shipped = min(onhand.open_ids("shipbob"))
        onhand.shipbob.change({"op": "ship", "order_id": int(shipped)})
        for source in ("shipbob", "stord"):
            onhand.refresh(source)
        yield Desk(onhand, first, onhand.clock.now(), shipped)
