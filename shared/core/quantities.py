"""Quantities: whole units within bounds, so that no number overflows a store or a warehouse."""

from typing import Annotated

from pydantic import Field

__all__ = ["MOST", "Count", "Positive", "Quantity", "Version"]

MOST = 1_000_000_000

Quantity = Annotated[int, Field(ge=-MOST, le=MOST)]
"""Units, positive or negative."""

Count = Annotated[int, Field(ge=0, le=MOST)]
"""Units that cannot be negative."""

Positive = Annotated[int, Field(ge=1, le=MOST)]
"""At least one unit."""

Version = Annotated[int, Field(ge=0, le=2**53)]
"""The `version` of a resource sent back in a body."""
