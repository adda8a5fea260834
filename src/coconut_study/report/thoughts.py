"""Values of candidates -> tidy tables. Pure.

The values are a table with dataset, method, seed, k, question, node, height, correct and value, as the
probe writes them: one row a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coconut_study.report.intervals import RUN, Interval, interval
from coconut_study.report.markup import names_of, rounded, with_interval

WAYS = ("fixed", "classifier")  # of ending thoughts


def ending(ends: pd.DataFrame) -> pd.DataFrame:
    """Right answers and thoughts with a fixed number and with the classifier, and what the latter costs.

    `ends` has a row per question: dataset, method, seed, and for each way its k and whether it is right.
    """
    rows = []
    for key, runs in ends.groupby(["dataset", "method"], sort=False):
        means = runs.groupby("seed")[[f"{way} {what}" for way in WAYS for what in ("right", "k")]].mean()
        for way in WAYS:
            accuracy = interval((100 * means[f"{way} right"]).tolist(), (0, 100))
            rows.append(
                {"dataset": key[0], "method": key[1], "way": way}
                | accuracy._asdict()
                | {"thoughts": means[f"{way} k"].mean()}
            )
    return pd.DataFrame(rows)


SHOWN = ["dataset", "method"]
TOPS = (1, 2, 3)
PERCENTILES = np.linspace(0, 1, 101)


# ------------------------------------------------------------------------------------------ parallelism


def parallelism(values: pd.DataFrame) -> pd.DataFrame:
    """How much of the value the best candidates of a question hold together (paper Figure 8).

    One row per data set, method, k, `top` and percentile (0 to 1) of the questions: the value of the `top`
    best candidates summed, which is that of all where there are fewer. Every curve is sorted on its own, so
    that it rises; with several seeds each has its curves, and `value` is their mean.
    """
    rows = [
        curves.assign(**dict(zip([*RUN, "k"], key, strict=True)))
        for key, found in values.groupby([*RUN, "k"], sort=False)
        for curves in [_curves(found)]
    ]
    at = [*SHOWN, "k", "top", "percentile"]
    return pd.concat(rows).groupby(at, sort=False)["value"].agg(value="mean", seeds="size").reset_index()


def _curves(values: pd.DataFrame) -> pd.DataFrame:
    """The curves of one run and k: top, percentile, value."""
    ranked = values.sort_values("value", ascending=False)
    rank = ranked.groupby("question").cumcount()
    curves = []
    for top in TOPS:
        held = ranked[rank < top].groupby("question")["value"].sum()
        curve = {"percentile": PERCENTILES, "value": held.quantile(PERCENTILES).to_numpy()}
        curves.append(pd.DataFrame({"top": top} | curve))
    return pd.concat(curves)


# -------------------------------------------------------------------------------------- value by height


def by_height(values: pd.DataFrame) -> pd.DataFrame:
    """Mean value of correct and of incorrect candidates by height (paper Figure 9, section 5.4).

    One row per data set, method, k, height and kind (`correct`), with the number of candidates, and of
    questions (`n`) and seeds they come from. The mean is over candidates, as in the paper; `low` and `high`
    are its interval over questions: what other questions would give the same runs. What other runs would
    give shows in `lowest seed` and `highest seed`, the extremes of the means of single seeds.
    """
    rows = []
    for run, found in values.groupby(SHOWN, sort=False):
        for key, cell in found.groupby(["k", "height", "correct"]):
            at = dict(zip([*SHOWN, "k", "height", "correct"], [*run, *key], strict=True))
            rows.append(at | _clustered(cell)._asdict() | _counts(cell))
    return pd.DataFrame(rows)


def _clustered(values: pd.DataFrame) -> Interval:
    """Mean value with its interval over questions, whose candidates and seeds depend on one another.

    The mean is a ratio of two sums over questions, of values and of their number; its variance is that of
    the questions' mean linear contributions (the usual estimator for samples drawn in clusters).
    """
    mean = values["value"].mean()
    per_question = values.groupby("question")["value"].agg(["sum", "size"])
    contributions = (per_question["sum"] - mean * per_question["size"]) / per_question["size"].mean()
    return interval((mean + contributions).tolist(), (0, 1))


def _counts(values: pd.DataFrame) -> dict[str, float]:
    by_seed = values.groupby("seed")["value"].mean()
    return {
        "candidates": len(values[["question", "node"]].drop_duplicates()),
        "seeds": len(by_seed),
        "lowest seed": by_seed.min(),
        "highest seed": by_seed.max(),
    }


SHOWN_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the questions, in the table on parallelism


def show_ending(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Both ways to end thoughts as they are read."""
    return pd.DataFrame(
        {
            **names_of(table, titles),
            "thoughts end": table["way"].map({"fixed": "at a fixed number", "classifier": "by a classifier"}),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
            "thoughts": table["thoughts"].map(lambda value: rounded(value, 2)),
        }
    )


def show_parallelism(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The curves as they are read: a row per k and number of best candidates, a column per percentile."""
    at = ["dataset", "method", "k", "top"]
    rows = table.assign(percentile=table["percentile"].round(2))
    rows = rows[rows["percentile"].isin(SHOWN_PERCENTILES)]
    wide = rows.pivot(index=at, columns="percentile", values="value").map(lambda value: rounded(value, 3))
    order = rows[at].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))].reset_index()
    columns = {share: f"percentile {100 * share:.0f}" for share in SHOWN_PERCENTILES}
    shown = wide.drop(columns=["dataset", "method"]).rename(columns=columns | {"top": "best candidates"})
    return pd.DataFrame({**names_of(wide, titles), **shown.astype(str)})


def show_heights(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The means as they are read: a row per k, height and kind of candidate."""
    single_seeds = [
        f"{low:.3f} to {high:.3f}" if show_seeds > 1 else "–"
        for low, high, show_seeds in zip(
            table["lowest seed"], table["highest seed"], table["seeds"], strict=True
        )
    ]
    return pd.DataFrame(
        {
            **names_of(table, titles),
            "k": table["k"].astype(str),
            "height": table["height"].astype(str),
            "candidate": table["correct"].map({True: "correct", False: "incorrect"}),
            "value": with_interval(table["mean"], table["low"], table["high"], 3),
            "single seeds": single_seeds,
            "candidates": table["candidates"].astype(str),
            "questions": table["n"].astype(str),
        }
    )


def show_decoded(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Thoughts as words as they are read: a row a thought, its likeliest tokens behind each other."""
    at = ["dataset", "method", "seed", "question", "thought"]
    written = [
        f"{token!r} {probability:.2f}"
        for token, probability in zip(table["token"], table["probability"], strict=True)
    ]
    wide = table[at].assign(tokens=written).groupby(at, sort=False)["tokens"].agg(", ".join).reset_index()
    numbers = {name: wide[name].astype(str) for name in ("seed", "question", "thought")}
    return pd.DataFrame({**names_of(wide, titles), **numbers, "likeliest tokens": wide["tokens"]})
