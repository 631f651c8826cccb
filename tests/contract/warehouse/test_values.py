"""Values: what goes in comes back, exactly."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.warehouse.builders import AT, READINGS, Desk, a_reading, stored

MINUS_FIVE = timezone(timedelta(hours=-5))

KEPT: dict[str, dict[str, Any]] = {
    "nothing but the key": {},
    "cents": {"amount": Decimal("19.99")},
    "nine decimals": {"amount": Decimal("0.000000001")},
    "38 digits": {"amount": Decimal("12345678901234567890123456789.123456789")},
    "negative 38 digits": {"amount": Decimal("-99999999999999999999999999999.999999999")},
    "zero": {"amount": Decimal(0), "count": 0, "ratio": 0.0, "note": "", "ok": False},
    "largest integer": {"count": 2**63 - 1},
    "smallest integer": {"count": -(2**63)},
    "float that is no short decimal": {"ratio": 0.1 + 0.2},
    "tiny float": {"ratio": 5e-324},
    "huge float": {"ratio": 1.7976931348623157e308},
    "truth": {"ok": True},
    "leap day": {"day": date(2024, 2, 29)},
    "microseconds": {"at": datetime(2026, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)},
    "long ago": {"at": datetime(1970, 1, 1, tzinfo=UTC)},
    "every script": {"note": "Grüße, 東京 🚚, \u202eabc"},
    "quotes and breaks": {"note": "a\"b'c\\d`e{f}@g$h--i\n\r\tj,;"},
    "text that looks like JSON": {"note": '{"a": [1]}'},
    "text that looks like null": {"note": "NULL"},
    "arrays": {
        "tags": ["b", "a", "b", ""],
        "amounts": [Decimal("1.10"), Decimal(2)],
        "times": [AT, AT.replace(year=2027)],
    },
}


@pytest.mark.parametrize("given", KEPT.values(), ids=KEPT.keys())
def test_a_value_comes_back_as_it_went_in(desk: Desk, given: dict[str, Any]) -> None:
    desk.warehouse.merge(READINGS, [a_reading(**given)], batch_id="one")

    assert desk.readings() == [stored(**given)]


def test_a_time_of_any_zone_comes_back_as_utc(desk: Desk) -> None:
    local = datetime(2026, 1, 15, 5, 30, tzinfo=MINUS_FIVE)

    desk.warehouse.merge(READINGS, [a_reading(at=local, times=[local])], batch_id="one")

    (row,) = desk.readings()
    assert row == stored(times=[AT])
    assert row["at"].utcoffset() == row["times"][0].utcoffset() == timedelta(0)


def test_texts_do_for_times_dates_and_exact_numbers(desk: Desk) -> None:
    texts = {
        "at": "2026-01-15T05:30:00-05:00",
        "day": "2026-01-15",
        "amount": "1E+2",
        "times": ["2026-01-15T10:30:00.000000Z"],
    }

    desk.warehouse.merge(READINGS, [{"id": "r1", **texts}], batch_id="one")

    assert desk.readings() == [stored(day=date(2026, 1, 15), amount=Decimal(100), times=[AT])]


def test_an_exact_number_comes_back_as_decimal_without_trailing_zeros(desk: Desk) -> None:
    desk.warehouse.merge(
        READINGS, [a_reading(amount=Decimal("100.50"), amounts=[100, Decimal("0.10")])], batch_id="one"
    )

    (row,) = desk.readings()
    assert [str(row["amount"]), *map(str, row["amounts"])] == ["100.5", "100", "0.1"]


def test_anything_else_is_kept_as_json_text(desk: Desk) -> None:
    desk.warehouse.merge(READINGS, [a_reading(extra={"b": [1, None], "a": "ä"})], batch_id="one")

    assert desk.readings() == [stored(extra='{"b":[1,null],"a":"ä"}')]


def test_characters_no_database_holds_are_replaced_and_the_row_is_kept(desk: Desk) -> None:
    desk.warehouse.merge(
        READINGS, [a_reading(note="a\ud800b\0c", tags=["\udfff"], extra={"x": "\ud800"})], batch_id="one"
    )

    assert desk.readings() == [stored(note="a\ufffdb\ufffdc", tags=["\ufffd"], extra='{"x":"\ufffd"}')]


def test_not_a_number_is_kept_in_a_float(desk: Desk) -> None:
    desk.warehouse.merge(READINGS, [a_reading(ratio=float("nan"))], batch_id="one")

    assert desk.ask("SELECT IS_NAN(ratio) AS odd FROM {readings} WHERE at >= TIMESTAMP '2026-01-01 00:00:00+00'") == [
        {"odd": True}
    ]
