"""Many products' demand as one matrix, aligned at its right edge: the last column is everybody's last day."""

import numpy as np
from numpy.typing import NDArray

from shared.core.values import dataclass

__all__ = ["Floats", "Histories", "Ints", "weights"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Histories:
    """Demand of n products on up to T days.

    `units` has shape (n, T); `days` (n,) says how many of a row's last columns count, the columns before are 0.
    """

    units: Floats
    days: Ints

    @classmethod
    def full(cls, units: Floats) -> "Histories":
        """Take a matrix in which every column counts for every row."""
        units = np.ascontiguousarray(units, dtype=np.float64)
        return cls(units, np.full(len(units), units.shape[1], dtype=np.int64))

    @classmethod
    def of(cls, series: list[list[int]]) -> "Histories":
        """Take series of different lengths, oldest day first; none may be empty."""
        days = np.array([len(one) for one in series], dtype=np.int64)
        units = np.zeros((len(series), int(days.max())))
        for row, one in enumerate(series):
            units[row, units.shape[1] - len(one) :] = one
        return cls(units, days)

    def until(self, back: int) -> "Histories":
        """Return what was known so many days before the end; every row must keep at least one day."""
        return self if back == 0 else Histories(self.units[:, : self.units.shape[1] - back], self.days - back)

    def last(self, count: int) -> tuple[Floats, Ints]:
        """Return the last columns, and how many of them count for each row."""
        count = min(count, self.units.shape[1])
        return self.units[:, self.units.shape[1] - count :], np.minimum(self.days, count)


def weights(alpha: float, count: int) -> Floats:
    """Return the weights that smoothing gives to the last `count` values, the newest first."""
    return np.asarray(alpha * (1.0 - alpha) ** np.arange(count), dtype=np.float64)
