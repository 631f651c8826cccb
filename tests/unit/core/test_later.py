"""What stands for a service makes it when it is first asked for something, and once."""

import pytest

from shared.core.once import later


class Shop:
    """Something that may be asked."""

    def __init__(self, made: list[str]) -> None:
        """Say that it was made."""
        made.append("made")
        self.name = "shop"

    def sell(self, units: int) -> int:
        """Answer."""
        return units * 2


def test_nothing_is_made_until_something_is_asked_for_and_then_once() -> None:
    made: list[str] = []
    shop = later(lambda: Shop(made))
    assert made == []

    assert (shop.name, shop.sell(2), shop.sell(3)) == ("shop", 4, 6)
    assert made == ["made"]


def test_what_the_service_does_not_have_is_missing_and_a_failed_making_is_tried_again() -> None:
    tries: list[int] = []

    def make() -> Shop:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return Shop([])

    shop = later(make)
    with pytest.raises(OSError, match="not yet"):
        _ = shop.name
    assert shop.name == "shop"
    with pytest.raises(AttributeError, match="other"):
        _ = shop.other  # type: ignore[attr-defined]
