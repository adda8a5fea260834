"""The two sides of a claim: the score table of whatever a claim can speak of. Pure.

A side names a data set, a method, a measure, and at which number of thoughts (or frontier) it is measured. A
rule that involves no training is the method "shortcut: NAME".

| measure                                   | of                                | `at`               |
|-------------------------------------------|-----------------------------------|--------------------|
| those of `scores.RATIOS`                  | responses                         | number of thoughts |
| seconds                                   | one question at a time            | number of thoughts |
| fixed, classifier                         | answers if thoughts end this way  | None               |
| necessity                                 | answers with other thoughts       | None               |
| advantage, auc, top over uniform, decided | values (see `values`)             | frontier, or None  |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import pandas as pd

from coconut_study.report import thoughts
from coconut_study.report.cells import SHORTCUT
from coconut_study.report.interventions import necessity
from coconut_study.report.scores import ANSWER, RATIOS, TOKENS, fixed, scores
from coconut_study.report.values import (
    ADVANTAGE,
    AUC,
    DECIDED,
    OVER_UNIFORM,
    advantage,
    auc,
    decided,
    top_over_uniform,
)

SECONDS = "seconds"
NECESSITY = "necessity"
FRONTIERS: Mapping[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    ADVANTAGE: advantage,
    AUC: auc,
    OVER_UNIFORM: top_over_uniform,
}
K_FREE = (*thoughts.WAYS, NECESSITY, *FRONTIERS, DECIDED)  # measures that are of no single number of thoughts
MEASURES = (*RATIOS, SECONDS, *K_FREE)
FIRST = 1  # frontier
COSTS = {TOKENS: "tokens", SECONDS: "seconds"}  # units of measures that are no percentages


class Side(NamedTuple):
    """What is measured of a data set and method of ours."""

    dataset: str
    method: str
    measure: str = ANSWER
    at: int | None = None


Scores = Callable[[Side], pd.DataFrame]  # the score table of a side; it has no rows if that was not measured


def measured(
    counts: pd.DataFrame,
    timings: pd.DataFrame,
    ends: pd.DataFrame,
    values: pd.DataFrame,
    intervened: pd.DataFrame,
    shortcuts: pd.DataFrame,
) -> Scores:
    """The score table of every side that these tables measure, each made when it is first asked for.

    `counts` is the table of `scores.by_group`; the others are those of `inputs`.
    """
    of_k = _split(counts, ["dataset", "method", "k"])
    timed = _split(timings[timings["batch size"] == 1], ["dataset", "method", "k"])
    ended, probed = _split(ends, ["dataset", "method"]), _split(values, ["dataset", "method"])
    replaced = _split(intervened, ["dataset", "method"])
    rules = _split(shortcuts, ["dataset", "rule"])

    @cache
    def table(side: Side) -> pd.DataFrame:
        """The score table of a side."""
        dataset, method, measure, at = side
        if method.startswith(SHORTCUT):
            return _made(fixed, rules.get((dataset, method.removeprefix(SHORTCUT))))
        if measure in RATIOS:
            return _made(lambda runs: scores(runs, measure), of_k.get((dataset, method, at)))
        if measure == SECONDS:
            return _made(_seconds, timed.get((dataset, method, at)))
        if measure in thoughts.WAYS:
            return _made(lambda runs: thoughts.ended(runs, measure), ended.get((dataset, method)))
        if measure == NECESSITY:
            return _made(necessity, replaced.get((dataset, method)))
        if measure == DECIDED:
            return _made(decided, probed.get((dataset, method)))
        return _made(lambda runs: FRONTIERS[measure](runs, at or FIRST), probed.get((dataset, method)))

    return table


def _split(table: pd.DataFrame, columns: list[str]) -> dict[tuple[object, ...], pd.DataFrame]:
    """The rows for each value of these columns."""
    return dict(iter(table.groupby(columns, sort=False)))


def _made(function: Callable[[pd.DataFrame], pd.DataFrame], rows: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if rows is None else function(rows)


def _seconds(runs: pd.DataFrame) -> pd.DataFrame:
    """Seconds per question of every seed, as a table with a single group."""
    return (runs["seconds"] / runs["questions"]).to_frame(SECONDS).set_axis(runs["seed"])
