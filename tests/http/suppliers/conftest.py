"""What the tests of suppliers share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.suppliers.market import Market


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """Give a deployment between two suppliers."""
    made = Market(tmp_path)
    yield made
    made.close()
