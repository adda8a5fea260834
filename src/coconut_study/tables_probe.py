"""Values of candidates -> tidy tables. Pure.

The values are a table with dataset, method, seed, k, question, node, height, correct and value, as the
probe writes them: one row a candidate.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from coconut_study.tables import RUN, Interval, interval

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
