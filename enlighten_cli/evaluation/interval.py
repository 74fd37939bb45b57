"""Bootstrap intervals: how certain a mean over photos is, and whether two methods really differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval over photos."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero is outside the interval: then a difference is significant."""
        return self.low > 0 or self.high < 0


def interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """Return a mean with its percentile bootstrap interval.

    Parameters
    ----------
    values : sequence of float
        One per photo, at least one.
    seed : int
        Seed of the resampling.

    Notes
    -----
    Efron 1979, doi:10.1214/aos/1176344552: photos are resampled with replacement, `DRAWS` times.
    """
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) == 1 or not np.isfinite(array).all():
        return Interval(mean, mean, mean)
    random = np.random.default_rng(seed)
    means = array[random.integers(len(array), size=(DRAWS, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean, float(low), float(high))


def difference(one: Sequence[float], other: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean of the paired differences between two methods over the same photos."""
    return interval(np.subtract(one, other).tolist(), seed=seed)
