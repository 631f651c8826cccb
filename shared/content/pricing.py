"""Price analysis: from cost, positioning and what competitors ask to a price people expect to see. Exact decimals, pure.

base = cost / (1 - target margin); then the positioning's rule for competitors; then the clamp between the least and the
highest margin; then the nearest nice price inside the clamp. The least margin is never broken by rounding.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from enum import StrEnum

from shared.core.money import rounded
from shared.core.values import dataclass, field

__all__ = ["Advice", "Positioning", "advise", "margin_percent", "nice_price"]

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


class Positioning(StrEnum):
    """Where in its market a shop wants to stand."""

    AGGRESSIVE = "aggressive"
    BUDGET = "budget"
    COMPETITIVE = "competitive"
    PREMIUM = "premium"
    LUXURY = "luxury"


@dataclass(frozen=True, slots=True)
class _Margins:
    least: Decimal
    target: Decimal
    most: Decimal


_MARGINS = {
    Positioning.AGGRESSIVE: _Margins(Decimal("0.15"), Decimal("0.25"), Decimal("0.35")),
    Positioning.BUDGET: _Margins(Decimal("0.15"), Decimal("0.25"), Decimal("0.35")),
    Positioning.COMPETITIVE: _Margins(Decimal("0.20"), Decimal("0.35"), Decimal("0.50")),
    Positioning.PREMIUM: _Margins(Decimal("0.35"), Decimal("0.50"), Decimal("0.70")),
    Positioning.LUXURY: _Margins(Decimal("0.50"), Decimal("0.65"), Decimal("0.80")),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommended price (None: there is none to give) and how it came about, in words for programs."""

    price: Decimal | None
    reasoning: list[str] = field(default_factory=list)


def advise(
    cost: Decimal | None, current: Decimal | None, positioning: Positioning, competitors: Sequence[Decimal]
) -> Advice:
    """Recommend a price; without a cost the current one stays (`no_cost`)."""
    if not cost:
        return Advice(current, ["no_cost"])
    margins = _MARGINS[positioning]
    base = cost / (1 - margins.target)
    reasoning = ["target_margin"]
    wanted = _among(base, positioning, competitors)
    if wanted != base:
        reasoning.append("competitors")
    least, most = cost / (1 - margins.least), cost / (1 - margins.most)
    inside = min(max(wanted, least), most)
    if inside != wanted:
        reasoning.append("least_margin" if inside == least else "most_margin")
    return Advice(nice_price(inside, least, most), reasoning)


def margin_percent(price: Decimal | None, cost: Decimal | None) -> Decimal | None:
    """Return (price - cost) / price x 100 with 2 decimals; None without a price or a cost."""
    if cost is None or not price:
        return None
    return rounded((price - cost) / price * _HUNDRED)


def nice_price(value: Decimal, least: Decimal, most: Decimal) -> Decimal:
    """Return the nearest nice price within the bounds (a tie goes up), else the value with cents, never below `least`."""
    candidates = [price for price in _nice_around(value) if least <= price <= most]
    if candidates:
        return min(candidates, key=lambda price: (abs(price - value), -price))
    plain = rounded(value)
    if plain > most:
        plain = most.quantize(_CENT, ROUND_DOWN)
    return plain if plain >= least else least.quantize(_CENT, ROUND_CEILING)


def _among(base: Decimal, positioning: Positioning, competitors: Sequence[Decimal]) -> Decimal:
    if not competitors:
        return base
    mean = sum(competitors, Decimal(0)) / len(competitors)
    match positioning:
        case Positioning.AGGRESSIVE | Positioning.BUDGET:
            return min(base, Decimal("0.95") * min(competitors))
        case Positioning.COMPETITIVE:
            return min(base, Decimal("0.97") * mean)
        case Positioning.PREMIUM:
            return max(base, Decimal("1.10") * mean)
        case _:
            return base


def _nice_around(value: Decimal) -> Iterator[Decimal]:
    """Yield the nice prices next to a value, of the kind that its size calls for."""
    if value < 1:
        yield rounded(value)
        yield value.quantize(_CENT, ROUND_CEILING)
        return
    if value < 10:  # noqa: PLR2004 - the contract's bounds
        endings: tuple[Decimal, ...] = (Decimal("0.99"),)
        step = 1
    elif value < 100:  # noqa: PLR2004 - the same
        endings, step = (Decimal("0.49"), Decimal("0.99")), 1
    elif value < 1000:  # noqa: PLR2004 - the same
        endings, step = (Decimal(4), Decimal(9)), 10
    else:
        endings, step = (Decimal(9),), 10
    start = value // step * step
    for offset in (-step, 0, step):
        for ending in endings:
            if start + offset + ending > 0:
                yield start + offset + ending
