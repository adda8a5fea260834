"""Grades (summed up by run), histories and timings -> tidy tables with intervals over seeds. Pure.

A number that is not there stays missing: NaN in the table, an empty cell in CSV.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from coconut_study.evaluation.outcomes import Outcome

ANSWER = "right answer"
VALUE = "right value"
MEASURES = (ANSWER, *(outcome.value for outcome in Outcome))
RUN = ["dataset", "method", "seed"]

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean with its confidence interval (both ends NaN for a single value, all three for none)."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Interval:
    """Student's t interval of the mean of one value a seed, at 95 %, cut off at `bounds`."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    mean = float(array.mean()) if n else np.nan
    if n < 2:
        return Interval(mean, np.nan, np.nan, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n)


# --------------------------------------------------------------------------------------------- tables


def by_seed(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k: shares of right answers, of right values and of each outcome (percent), and
    mean tokens. Grades of many runs are summed up one run after the other."""
    shares = pd.get_dummies(grades["outcome"]).reindex(columns=list(MEASURES[1:]), fill_value=False)
    values = pd.concat([grades[[*RUN, "k", "tokens"]], 100.0 * shares], axis=1)
    values[ANSWER] = 100.0 * grades["right"]
    values[VALUE] = 100.0 * grades["right number"].astype(float)
    return values.groupby([*RUN, "k"], sort=False, as_index=False).mean()
