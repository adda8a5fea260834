"""Tables of runs that are asked the questions of other data sets than they were trained on. Pure.

All are made from `asked`: one row per run, data set asked, k and question (see `inputs.asked`). The own data
set of a run is among those asked. Accuracies are in percent, with intervals over seeds and groups of
questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import Interval, estimate
from coconut_study.report.scores import ANSWER, SHARE, Bases, by_base, means

POINT = ["trained", "asked", "method", "k"]
LINE = ["trained", "asked", "method", "steps"]  # the points that differ in k alone
ALL = "all"


def transfer(asked: pd.DataFrame, hops: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per data set trained on, data set asked, method and k: right answers, in percent.

    If the questions of a data set differ in their number of steps, the row for `ALL` is followed by one for
    each number. `null` is what a coin answers right; it is missing where questions have no two options.
    """
    rows = [
        point
        | {"questions": runs["question"].nunique()}
        | _share(runs, "right", bases[point["method"]])._asdict()
        | {"null": runs["null"].iloc[0]}
        for point, runs in _points(asked, hops)
    ]
    return pd.DataFrame(rows)


def transfer_seeds(asked: pd.DataFrame, hops: pd.DataFrame) -> pd.DataFrame:
    """The right answers of every run, in percent: one row per seed for each row of `transfer`."""
    rows = [
        point | {"seed": seed, ANSWER: 100 * run["right"].mean()}
        for point, runs in _points(asked, hops)
        for seed, run in runs.groupby("seed")
    ]
    return pd.DataFrame(rows)


def _points(asked: pd.DataFrame, hops: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The answers of every data set trained on, data set asked, method and k: to all questions, and to those
    of each number of steps if these differ."""
    known = asked.merge(hops, on=["asked", "question"], validate="many_to_one")
    for key, runs in known.groupby(POINT, sort=False):
        point = dict(zip(POINT, key, strict=True))
        yield point | {"steps": ALL}, runs
        if runs["hops"].nunique() > 1:
            yield from ((point | {"steps": str(n)}, part) for n, part in runs.groupby("hops"))


def sufficient(seeds: pd.DataFrame, *, worked: float) -> pd.DataFrame:
    """One row per data set trained on, data set asked, number of steps, method and seed: the smallest k whose
    right answers reach `worked` percent, missing if none does.

    `seeds` is the table `transfer_seeds`. Methods that were asked at one k alone have no rows.
    """
    rows = []
    for key, runs in seeds.groupby(LINE, sort=False):
        ks = runs["k"]
        if ks.nunique() > 1:
            rows += [
                dict(zip(LINE, key, strict=True))
                | {"seed": seed, "first k": ks.min(), "last k": ks.max(), "worked": worked}
                | {"k": run.loc[run[ANSWER] >= worked, "k"].min()}
                for seed, run in runs.groupby("seed")
            ]
    return pd.DataFrame(rows).astype({"k": "Int64"})


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
            "k": table["k"].astype(str),
            "steps": table["steps"],
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
        }
    )


def format_sufficient(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per data set asked, number of steps and method: the smallest k of one seed after the other."""
    lines = [line for _, line in table.groupby(LINE, sort=False)]
    first = pd.DataFrame([line.iloc[0] for line in lines])
    return pd.DataFrame(
        {
            **_titled(first, titles),
            "steps": first["steps"],
            "seeds": [str(len(line)) for line in lines],
            f"smallest k with {rounded(table['worked'].iloc[0], 0)} %": [_smallest(line) for line in lines],
        }
    )


def _smallest(line: pd.DataFrame) -> str:
    """The smallest k of every seed."""
    if line["k"].isna().all():
        return f"none of {line['first k'].iloc[0]} to {line['last k'].iloc[0]}"
    return ", ".join("none" if pd.isna(k) else str(k) for k in line["k"])


def format_following(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per point; following with its interval."""
    return pd.DataFrame(
        {
            **_titled(table, titles),
            "k": table["k"].astype(str),
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
    }
