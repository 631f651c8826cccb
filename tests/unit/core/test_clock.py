"""Times as texts: of one width, so that they sort as times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.core.clock import instant, parse_instant


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 15, 10, 30, tzinfo=UTC), "2026-01-15T10:30:00.000000Z"),
        (datetime(77, 5, 23, 8, 54, 20, 1, tzinfo=UTC), "0077-05-23T08:54:20.000001Z"),
        (datetime(2026, 1, 15, tzinfo=timezone(timedelta(hours=2))), "2026-01-14T22:00:00.000000Z"),
    ],
)
def test_a_time_has_one_width_in_every_century(moment: datetime, text: str) -> None:
    assert instant(moment) == text
    assert parse_instant(text) == moment
