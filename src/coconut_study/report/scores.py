"""What responses are worth, run by run and group by group: counts, shares and score tables. Pure.

A *group* holds the questions that were drawn together, for example the four of a crossed group. They depend
on one another, so intervals are over groups (see `intervals`). `counts` below is the table of `by_group`: one
row per run, k and group. A measure is one count divided by another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from coconut_study.evaluation import columns
from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report.intervals import FIXED, UNBOUNDED, estimate

Bases = Mapping[str, Mapping[int, str]]  # the base model of every method and seed

SHARE = (0.0, 100.0)  # bounds of percentages
COIN = 50.0  # right answers (%) of a coin where a question has two options
POINTS = (-100.0, 100.0)  # and of differences between them
RUN = list(columns.RUN)  # the columns that identify a run
QUESTIONS = "questions"
ANSWER = "right answer"
VALUE = "right value"
TOKENS = "tokens"
PATHS = "paths"  # responses that write a path, whether it is right or not
MEASURES = (ANSWER, *(outcome.value for outcome in Outcome))
WRITTEN = (Outcome.CORRECT_PATH, Outcome.LONGER_PATH, Outcome.WRONG_TARGET, Outcome.HALLUCINATION)


class Ratio(NamedTuple):
    """A measure: `scale` times one count divided by another."""

    numerator: str
    denominator: str
    scale: float = 100.0


RATIOS: Mapping[str, Ratio] = {
    **{measure: Ratio(measure, QUESTIONS) for measure in (*MEASURES, PATHS)},
    VALUE: Ratio(VALUE, "numbers"),
    TOKENS: Ratio(TOKENS, QUESTIONS, 1.0),
    # among responses that write a path: with every step hidden there is none, and nothing that could be wrong
    **{f"{outcome.value} of paths": Ratio(outcome.value, PATHS) for outcome in WRITTEN},
    "wrong edges": Ratio("wrong edges", "edges"),
}


def by_group(grades: pd.DataFrame) -> pd.DataFrame:
    """Counts: one row per run, k and group of questions; the columns are those that `RATIOS` divides."""
    right_number = grades["right number"].astype(float)
    outcomes = pd.get_dummies(grades["outcome"]).reindex(columns=list(MEASURES[1:]), fill_value=False)
    counted = {
        QUESTIONS: 1,
        ANSWER: grades["right"],
        VALUE: right_number.fillna(0),
        "numbers": right_number.notna(),
        TOKENS: grades["tokens"],
        PATHS: outcomes[[outcome.value for outcome in WRITTEN]].any(axis=1),
        "edges": grades["edges"],
        "wrong edges": grades["wrong edges"],
    }
    table = pd.concat([grades[[*RUN, "k", "group"]], outcomes, pd.DataFrame(counted)], axis=1)
    return table.groupby([*RUN, "k", "group"], sort=False, as_index=False).sum().astype(_TYPES)


_TYPES = {name: "int32" for ratio in RATIOS.values() for name in (ratio.numerator, ratio.denominator)}


def by_run(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k, one column per measure; a measure whose denominator is 0 is missing."""
    sums = counts.drop(columns="group").groupby([*RUN, "k"], sort=False).sum()
    shares = {name: _share(sums, ratio) for name, ratio in RATIOS.items()}
    return pd.DataFrame(shares).reset_index()


def _share(sums: pd.DataFrame, ratio: Ratio) -> pd.Series:
    below = sums[ratio.denominator]
    return ratio.scale * sums[ratio.numerator] / below.where(below > 0)


def scores(counts: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The score table of a measure: one row per seed, one column per group. `counts` has the rows of one data
    set, method and k."""
    ratio = RATIOS[measure]
    above, below = (
        counts.pivot(index="seed", columns="group", values=name).astype(float) for name in ratio[:2]
    )
    return ratio.scale * _linear(above, below)


def means(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The score table of the mean of a column: one row per seed, one column per group. `rows` has the columns
    seed and group, and all rows count the same."""
    cells = rows.groupby(["seed", "group"])[column].agg(["sum", "size"]).astype(float).unstack(fill_value=0.0)
    return _linear(cells["sum"], cells["size"])


def ratio(above: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """The score table of the ratio of the means of two score tables with the same units and groups.

    A cell is the ratio plus the linear contribution of its unit and group, so that a unit whose own
    denominator is close to 0 moves the ratio no more than it moves the means.
    """
    share = above.to_numpy().mean() / below.to_numpy().mean()
    return share + (above - share * below) / below.to_numpy().mean()


def _linear(above: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """The score table of a ratio of sums, each of seeds x groups.

    The mean of a row is the ratio of its run: a cell is that ratio plus the linear contribution of its group
    (the usual estimator for a ratio over clusters). Seeds without a denominator are left out.
    """
    below = below[below.sum(axis=1) > 0]
    above = above.loc[below.index]
    share = above.sum(axis=1) / below.sum(axis=1)
    linear = above.sub(below.mul(share, axis=0)).div(below.mean(axis=1), axis=0)
    return linear.add(share, axis=0)


def fixed(points: pd.DataFrame) -> pd.DataFrame:
    """The score table of a rule that involves no training, in percent, from its points for each question
    (columns group and points)."""
    means = 100.0 * points.groupby("group")["points"].mean()
    return means.to_frame(FIXED).T


def difference(more: pd.DataFrame, less: pd.DataFrame) -> pd.DataFrame:
    """One score table minus another, on the units and groups that both have; a fixed row is subtracted from
    every unit."""
    groups = more.columns.intersection(less.columns)
    more, less = more[groups], less[groups]
    if list(less.index) == [FIXED]:
        return more - less.loc[FIXED]
    if list(more.index) == [FIXED]:
        return more.loc[FIXED] - less
    units = more.index.intersection(less.index)
    return more.loc[units] - less.loc[units]


def by_base(table: pd.DataFrame, bases: Mapping[int, str]) -> pd.DataFrame:
    """The score table with one row per unit that varies by itself. `bases` names the base model of each seed.

    Runs that share a base model are alike. If several base models serve more seeds than there are models,
    a unit is a base model, and its scores are the means of its runs. With one base model for all seeds, as in
    the paper, a unit is a seed, and the interval is for this base model alone.
    """
    if list(table.index) == [FIXED]:
        return table
    names = table.index.map(lambda seed: bases.get(seed, str(seed)))
    alone = names.nunique() in (1, len(names))
    return table if alone else table.groupby(names, sort=False).mean()


def mean_of(
    table: pd.DataFrame, bases: Mapping[int, str], bounds: tuple[float, float] = UNBOUNDED
) -> dict[str, float]:
    """The mean of a score table over its units (see `by_base`) with its interval, cut off at `bounds`, and
    the number of units: `mean`, `low`, `high` and `n`."""
    return estimate(by_base(table, bases)).interval(bounds)._asdict()
