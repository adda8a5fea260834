"""Tables of what thoughts hold: values of candidates, tokens, and where thoughts end. Pure.

`values` has dataset, method, seed, k, question, node, height, correct and value, as the probe writes them:
one row per candidate for the next step.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.intervals import RUN, Interval, interval

WAYS = ("fixed", "classifier")  # of ending thoughts
METHOD = ["dataset", "method"]
TOPS = (1, 2, 3)
PERCENTILES = np.linspace(0, 1, 101)
PRINTED_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def ending(ends: pd.DataFrame) -> pd.DataFrame:
    """One row per method and way: right answers (percent) over seeds, and the mean number of thoughts.

    `ends` has one row per question: dataset, method, seed, and for each way its k and whether it is right.
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


# ------------------------------------------------------------------------------------------ parallelism


def parallelism(values: pd.DataFrame) -> pd.DataFrame:
    """The summed value of the best candidates of a question, by percentile of questions (paper Figure 8).

    One row per data set, method, k, `top` and percentile (0 to 1): the summed value of the `top` best
    candidates, or of all candidates if there are fewer. Each curve is sorted by itself, so that it rises;
    each seed has its own curves, and `value` is their mean.
    """
    rows = [
        curves.assign(**dict(zip([*RUN, "k"], key, strict=True)))
        for key, candidates in values.groupby([*RUN, "k"], sort=False)
        for curves in [_curves(candidates)]
    ]
    at = [*METHOD, "k", "top", "percentile"]
    return pd.concat(rows).groupby(at, sort=False)["value"].agg(value="mean", seeds="size").reset_index()


def _curves(values: pd.DataFrame) -> pd.DataFrame:
    """The curves of one run and k: top, percentile, value."""
    ranked = values.sort_values("value", ascending=False)
    rank = ranked.groupby("question").cumcount()
    curves = []
    for top in TOPS:
        sums = ranked[rank < top].groupby("question")["value"].sum()
        curve = {"percentile": PERCENTILES, "value": sums.quantile(PERCENTILES).to_numpy()}
        curves.append(pd.DataFrame({"top": top} | curve))
    return pd.concat(curves)


# -------------------------------------------------------------------------------------- value by height


def heights(values: pd.DataFrame) -> pd.DataFrame:
    """Mean value of correct and of incorrect candidates by height (paper Figure 9, section 5.4).

    One row per data set, method, k, height and kind (`correct`), with the numbers of candidates, questions
    (`n`) and seeds. The mean is over candidates, as in the paper. `low` and `high` are its interval over
    questions, for these runs; `lowest seed` and `highest seed` are the smallest and largest mean of a single
    seed.
    """
    rows = []
    for run, candidates in values.groupby(METHOD, sort=False):
        for key, cell in candidates.groupby(["k", "height", "correct"]):
            at = dict(zip([*METHOD, "k", "height", "correct"], [*run, *key], strict=True))
            rows.append(at | _clustered(cell)._asdict() | _counts(cell))
    return pd.DataFrame(rows)


def _clustered(values: pd.DataFrame) -> Interval:
    """Mean value with its interval over questions; candidates and seeds of the same question depend on each
    other.

    The mean is the ratio of two sums over questions: of values, and of numbers of values. Its variance is
    that of the mean of the questions' linear contributions (the usual estimator for samples drawn in
    clusters).
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


def decoded(tokens: pd.DataFrame) -> pd.DataFrame:
    """The tokens of every thought, as the runs list them: most likely first (paper Figure 4)."""
    return tokens


# --------------------------------------------------------------------------------------------- as text


def format_ending(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method and way to end thoughts."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "thoughts end": table["way"].map({"fixed": "at a fixed number", "classifier": "by a classifier"}),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
            "thoughts": table["thoughts"].map(lambda value: rounded(value, 2)),
        }
    )


def format_parallelism(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and number of best candidates, one column per percentile."""
    at = ["dataset", "method", "k", "top"]
    rows = table.assign(percentile=table["percentile"].round(2))
    rows = rows[rows["percentile"].isin(PRINTED_PERCENTILES)]
    wide = rows.pivot(index=at, columns="percentile", values="value").map(lambda value: rounded(value, 3))
    order = rows[at].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))].reset_index()
    columns = {share: f"percentile {100 * share:.0f}" for share in PRINTED_PERCENTILES}
    rest = wide.drop(columns=METHOD).rename(columns=columns | {"top": "best candidates"})
    return pd.DataFrame({**titled(wide, titles), **rest.astype(str)})


def format_heights(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k, height and kind of candidate."""
    single_seeds = [
        f"{low:.3f} to {high:.3f}" if seeds > 1 else "–"
        for low, high, seeds in zip(table["lowest seed"], table["highest seed"], table["seeds"], strict=True)
    ]
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "height": table["height"].astype(str),
            "candidate": table["correct"].map({True: "correct", False: "incorrect"}),
            "value": with_interval(table["mean"], table["low"], table["high"], 3),
            "single seeds": single_seeds,
            "candidates": table["candidates"].astype(str),
            "questions": table["n"].astype(str),
        }
    )


def format_decoded(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per thought: its most likely tokens first."""
    at = ["dataset", "method", "seed", "question", "thought"]
    cells = [
        f"{token!r} {probability:.2f}"
        for token, probability in zip(table["token"], table["probability"], strict=True)
    ]
    wide = table[at].assign(tokens=cells).groupby(at, sort=False)["tokens"].agg(", ".join).reset_index()
    numbers = {name: wide[name].astype(str) for name in ("seed", "question", "thought")}
    return pd.DataFrame({**titled(wide, titles), **numbers, "likeliest tokens": wide["tokens"]})
