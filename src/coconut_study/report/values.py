"""Score tables of the values of candidates for the next step. Pure.

`values` has one row per candidate, as the probe writes them (`columns.VALUES`). A candidate is correct if it
leads to the asked option. `uniform` is the value that each would have if all candidates of a question had the
same and nothing else had any: 1 / number of candidates. Values in tables are in percent.

Candidates are compared within questions: one of two candidates has a higher value than one of four, whatever
the model knows.
"""

from __future__ import annotations

import pandas as pd

from coconut_study.report.scores import POINTS, RUN, SHARE, means

ADVANTAGE, AUC, OVER_UNIFORM, DECIDED = "advantage", "auc", "top over uniform", "decided"
NULLS = {
    ADVANTAGE: 0.0,
    AUC: 50.0,
    OVER_UNIFORM: 0.0,
    DECIDED: 0.0,
}  # of a model that knows nothing of the graph
BOUNDS = {ADVANTAGE: POINTS, AUC: SHARE, OVER_UNIFORM: POINTS, DECIDED: POINTS}
WITHIN = (ADVANTAGE, AUC, OVER_UNIFORM)  # measured within a question


def advantage(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """How much more the model values what leads to the asked option: the mean value of the correct candidates
    of a question minus that of the incorrect ones, in percentage points; 0 if it does not tell them apart.

    A score table (see `intervals`) over the questions with both kinds of candidates at this distance from the
    root, as are those of the functions below. `values` is of one data set and method. The two options do not
    count as candidates here: the question names them, so that no path need be followed to value the one that
    the root leads to above other nodes.
    """
    return scores_of(questions_of(at_frontier(values, frontier)), ADVANTAGE)


def auc(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """How often a correct candidate of a question has a higher value than an incorrect one: the share of such
    pairs in percent, ties half (the area under the ROC curve); 50 if values do not tell them apart. Over the
    candidates and questions of `advantage`."""
    return scores_of(questions_of(at_frontier(values, frontier)), AUC)


def top_over_uniform(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """The value of the best candidate minus `uniform`, in percentage points; 0 if all candidates are equal.
    Over the questions with two candidates or more."""
    return scores_of(questions_of(at_frontier(values, frontier)), OVER_UNIFORM)


def decided(values: pd.DataFrame) -> pd.DataFrame:
    """How much more decided the second frontier is than the first: the value of the best candidate there
    minus that at the first, at the same number of candidates, in percentage points; 0 if thoughts narrow
    nothing down.

    Over the numbers of candidates, two or more, that both frontiers have. A number that n1 questions have at
    the first and n2 at the second has the weight n1 n2 / (n1 + n2): the mean is the coefficient of the
    frontier in a regression of the best value on frontier and number of candidates.
    """
    matched = match_frontiers(values)
    if matched.empty:
        return pd.DataFrame()
    mean = matched.groupby(["seed", "size", "frontier"])["best"].transform("mean")
    weight = matched["weight"]
    rows = matched.assign(whole=weight * matched["best"], part=weight * (matched["best"] - mean))
    parts = rows.groupby(["seed", "group"])["part"].sum().unstack()
    return (parts.shape[1] * parts).add(rows.groupby("seed")["whole"].sum(), axis=0)


def match_frontiers(values: pd.DataFrame) -> pd.DataFrame:
    """The questions at the first two frontiers, at the numbers of candidates that both have, with a `weight`:
    for each seed, those of the second frontier sum to 1, those of the first to -1."""
    both = [questions_of(at_frontier(values, frontier)) for frontier in (1, 2)]
    questions = pd.concat(both, ignore_index=True)
    questions = questions[questions["size"] > 1]
    n_own = questions.groupby(["seed", "size", "frontier"])["question"].transform("size")
    n_both = questions.groupby(["seed", "size"])["question"].transform("size")
    weight = 1 - n_own / n_both  # n1 n2 / (n1 + n2), divided among its own
    share = 2 * weight / weight.groupby(questions["seed"]).transform("sum")
    return questions.assign(weight=share.where(questions["frontier"] == 2, -share))[weight > 0]


def at_frontier(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """The values of a frontier, after as many thoughts as lead to it (the most, if several numbers do)."""
    rows = values[values["frontier"] == frontier]
    return rows[rows["k"] == rows["k"].max()]


def questions_of(values: pd.DataFrame) -> pd.DataFrame:
    """One row per run, k and question: its number of candidates (`size`), their values together (`total`),
    the `best`, and the measures within questions (missing without two kinds, or two candidates), in percent.
    """
    at = [*RUN, "k", "frontier", "group", "question"]
    rows = values[[*at, "correct", "option"]].assign(value=100 * values["value"])
    found = rows.groupby(at)["value"].agg(size="size", total="sum", best="max")
    others = rows[~rows["option"]]
    others = others.assign(rank=others.groupby(at)["value"].rank())
    right, wrong = (others[others["correct"] == kind].groupby(at) for kind in (True, False))
    n_right, n_wrong = right.size(), wrong.size()
    won = right["rank"].sum() - n_right * (n_right + 1) / 2  # pairs in which the correct candidate is higher
    return found.assign(
        **{
            "uniform": 100 / found["size"],
            ADVANTAGE: right["value"].mean() - wrong["value"].mean(),
            AUC: 100 * won / (n_right * n_wrong),
            OVER_UNIFORM: (found["best"] - 100 / found["size"]).where(found["size"] > 1),
        }
    ).reset_index()


def scores_of(questions: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The score table of a measure; empty if no question has it."""
    measured = questions.dropna(subset=measure)
    return pd.DataFrame() if measured.empty else means(measured, measure)
