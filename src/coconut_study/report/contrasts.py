"""Tables of what the values of candidates tell within questions and at equal numbers of candidates (see
`values`). Pure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.scores import RUN, SHARE, Bases, mean_of
from coconut_study.report.values import (
    ADVANTAGE,
    AUC,
    BOUNDS,
    DECIDED,
    NULLS,
    OVER_UNIFORM,
    WITHIN,
    decided,
    match_frontiers,
    questions_of,
    scores_of,
)

ALL = "all"
METHOD = ["dataset", "method"]
MEASURED = {
    ADVANTAGE: "correct minus incorrect (points)",
    AUC: "correct above incorrect (% of pairs)",
    OVER_UNIFORM: "best minus equal (points)",
    DECIDED: "best, minus that at the first frontier (points)",
}


def contrasts(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """What the values of a question tell, beside what they would be if they told nothing (`null`).

    One row per data set, method, k and measure (see `advantage`, `auc`, `top_over_uniform` and `decided`),
    with the number of questions that it is over.
    """
    rows = []
    for key, runs in values.groupby(METHOD, sort=False):
        for at, questions in questions_of(runs).groupby(["k", "frontier"]):
            for measure in WITHIN:
                over = questions.dropna(subset=measure)
                if not over.empty:
                    rows.append((*key, *at, measure, over, scores_of(over, measure)))
        matched = match_frontiers(runs)
        if not matched.empty:
            last = matched[matched["frontier"] == 2]["k"].iloc[0]
            rows.append((*key, last, 2, DECIDED, matched, decided(runs)))
    return pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "k": k, "frontier": frontier, "measure": measure}
            | {"questions": over["question"].nunique()}
            | mean_of(scores, bases[method], BOUNDS[measure])
            | {"null": NULLS[measure]}
            for dataset, method, k, frontier, measure, over, scores in rows
        ]
    )


def best(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """The value of the best candidate of a question, at equal numbers of candidates (`size`), and over all.

    One row per data set, method, k and size: mean and interval, `uniform`, the value of all candidates
    together (`total`), and the number of questions.
    """
    rows = []
    for key, questions in questions_of(values).groupby([*METHOD, "k", "frontier"], sort=False):
        for size, sized in _by_size(questions):
            at = dict(zip([*METHOD, "k", "frontier"], key, strict=True))
            rows.append(
                at
                | {"size": size, "questions": sized["question"].nunique()}
                | mean_of(scores_of(sized, "best"), bases[key[1]], SHARE)
                | {"uniform": sized["uniform"].mean(), "total": sized["total"].mean()}
            )
    return pd.DataFrame(rows)


def _by_size(questions: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The questions with each number of candidates, and all of them."""
    return [*((str(size), sized) for size, sized in questions.groupby("size")), (ALL, questions)]


def values_seeds(values: pd.DataFrame) -> pd.DataFrame:
    """The means of every run: the `best` value at each number of candidates (`size`), and the measures within
    questions over all of them."""
    rows = []
    for key, questions in questions_of(values).groupby([*RUN, "k", "frontier"], sort=False):
        at = dict(zip([*RUN, "k", "frontier"], key, strict=True))
        rows += [
            at | {"measure": "best", "size": size, "value": sized["best"].mean()}
            for size, sized in _by_size(questions)
        ]
        rows += [at | {"measure": name, "size": ALL, "value": questions[name].mean()} for name in WITHIN]
    return pd.DataFrame(rows)


def format_best(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and number of candidates."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "edges from root": table["frontier"].astype(str),
            "candidates": table["size"].astype(str),
            "questions": table["questions"].astype(str),
            "best value (%)": with_interval(table["mean"], table["low"], table["high"]),
            "if all were equal (%)": table["uniform"].map(rounded),
            "all together (%)": table["total"].map(rounded),
        }
    )


def format_contrasts(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and measure."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "edges from root": table["frontier"].astype(str),
            "measure": table["measure"].map(MEASURED),
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "ours": with_interval(table["mean"], table["low"], table["high"]),
            "if values told nothing": table["null"].map(lambda value: rounded(value, 0)),
        }
    )
