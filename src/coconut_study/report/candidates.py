"""Tables of the values of candidates as the paper's figures have them: by percentile of questions and by
height (see `values`). Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.scores import POINTS, RUN, Bases, mean_of
from coconut_study.report.values import scores_of

METHOD = ["dataset", "method"]
TOPS = (1, 2, 3)
PERCENTILES = np.linspace(0, 1, 101)
PRINTED_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def parallelism(values: pd.DataFrame) -> pd.DataFrame:
    """The summed value of the best candidates of a question, by percentile of questions (paper Figure 8).

    One row per data set, method, k, `top` and percentile (0 to 1): the summed value of the `top` best
    candidates, or of all candidates if there are fewer. Each curve is sorted by itself, so that it rises;
    each seed has its own curves, and `value` is their mean. `uniform` is the same curve if all candidates of
    a question had the same value: it rises as well, because questions differ in their number of candidates.
    """
    rows = [
        curves.assign(**dict(zip([*RUN, "k"], key, strict=True)))
        for key, candidates in values.groupby([*RUN, "k"], sort=False)
        for curves in [_curves(candidates)]
    ]
    at = [*METHOD, "k", "top", "percentile"]
    found = pd.concat(rows).groupby(at, sort=False)
    return found.agg(
        value=("value", "mean"), uniform=("uniform", "mean"), seeds=("value", "size")
    ).reset_index()


def _curves(values: pd.DataFrame) -> pd.DataFrame:
    """The curves of one run and k: top, percentile, value, uniform."""
    ranked = values.sort_values("value", ascending=False)
    by_question = ranked.groupby("question")["value"]
    rank = by_question.cumcount()
    ranked = ranked.assign(uniform=1 / by_question.transform("size"))
    curves = []
    for top in TOPS:
        sums = 100 * ranked[rank < top].groupby("question")[["value", "uniform"]].sum()
        curves.append(sums.quantile(PERCENTILES).rename_axis("percentile").reset_index().assign(top=top))
    return pd.concat(curves)


def heights(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """The value of correct and of incorrect candidates by height (paper Figure 9, section 5.4).

    One row per data set, method, k, height and kind (`correct`): the mean `value` of candidates as in the
    paper, and, with its interval, that of value minus `uniform`: what remains when questions with many
    candidates and with few are put on a level. With the numbers of candidates and questions.
    """
    size = values.groupby([*RUN, "k", "question"])["value"].transform("size")
    rows = values.assign(value=100 * values["value"], above=100 * (values["value"] - 1 / size))
    at = [*METHOD, "k", "frontier", "height", "correct"]
    return pd.DataFrame(
        [
            dict(zip(at, key, strict=True))
            | {"value": cell["value"].mean()}
            | mean_of(scores_of(cell, "above"), bases[key[1]], POINTS)
            | {"candidates": len(cell[["question", "node"]].drop_duplicates())}
            | {"questions": cell["question"].nunique()}
            for method, runs in rows.groupby(METHOD, sort=False)
            for key, cell in runs.groupby(at)
        ]
    )


def format_parallelism(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and number of best candidates, one column per percentile: the value, and `uniform`."""
    at = ["dataset", "method", "k", "top"]
    rows = table.assign(percentile=table["percentile"].round(2))
    rows = rows[rows["percentile"].isin(PRINTED_PERCENTILES)]
    rows = rows.assign(
        cell=[f"{rounded(v)} ({rounded(u)})" for v, u in rows[["value", "uniform"]].to_numpy()]
    )
    wide = rows.pivot(index=at, columns="percentile", values="cell")
    order = rows[at].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))].reset_index()
    columns = {share: f"percentile {100 * share:.0f}" for share in PRINTED_PERCENTILES}
    rest = wide.drop(columns=METHOD).rename(columns=columns | {"top": "best candidates"})
    return pd.DataFrame({**titled(wide, titles), **rest.astype(str)})


def format_heights(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k, height and kind of candidate."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "height": table["height"].astype(str),
            "candidate": table["correct"].map({True: "correct", False: "incorrect"}),
            "value (%)": table["value"].map(rounded),
            "minus equal (points)": with_interval(table["mean"], table["low"], table["high"]),
            "candidates": table["candidates"].astype(str),
            "questions": table["questions"].astype(str),
        }
    )
