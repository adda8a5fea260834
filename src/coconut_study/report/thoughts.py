"""Tables of thoughts: where they end, and the tokens that they decode to. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.scores import SHARE, Bases, mean_of, means

WAYS = ("fixed", "classifier")  # of ending thoughts
PRINTED = 2  # questions of a run, of which the text of a table has what thoughts decode to


def ending(ends: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per method and way: right answers (percent), and the mean number of thoughts.

    `ends` has one row per question: dataset, method, seed, group, and for each way its k and whether it is
    right.
    """
    return pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "way": way}
            | mean_of(ended(runs, way), bases[method], SHARE)
            | {"thoughts": runs[f"{way} k"].mean()}
            for (dataset, method), runs in ends.groupby(["dataset", "method"], sort=False)
            for way in WAYS
        ]
    )


def ended(ends: pd.DataFrame, way: str) -> pd.DataFrame:
    """The score table of right answers (percent) of one data set and method if thoughts end in this way."""
    return 100 * means(ends.assign(right=ends[f"{way} right"].astype(float)), "right")


def decoded(tokens: pd.DataFrame) -> pd.DataFrame:
    """The tokens of every thought, as the runs list them: most likely first (paper Figure 4)."""
    return tokens


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


def format_decoded(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per thought about the first `PRINTED` questions of every run: its most likely tokens first."""
    at = ["dataset", "method", "seed", "question", "thought"]
    table = table[table.groupby(at[:3])["question"].rank("dense") <= PRINTED]
    cells = [
        f"{token!r} {probability:.2f}"
        for token, probability in zip(table["token"], table["probability"], strict=True)
    ]
    wide = table[at].assign(tokens=cells).groupby(at, sort=False)["tokens"].agg(", ".join).reset_index()
    numbers = {name: wide[name].astype(str) for name in ("seed", "question", "thought")}
    return pd.DataFrame({**titled(wide, titles), **numbers, "likeliest tokens": wide["tokens"]})
