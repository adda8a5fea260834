"""Tables of the main results: accuracy, tokens, sweeps, comparisons, learning curves, data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.report.intervals import ANSWER, MEASURES, RUN, VALUE, interval
from coconut_study.report.markup import names_of, rounded, with_interval

SHORTCUT = "shortcut: "


def sweep(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per data set, method, k and measure: mean and interval over seeds, in percent."""
    rows = []
    for key, seeds in runs.groupby(["dataset", "method", "k"], sort=False):
        for measure in MEASURES:
            found = interval(seeds[measure].tolist(), (0, 100))
            rows.append(dict(zip(("dataset", "method", "k"), key, strict=True)) | {"measure": measure}
                        | found._asdict())  # fmt: skip
    return pd.DataFrame(rows)


def main(
    runs: pd.DataFrame,
    rows: Sequence[Mapping[str, Any]],
    paper: Mapping[str, Any],
    shortcuts: pd.DataFrame,
    worked: float,
) -> pd.DataFrame:
    """The paper's Table 1 with ours: one row for each of `rows`, then the rules that plan nothing.

    A row of `rows` has dataset and method, the k it was trained for, and the paper's data set and method
    that it is set beside (or None). `worked` counts the seeds with at least that share of right answers
    (percent); `shortcuts` has dataset, rule and accuracy.
    """
    table = []
    for row in rows:
        chosen = at_trained_k(runs, row)
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
    rules = shortcuts.dropna(subset="accuracy")  # data sets without graphs have none
    rules = rules.assign(method=SHORTCUT + rules["rule"]).drop(columns="rule")
    numbers = {"paper accuracy": float, "paper sd": float, "paper tokens": float, "value": float}
    whole = {"seeds": "Int64", "worked": "Int64"}
    both = pd.concat([pd.DataFrame(table).astype(numbers), rules], ignore_index=True).astype(whole)
    return both.sort_values("dataset", key=lambda names: names.map(_order(names)), kind="stable")


def seeds(runs: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every run by itself: right answers (percent) and tokens at the k it was trained for."""
    table = pd.concat([at_trained_k(runs, row) for row in rows], ignore_index=True)
    return table[[*RUN, "k", ANSWER, "tokens"]].rename(columns={ANSWER: "accuracy"})


def at_trained_k(runs: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """The runs of one row of the main table, at the number of thoughts they were trained for."""
    return runs[
        (runs["dataset"] == row["dataset"]) & (runs["method"] == row["method"]) & (runs["k"] == row["k"])
    ]


def _order(names: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def learning(runs: Sequence[tuple[Mapping[str, Any], Sequence[pd.DataFrame]]]) -> pd.DataFrame:
    """Validation accuracy (percent) after every epoch of every stage: mean and interval over seeds.

    `runs` holds each run's identity and the histories of its stages in training order; `seen` counts
    training questions from the start of the run. Epoch 0 of a stage is before its first update.
    """
    tables = []
    for run, histories in runs:
        table = pd.concat(histories, ignore_index=True)
        tables.append(table.assign(**run, seen=table["questions"].cumsum()))
    at = ["dataset", "method", "stage", "epoch", "seen"]
    rows = []
    for key, epochs in pd.concat(tables).groupby(at, sort=False):
        found = interval((100 * epochs["accuracy"]).tolist(), (0, 100))
        rows.append(dict(zip(at, key, strict=True)) | found._asdict() | {"loss": epochs["loss"].mean()})
    return pd.DataFrame(rows)


def data(ours: Mapping[str, pd.Series], paper: Mapping[str, Any]) -> pd.DataFrame:
    """Statistics of each split beside the published ones: a row per measure, a column per set."""
    published = {
        column["title"]: pd.Series(column).drop(["title", "reference"]).astype(float)
        for column in paper["statistics"].values()
    }
    columns = {**published, **ours}
    measures = dict.fromkeys(measure for column in columns.values() for measure in column.index)
    return pd.DataFrame(columns).loc[list(measures)].rename_axis("measure").reset_index()


def stages(learnt: pd.DataFrame) -> pd.DataFrame:
    """Validation accuracy at both ends of every stage, before its first update and after its last, from
    `learning`."""
    rows = []
    for key, stage in learnt.groupby(["dataset", "method", "stage"], sort=False):
        first, last = stage.iloc[0], stage.iloc[-1]
        rows.append(
            dict(zip(("dataset", "method", "stage"), key, strict=True))
            | {f"first {end}": first[end] for end in ("mean", "low", "high")}
            | {f"last {end}": last[end] for end in ("mean", "low", "high")}
            | {"n": first["n"]}
        )
    return pd.DataFrame(rows)


def comparison(runs: pd.DataFrame, points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Points of an experiment: accuracy and tokens of each, and the difference to the first of its series.

    A point has dataset, series, label, method and k. Differences are between runs of one seed, in points of
    percent; they are missing where no seed has both.
    """
    rows, first = [], dict[tuple[str, str], pd.Series]()
    for point in points:
        chosen = at_trained_k(runs, point).set_index("seed")
        accuracy = interval(chosen[ANSWER].tolist(), (0, 100))
        reference = first.setdefault((point["dataset"], point["series"]), chosen[ANSWER])
        apart = interval((chosen[ANSWER] - reference).dropna().tolist())
        rows.append(
            dict(point)
            | accuracy._asdict()
            | {"tokens": chosen["tokens"].mean(), "difference": apart.mean}
            | {"difference low": apart.low, "difference high": apart.high}
        )
    return pd.DataFrame(rows)


def show_main(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The show_main table as it is read: percent with interval, the paper's numbers beside."""
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


def show_seeds(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Right answers of every run as they are read: a row a method, a column a seed."""
    at = ["dataset", "method"]
    wide = table.pivot(index=at, columns="seed", values="accuracy").map(rounded)
    order = list(table[at].drop_duplicates().itertuples(index=False, name=None))
    wide = wide.loc[order].rename(columns=lambda seed: f"seed {seed} (%)").reset_index()
    for column in at:
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set"}).rename_axis(columns=None)


def show_sweep(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The show_sweep table as it is read: a row per k, a column per measure."""
    cells = table.assign(cell=with_interval(table["mean"], table["low"], table["high"]))
    wide = cells.pivot(index=["dataset", "method", "k"], columns="measure", values="cell")
    order = table[["dataset", "method", "k"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(MEASURES)].reset_index()
    for column in ("dataset", "method"):
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set", **{name: f"{name} (%)" for name in MEASURES}})


def show_data(table: pd.DataFrame) -> pd.DataFrame:
    """The statistics as they are read."""
    shown = table.set_index("measure").map(lambda value: rounded(value, 2))
    shown.loc["questions"] = table.set_index("measure").loc["questions"].map(lambda n: rounded(n, 0))
    return shown.reset_index()


def show_stages(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy at both ends of every stage as it is read."""
    return pd.DataFrame(
        {
            **names_of(table, titles),
            "stage": table["stage"].astype(str),
            "at its first step (%)": with_interval(
                table["first mean"], table["first low"], table["first high"]
            ),
            "at its end (%)": with_interval(table["last mean"], table["last low"], table["last high"]),
        }
    )


def show_comparison(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """An experiment as it is read: a row a point."""
    return pd.DataFrame(
        {
            **names_of(table, titles),
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
