"""Means with confidence intervals over seeds, and the grades of a run as shares. Pure.

A number that is missing is NaN in the table and an empty cell in the CSV file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from coconut_study.evaluation import columns
from coconut_study.evaluation.outcomes import Outcome

ANSWER = "right answer"
VALUE = "right value"
MEASURES = (ANSWER, *(outcome.value for outcome in Outcome))
RUN = list(columns.RUN)  # the columns that identify a run

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean of `n` values with its confidence interval: its ends are NaN if n = 1, all three if n = 0."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Interval:
    """The mean of one value per seed with Student's t interval at 95 %, cut off at `bounds`."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    mean = float(array.mean()) if n else np.nan
    if n < 2:
        return Interval(mean, np.nan, np.nan, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n)


def by_run(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k: the shares of right answers, of right values and of each outcome (percent), and
    the mean number of tokens. The rows of several runs are those of each run by itself."""
    shares = pd.get_dummies(grades["outcome"]).reindex(columns=list(MEASURES[1:]), fill_value=False)
    values = pd.concat([grades[[*RUN, "k", "tokens"]], 100.0 * shares], axis=1)
    values[ANSWER] = 100.0 * grades["right"]
    values[VALUE] = 100.0 * grades["right number"].astype(float)
    return values.groupby([*RUN, "k"], sort=False, as_index=False).mean()
