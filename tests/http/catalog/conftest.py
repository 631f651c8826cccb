"""A shop for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.inventory.builders import Shop, a_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give an empty deployment."""
    made = a_shop(tmp_path)
    yield made
    made.app.close()
