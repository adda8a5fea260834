"""Tables of what runs answer: accuracy, tokens, sweeps and comparisons. Pure.

All are made from `counts`, the table of `scores.by_group`: one row per run, k and group of questions. `bases`
names the base model of every method and seed (see `scores.by_base`). Accuracies are in percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.common.errors import StudyError
from coconut_study.report.cells import SHORTCUT, rounded, titled, with_interval
from coconut_study.report.intervals import Estimate, estimate
from coconut_study.report.interventions import necessity, without_thoughts
from coconut_study.report.scores import (
    ANSWER,
    MEASURES,
    POINTS,
    RUN,
    SHARE,
    TOKENS,
    VALUE,
    Bases,
    by_base,
    by_run,
    difference,
    fixed,
    mean_of,
    scores,
)

NEEDED = ("necessity", "necessity low", "necessity high", "without thoughts")
POINT = ["dataset", "method", "k"]


def sweep(counts: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per data set, method, k and measure: mean and interval, in percent, and the number of units."""
    rows = []
    for key, runs in counts.groupby(POINT, sort=False):
        for measure in MEASURES:
            share = mean_of(scores(runs, measure), bases[key[1]], SHARE)
            rows.append(dict(zip(POINT, key, strict=True)) | {"measure": measure} | share)
    return pd.DataFrame(rows)


def sweep_seeds(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k: the shares of right answers and of each outcome, in percent."""
    return by_run(counts)[[*RUN, "k", *MEASURES]]


def main(
    counts: pd.DataFrame,
    intervened: pd.DataFrame,
    shortcuts: pd.DataFrame,
    paper: Mapping[str, Any],
    *,
    rows: Sequence[Mapping[str, Any]],
    worked: float,
    bases: Bases,
) -> pd.DataFrame:
    """Our results next to the paper's Table 1: one row for each of `rows`, then one per shortcut.

    Each of `rows` has dataset, method, the k that it was trained with, and the paper's data set and method
    that it is compared with (or None). A seed has worked if at least `worked` percent of its answers are
    right. `intervened` has what the runs of some methods answer with other thoughts. `shortcuts` has dataset,
    rule, group and points: one row per rule and question. StudyError if they are of another data set.
    """
    if unknown := sorted({*shortcuts["dataset"]} - {row["dataset"] for row in rows}):
        raise StudyError(f"shortcuts: {unknown[0]} is not a data set of the table")
    others = dict(iter(intervened.groupby(["dataset", "method"], sort=False)))
    table = [
        _row(at(counts, row), others.get((row["dataset"], row["method"])), row, paper, worked, bases)
        for row in rows
    ]
    table += [
        {"dataset": key[0], "method": f"{SHORTCUT}{key[1]}"} | _accuracy(estimate(fixed(points)))
        for key, points in shortcuts.groupby(["dataset", "rule"], sort=False)
    ]
    whole = dict.fromkeys(("seeds", "bases", "worked"), "Int64")
    numbers = dict.fromkeys(("value", "tokens", *NEEDED, "paper accuracy", "paper sd", "paper tokens"), float)
    made = pd.DataFrame(table).astype(whole | numbers)
    return made.sort_values("dataset", key=lambda names: names.map(_order(names)), kind="stable")


def _row(
    runs: pd.DataFrame, others: pd.DataFrame | None, row: Mapping[str, Any], paper: Mapping[str, Any],
    worked: float, bases: Bases,
) -> dict[str, Any]:  # fmt: skip
    """A row of the main table, from the counts of its runs and their answers with other thoughts."""
    own = by_run(runs)
    base_of = bases[row["method"]]
    reported = paper["accuracy"].get(row["paper_dataset"], {}).get(row["paper_method"], {})
    return {
        "dataset": row["dataset"],
        "method": row["method"],
        "seeds": len(own),
        "bases": len({base_of[seed] for seed in own["seed"]}),
        "worked": int((own[ANSWER] >= worked).sum()),
        **_accuracy(estimate(by_base(scores(runs, ANSWER), base_of))),
        "value": own[VALUE].mean(),
        "tokens": own[TOKENS].mean(),
        **_needed(others, base_of),
        "paper accuracy": reported.get("accuracy"),
        "paper sd": reported.get("sd"),
        "paper tokens": reported.get("tokens"),
    }


def _accuracy(found: Estimate) -> dict[str, float]:
    mean, low, high, _ = found.interval(SHARE)
    return {"accuracy": mean, "low": low, "high": high}


def _needed(others: pd.DataFrame | None, base_of: Mapping[int, str]) -> dict[str, float]:
    """How much thoughts are needed; missing without answers with other thoughts."""
    lost, without = pd.DataFrame(), pd.DataFrame()
    if others is not None:
        lost, without = necessity(others), without_thoughts(others)
    mean, low, high, _ = mean_of(lost, base_of, POINTS).values()
    return dict(zip(NEEDED, (mean, low, high, mean_of(without, base_of)["mean"]), strict=True))


def seeds(counts: pd.DataFrame, *, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per run: right answers (percent) and tokens at the k that it was trained with."""
    table = by_run(pd.concat([at(counts, row) for row in rows], ignore_index=True))
    return table[[*RUN, "k", ANSWER, TOKENS]].rename(columns={ANSWER: "accuracy"})


def at(counts: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """The runs of the data set, method and k of `row`."""
    return counts[(counts[POINT] == [row[name] for name in POINT]).all(axis=1)]


def comparison(counts: pd.DataFrame, *, points: Sequence[Mapping[str, Any]], bases: Bases) -> pd.DataFrame:
    """One row per point of an experiment: accuracy, tokens, and the difference to the first point of its
    series.

    A point has dataset, series, label, method and k. A difference is between runs with the same seed on the
    same questions, in percentage points; it is missing if no seed has both.
    """
    rows, first = [], dict[tuple[str, str], pd.DataFrame]()
    for point in points:
        runs, base_of = at(counts, point), bases[point["method"]]
        own = scores(runs, ANSWER)
        reference = first.setdefault((point["dataset"], point["series"]), own)
        accuracy = mean_of(own, base_of, SHARE)
        apart = estimate(by_base(difference(own, reference), base_of)).interval()
        rows.append(
            dict(point)
            | accuracy
            | {"tokens": by_run(runs)[TOKENS].mean(), "difference": apart.mean}
            | {"difference low": apart.low, "difference high": apart.high}
        )
    return pd.DataFrame(rows)


def _order(names: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def format_main(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """Percentages with intervals, and the paper's numbers."""
    return pd.DataFrame(
        {
            "data set": table["dataset"].map(lambda name: titles[name]),
            "method": table["method"].map(lambda name: titles.get(name, name)),
            "accuracy (%)": with_interval(table["accuracy"], table["low"], table["high"]),
            "seeds": [
                "–" if pd.isna(seeds) else f"{seeds}, of {bases} base models" if bases > 1 else f"{seeds}"
                for seeds, bases in zip(table["seeds"], table["bases"], strict=True)
            ],
            "worked": [
                "–" if pd.isna(n) else f"{good} of {n}"
                for good, n in zip(table["worked"], table["seeds"], strict=True)
            ],
            "right value (%)": table["value"].map(rounded),
            "tokens": table["tokens"].map(rounded),
            **_shown(table),
            "paper: accuracy (%)": [
                _plus_minus(*pair) for pair in zip(table["paper accuracy"], table["paper sd"], strict=True)
            ],
            "paper: tokens": table["paper tokens"].map(rounded),
        }
    )


def _shown(table: pd.DataFrame) -> dict[str, Any]:
    """The columns of how much thoughts are needed; none if the study did not ask."""
    if table["necessity"].isna().all():
        return {}
    spans = with_interval(table["necessity"], table["necessity low"], table["necessity high"])
    return {"necessity (points)": spans, "without thoughts (%)": table["without thoughts"].map(rounded)}


def format_seeds(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """Right answers: one row per method, one column per seed."""
    at = ["dataset", "method"]
    wide = table.pivot(index=at, columns="seed", values="accuracy").map(rounded)
    order = list(table[at].drop_duplicates().itertuples(index=False, name=None))
    wide = wide.loc[order].rename(columns=lambda seed: f"seed {seed} (%)").reset_index()
    for column in at:
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set"}).rename_axis(columns=None)


def format_sweep(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k, one column per measure."""
    cells = table.assign(cell=with_interval(table["mean"], table["low"], table["high"]))
    wide = cells.pivot(index=["dataset", "method", "k"], columns="measure", values="cell")
    order = table[["dataset", "method", "k"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(MEASURES)].reset_index()
    for column in ("dataset", "method"):
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set", **{name: f"{name} (%)" for name in MEASURES}})


def format_comparison(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per point."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "series": table["series"],
            "at": table["label"].astype(str),
            "k": table["k"].astype(str),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
            "to the first": with_interval(
                table["difference"], table["difference low"], table["difference high"]
            ),
            "tokens": table["tokens"].map(rounded),
        }
    )


def _plus_minus(mean: float, sd: float) -> str:
    return rounded(mean) + ("" if np.isnan(sd) else f" ± {sd:.1f}")
