"""Means with intervals over what varies: runs and groups of questions. Pure.

A *score table* has one row per unit (a run, or a base model), one column per group of questions, and a score
in every cell. Other runs and other questions would have given other scores, so both are random: the score of
unit i on group j is the mean plus an effect of the unit, an effect of the group, and a rest. The variance of
the mean is estimated from the mean squares of the two-way table without repeated cells, and its degrees of
freedom by Satterthwaite's approximation. With three to ten units this covers better than a bootstrap, which
draws from too few units (tests/unit/report/test_intervals.py has both).

A rule that involves no training answers the same in every run. Its score table has the single row `FIXED`,
and its mean varies over groups alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

LEVEL = 0.95
FEWEST = 3  # units that an interval needs
FIXED = "fixed"  # the only row of a score table that no training has a part in
UNBOUNDED = (-math.inf, math.inf)


class Interval(NamedTuple):
    """A mean of `n` units with its confidence interval; the ends are NaN without enough units, the mean is
    NaN without any."""

    mean: float
    low: float
    high: float
    n: int


class Estimate(NamedTuple):
    """A mean with its standard error and degrees of freedom, NaN if there are too few units.

    `se_groups` is the part of the standard error that remains with any number of units.
    """

    mean: float
    se: float
    df: float
    units: int
    groups: int
    se_groups: float

    def interval(self, bounds: tuple[float, float] = UNBOUNDED, level: float = LEVEL) -> Interval:
        """The confidence interval of the mean, cut off at `bounds`."""
        half = self.half_width(level)
        low, high = max(self.mean - half, bounds[0]), min(self.mean + half, bounds[1])
        return Interval(self.mean, *((low, high) if self.known else (math.nan, math.nan)), self.units)

    @property
    def known(self) -> bool:
        """Whether there are enough units for an interval."""
        return not math.isnan(self.se)

    def half_width(self, level: float = LEVEL) -> float:
        """Half of the width of the interval, before it is cut off."""
        return float(stats.t.ppf(0.5 + level / 2, self.df) * self.se)

    def p(self, null: float = 0.0) -> float:
        """Two-sided p value of the hypothesis that the mean is `null`."""
        return min(1.0, 2 * min(self.p_above(null), self.p_below(null)))

    def p_within(self, margin: float, null: float = 0.0) -> float:
        """The p value of equivalence: the larger one of two one-sided tests (TOST), that the mean is above
        `null` - `margin` and that it is below `null` + `margin`."""
        return max(self.p_above(null - margin), self.p_below(null + margin))

    def p_above(self, null: float) -> float:
        """One-sided p value: small if the mean is above `null`."""
        if self.se == 0:
            return 0.0 if self.mean > null else 1.0
        return float(special.stdtr(self.df, (null - self.mean) / self.se))  # Student's distribution

    def p_below(self, null: float) -> float:
        """One-sided p value: small if the mean is below `null`."""
        return self._replace(mean=-self.mean).p_above(-null)


def estimate(scores: pd.DataFrame) -> Estimate:
    """The mean of a score table (units x groups, every cell filled)."""
    cells = scores.to_numpy(dtype=float)
    units, groups = cells.shape
    if not cells.size:
        return Estimate(math.nan, math.nan, math.nan, units, groups, math.nan)
    mean = float(cells.mean())
    if list(scores.index) == [FIXED]:
        se = float(stats.sem(cells[0])) if groups > 1 else math.nan
        return Estimate(mean, se, groups - 1, units, groups, se)
    if units < FEWEST or groups < 2:
        return Estimate(mean, math.nan, math.nan, units, groups, math.nan)
    return _crossed(cells)


def _crossed(cells: np.ndarray) -> Estimate:
    """The estimate of a table in which both units and groups are random."""
    units, groups = cells.shape
    mean, rows, columns = cells.mean(), cells.mean(axis=1, keepdims=True), cells.mean(axis=0)
    degrees = np.array([units - 1, groups - 1, (units - 1) * (groups - 1)])
    squares = np.array(
        [
            groups * ((rows - mean) ** 2).sum(),
            units * ((columns - mean) ** 2).sum(),
            ((cells - rows - columns + mean) ** 2).sum(),
        ]
    )
    of_units, of_groups, of_rest = squares / degrees
    variance = max(of_units + of_groups - of_rest, of_units, of_groups)
    spread = np.array([of_units, of_groups, of_rest])
    df = float(variance**2 / (spread**2 / degrees).sum()) if variance else float(units - 1)
    return Estimate(
        mean=float(mean),
        se=math.sqrt(variance / cells.size),
        df=max(df, units - 1),
        units=units,
        groups=groups,
        se_groups=math.sqrt(max(of_groups - of_rest, 0.0) / cells.size),
    )


def interval(values: Sequence[float], bounds: tuple[float, float] = UNBOUNDED) -> Interval:
    """The mean of one value per unit with Student's t interval, cut off at `bounds`."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    mean = float(array.mean()) if n else math.nan
    se = float(stats.sem(array)) if n >= FEWEST else math.nan
    return Estimate(mean, se, n - 1, n, 1, 0.0).interval(bounds)
