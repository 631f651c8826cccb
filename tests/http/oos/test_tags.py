"""H05: conditional reads while refreshes come and go; 304 is said only of identical bytes."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.jobs.volume import sized
from tests.installation import Installation, installed

REFRESHES = sized(10, long=50)
PATHS = (
    "/api/stord/oos-orders",
    "/api/shipbob/oos-orders",
    "/api/shipbob/oos-orders?limit=5&include=raw",
    "/api/v1/oos/orders?limit=5",
    "/api/v1/oos/orders?source=stord&sort=-value&limit=5",
    "/api/v1/oos/orders?state=resolved",
    "/api/v1/oos/skus?limit=5",
    "/api/v1/oos/at-risk?group_by=source",
    "/api/v1/oos/analytics/summary",
    "/api/v1/oos/orders?include=coverage&limit=5",
)
Tag = Callable[[str, bytes], str]


class Reader:
    """A client that remembers the last tag and the last bytes of each path, and counts what it is told."""

    def __init__(self, onhand: Installation, tag: Tag | None = None) -> None:
        """Read an installation; `tag` replaces the tags of the answers, for the control."""
        self.onhand, self._tag = onhand, tag
        self.known: dict[str, tuple[str, bytes]] = {}
        self.unchanged = self.changed = 0

    def read(self, path: str) -> None:
        """Read a path again, conditionally; fail when a tag and its bytes do not go together."""
        plain = self.onhand.get(path)
        tag = self._tag(plain.headers["ETag"], plain.data) if self._tag else plain.headers["ETag"]
        before, self.known[path] = self.known.get(path), (tag, plain.data)
        if before is None:
            return
        same = self.onhand.get(path, **{"If-None-Match": before[0]}).status_code == 304 if not self._tag else None
        told = tag == before[0] if same is None else same
        assert told == (plain.data == before[1]), path
        self.unchanged, self.changed = self.unchanged + told, self.changed + (not told)


def walk(onhand: Installation, reader: Reader) -> None:
    """Refresh, read everything twice, and let something happen in two of three rounds."""
    rng = random.Random(5)
    for number in range(REFRESHES):
        for source in ("shipbob", "stord"):
            if rng.randrange(3) and (held := sorted(onhand.open_ids(source))):
                onhand.simulators[source].change({"op": "ship", "order_id": rng.choice(held)})
            if number % 2 == 0 or source == "stord":
                onhand.refresh(source)
        for path in (*PATHS, *PATHS):
            reader.read(path)
        onhand.clock.advance(2)


def test_304_is_said_exactly_of_identical_bytes_over_refreshes(tmp_path: Path) -> None:
    with installed(tmp_path, size=60, seed=3) as onhand:
        reader = Reader(onhand)
        walk(onhand, reader)

    assert reader.unchanged + reader.changed == (2 * REFRESHES - 1) * len(PATHS)
    assert min(reader.unchanged, reader.changed) >= REFRESHES


@pytest.mark.parametrize(
    "weak", [lambda _, body: str(sum(body) % 7), lambda tag, _: tag[:2], lambda _, body: str(len(body))]
)
def test_the_check_finds_weak_tags(tmp_path: Path, weak: Tag) -> None:
    """Control: tags that are equal for different bytes."""
    with installed(tmp_path, size=60, seed=3) as onhand, pytest.raises(AssertionError, match="/api/"):
        walk(onhand, Reader(onhand, weak))
