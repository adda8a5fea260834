"""Grades (summed up by run), histories and timings -> tidy tables with intervals over seeds. Pure.

A number that is not there stays missing: NaN in the table, an empty cell in CSV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from coconut_study.paths import Outcome

ANSWER = "right answer"
VALUE = "right value"
MEASURES = (ANSWER, *(outcome.value for outcome in Outcome))
RUN = ["dataset", "method", "seed"]
WAYS = ("fixed", "classifier")  # of ending thoughts
LEVEL = 0.95
SHORTCUT = "shortcut: "


class Interval(NamedTuple):
    """A mean with its confidence interval (both ends NaN for a single value, all three for none)."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Interval:
    """Student's t interval of the mean of one value a seed, at 95 %, cut off at `bounds`."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    mean = float(array.mean()) if n else np.nan
    if n < 2:
        return Interval(mean, np.nan, np.nan, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n)


# --------------------------------------------------------------------------------------------- tables


def by_seed(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k: shares of right answers, of right values and of each outcome (percent), and
    mean tokens. Grades of many runs are summed up one run after the other."""
    shares = pd.get_dummies(grades["outcome"]).reindex(columns=list(MEASURES[1:]), fill_value=False)
    values = pd.concat([grades[[*RUN, "k", "tokens"]], 100.0 * shares], axis=1)
    values[ANSWER] = 100.0 * grades["right"]
    values[VALUE] = 100.0 * grades["right number"].astype(float)
    return values.groupby([*RUN, "k"], sort=False, as_index=False).mean()


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
        chosen = _at_trained_k(runs, row)
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
    table = pd.concat([_at_trained_k(runs, row) for row in rows], ignore_index=True)
    return table[[*RUN, "k", ANSWER, "tokens"]].rename(columns={ANSWER: "accuracy"})


def _at_trained_k(runs: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
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
        chosen = _at_trained_k(runs, point).set_index("seed")
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


def clock(times: pd.DataFrame, rows: Sequence[Mapping[str, Any]], paper: Mapping[str, Any]) -> pd.DataFrame:
    """Seconds per question, one at a time and in batches, beside the paper's (Table 4).

    `times` has dataset, method, seed, batch size, questions and seconds.
    """
    table = []
    per_question = times.assign(seconds=times["seconds"] / times["questions"])
    for row in rows:
        found = per_question[
            (per_question["dataset"] == row["dataset"]) & (per_question["method"] == row["method"])
        ]
        reported = paper["seconds"].get(row["paper_dataset"], {}).get(row["paper_method"])
        for size, runs in found.groupby("batch size"):
            seconds = interval(runs["seconds"].tolist(), (0, np.inf))
            table.append(
                {"dataset": row["dataset"], "method": row["method"], "batch size": size}
                | seconds._asdict()
                | {"paper seconds": reported if size == 1 else None}
                | {"device": ", ".join(dict.fromkeys(runs["device"]))}
            )
    return pd.DataFrame(table).astype({"paper seconds": float})


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
