"""Tables of runs that are asked the questions of other data sets than they were trained on. Pure.

All are made from `asked`: one row per run, data set asked, k and question (see `inputs.asked`). Accuracies
are in percent, with intervals over seeds and groups of questions.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import Interval, estimate
from coconut_study.report.scores import SHARE, Bases, by_base, means

POINT = ["trained", "asked", "method", "k"]
ALL = "all"


def transfer(asked: pd.DataFrame, hops: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per data set trained on, data set asked, method and k: right answers, in percent.

    If the questions of a data set differ in their number of steps, the row for `ALL` is followed by one for
    each number.
    """
    rows = []
    known = asked.merge(hops, on=["asked", "question"], validate="many_to_one")
    for key, runs in known.groupby(POINT, sort=False):
        parts = {ALL: runs}
        if runs["hops"].nunique() > 1:
            parts |= {str(number): part for number, part in runs.groupby("hops")}
        for name, part in parts.items():
            share = _share(part, "right", bases[key[2]])
            n_questions = part["question"].nunique()
            rows.append(
                dict(zip(POINT, key, strict=True))
                | {"steps": name, "questions": n_questions}
                | share._asdict()
            )
    return pd.DataFrame(rows)


def following(rewritten: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per data set trained on, rewrites asked, method and k.

    `accuracy` is the share of right answers to the questions as they were, `rewrites` that to their rewrites,
    and the mean with its interval is *following*: of the questions that are answered right, the share whose
    rewrite is answered right too (Jin et al. 2026, arXiv 2607.06648). An answer that does not depend on the
    changed fact gives 0, a coin for every question 50.
    """
    rows = []
    for key, runs in pairs(rewritten).groupby(POINT, sort=False):
        right = runs[runs["before"].astype(bool)]
        share = _share(right, "after", bases[key[2]])
        rows.append(
            dict(zip(POINT, key, strict=True))
            | {"accuracy": 100 * runs["before"].mean(), "rewrites": 100 * runs["after"].mean()}
            | {"questions": runs["question"].nunique()}
            | share._asdict()
        )
    return pd.DataFrame(rows)


def _share(rows: pd.DataFrame, column: str, base_of: Mapping[int, str]) -> Interval:
    """The share of rows where a column is true, in percent; missing without rows."""
    if rows.empty:
        return estimate(pd.DataFrame()).interval(SHARE)
    return estimate(by_base(100 * means(rows, column), base_of)).interval(SHARE)


def pairs(rewritten: pd.DataFrame) -> pd.DataFrame:
    """One row per question and its rewrite, which is the next question of the file: whether each is right."""
    is_rewrite = rewritten["question"] % 2 == 1
    pair = rewritten.assign(question=rewritten["question"] // 2)
    at = [*POINT, "seed", "question"]
    before = pair[~is_rewrite].rename(columns={"right": "before"})
    after = pair[is_rewrite].rename(columns={"right": "after"}).drop(columns="group")
    return before.merge(after, on=at, validate="one_to_one")


def format_transfer(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per point; accuracies with intervals."""
    return pd.DataFrame(
        {
            **_titled(table, titles),
            "steps": table["steps"],
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
        }
    )


def format_following(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per point; following with its interval."""
    return pd.DataFrame(
        {
            **_titled(table, titles),
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "as they were (%)": table["accuracy"].map(rounded),
            "rewritten (%)": table["rewrites"].map(rounded),
            "following (%)": with_interval(table["mean"], table["low"], table["high"]),
        }
    )


def _titled(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, pd.Series]:
    def name(column: str) -> pd.Series:
        return table[column].map(lambda one: titles[one])

    return {
        "trained on": name("trained"),
        "asked": name("asked"),
        "method": name("method"),
        "k": table["k"].astype(str),
    }
