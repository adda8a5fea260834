"""Tables of what runs answer: accuracy, tokens, sweeps and comparisons. Pure.

All are made from `grades`, the table of `intervals.by_run`: one row per run and k, shares in percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.report.cells import SHORTCUT, rounded, titled, with_interval
from coconut_study.report.intervals import ANSWER, MEASURES, RUN, VALUE, interval


def sweep(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per data set, method, k and measure: mean and interval over seeds, in percent."""
    rows = []
    for key, seeds in grades.groupby(["dataset", "method", "k"], sort=False):
        for measure in MEASURES:
            share = interval(seeds[measure].tolist(), (0, 100))
            rows.append(dict(zip(("dataset", "method", "k"), key, strict=True)) | {"measure": measure}
                        | share._asdict())  # fmt: skip
    return pd.DataFrame(rows)


def main(
    grades: pd.DataFrame,
    shortcuts: pd.DataFrame,
    paper: Mapping[str, Any],
    *,
    rows: Sequence[Mapping[str, Any]],
    worked: float,
) -> pd.DataFrame:
    """Our results next to the paper's Table 1: one row for each of `rows`, then one per shortcut.

    Each of `rows` has dataset, method, the k that it was trained with, and the paper's data set and method
    that it is compared with (or None). A seed has worked if at least `worked` percent of its answers are
    right. `shortcuts` has dataset, rule and accuracy.
    """
    table = []
    for row in rows:
        chosen = at_trained_k(grades, row)
        accuracy = interval(chosen[ANSWER].tolist(), (0, 100))
        reported = paper["accuracy"].get(row["paper_dataset"], {}).get(row["paper_method"], {})
        table.append(
            {
                "dataset": row["dataset"],
                "method": row["method"],
                "seeds": accuracy.n,
                "worked": int((chosen[ANSWER] >= worked).sum()),
                "accuracy": accuracy.mean,
                "low": accuracy.low,
                "high": accuracy.high,
                "value": chosen[VALUE].mean(),
                "tokens": chosen["tokens"].mean(),
                "paper accuracy": reported.get("accuracy"),
                "paper sd": reported.get("sd"),
                "paper tokens": reported.get("tokens"),
            }
        )
    rules = shortcuts.dropna(subset="accuracy")  # missing for data sets without graphs
    rules = rules.assign(method=SHORTCUT + rules["rule"]).drop(columns="rule")
    numbers = {"paper accuracy": float, "paper sd": float, "paper tokens": float, "value": float}
    whole = {"seeds": "Int64", "worked": "Int64"}
    both = pd.concat([pd.DataFrame(table).astype(numbers), rules], ignore_index=True).astype(whole)
    return both.sort_values("dataset", key=lambda names: names.map(_order(names)), kind="stable")


def seeds(grades: pd.DataFrame, *, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per run: right answers (percent) and tokens at the k that it was trained with."""
    table = pd.concat([at_trained_k(grades, row) for row in rows], ignore_index=True)
    return table[[*RUN, "k", ANSWER, "tokens"]].rename(columns={ANSWER: "accuracy"})


def at_trained_k(grades: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """The runs of the data set, method and k of `row`."""
    at = ["dataset", "method", "k"]
    return grades[(grades[at] == [row[name] for name in at]).all(axis=1)]


def _order(names: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def comparison(grades: pd.DataFrame, *, points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per point of an experiment: accuracy, tokens, and the difference to the first point of its
    series.

    A point has dataset, series, label, method and k. A difference is between runs with the same seed, in
    percentage points; it is missing if no seed has both.
    """
    rows, first = [], dict[tuple[str, str], pd.Series]()
    for point in points:
        chosen = at_trained_k(grades, point).set_index("seed")
        accuracy = interval(chosen[ANSWER].tolist(), (0, 100))
        reference = first.setdefault((point["dataset"], point["series"]), chosen[ANSWER])
        difference = interval((chosen[ANSWER] - reference).dropna().tolist())
        rows.append(
            dict(point)
            | accuracy._asdict()
            | {"tokens": chosen["tokens"].mean(), "difference": difference.mean}
            | {"difference low": difference.low, "difference high": difference.high}
        )
    return pd.DataFrame(rows)


def format_main(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """Percentages with intervals, and the paper's numbers."""
    return pd.DataFrame(
        {
            "data set": table["dataset"].map(lambda name: titles[name]),
            "method": table["method"].map(lambda name: titles.get(name, name)),
            "accuracy (%)": with_interval(table["accuracy"], table["low"], table["high"]),
            "worked": [
                "–" if pd.isna(n) else f"{good} of {n}"
                for good, n in zip(table["worked"], table["seeds"], strict=True)
            ],
            "right value (%)": table["value"].map(rounded),
            "tokens": table["tokens"].map(rounded),
            "paper: accuracy (%)": [
                _plus_minus(*pair) for pair in zip(table["paper accuracy"], table["paper sd"], strict=True)
            ],
            "paper: tokens": table["paper tokens"].map(rounded),
        }
    )


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
