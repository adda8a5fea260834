"""Grades and histories -> tidy tables with intervals over seeds, and how they are printed. Pure.

Numbers are kept in CSV; Markdown and LaTeX show the same table rounded. A number that is not there stays
missing: NaN in the table, an empty cell in CSV and a dash where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from coconut_study.paths import Outcome

ANSWER = "right answer"
MEASURES = (ANSWER, *(outcome.value for outcome in Outcome))
RUN = ["dataset", "method", "seed"]
LEVEL = 0.95
SHORTCUT = "shortcut: "
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><style>
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.3em 0.9em; text-align: left; white-space: nowrap; }}
thead th {{ border-top: 2px solid; border-bottom: 1px solid; }}
tbody tr:last-child td {{ border-bottom: 2px solid; }}
</style></head><body>
{table}
</body></html>
"""


class Interval(NamedTuple):
    """A mean with its confidence interval (both ends NaN for a single value)."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Interval:
    """Student's t interval of the mean of one value a seed, at 95 %, cut off at `bounds`."""
    array = np.asarray(values, dtype=float)
    mean, n = float(array.mean()), len(array)
    if n < 2:
        return Interval(mean, np.nan, np.nan, n)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]), n)


# --------------------------------------------------------------------------------------------- tables


def by_seed(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per run and k: share of right answers and of each outcome (percent), mean tokens."""
    shares = pd.get_dummies(grades["outcome"]).reindex(columns=list(MEASURES[1:]), fill_value=False)
    values = pd.concat([grades[[*RUN, "k", "tokens"]], 100.0 * shares], axis=1)
    values[ANSWER] = 100.0 * grades["right"]
    return values.groupby([*RUN, "k"], sort=False, as_index=False).mean()


def sweep(grades: pd.DataFrame) -> pd.DataFrame:
    """One row per data set, method, k and measure: mean and interval over seeds, in percent."""
    rows = []
    for key, runs in by_seed(grades).groupby(["dataset", "method", "k"], sort=False):
        for measure in MEASURES:
            found = interval(runs[measure].tolist(), (0, 100))
            rows.append(dict(zip(("dataset", "method", "k"), key, strict=True)) | {"measure": measure}
                        | found._asdict())  # fmt: skip
    return pd.DataFrame(rows)


def main(
    grades: pd.DataFrame,
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
    runs = by_seed(grades)
    table = []
    for row in rows:
        chosen = _at_trained_k(runs, row)
        accuracy = interval(chosen[ANSWER].tolist(), (0, 100))
        reported = paper["table_1"].get(row["paper_dataset"], {}).get(row["paper_method"], {})
        table.append(
            {
                "dataset": row["dataset"],
                "method": row["method"],
                "seeds": accuracy.n,
                "worked": int((chosen[ANSWER] >= worked).sum()),
                "accuracy": accuracy.mean,
                "low": accuracy.low,
                "high": accuracy.high,
                "tokens": chosen["tokens"].mean(),
                "paper accuracy": reported.get("accuracy"),
                "paper sd": reported.get("sd"),
                "paper tokens": reported.get("tokens"),
            }
        )
    rules = shortcuts.assign(method=SHORTCUT + shortcuts["rule"]).drop(columns="rule")
    numbers = {"paper accuracy": float, "paper sd": float, "paper tokens": float}
    whole = {"seeds": "Int64", "worked": "Int64"}
    both = pd.concat([pd.DataFrame(table).astype(numbers), rules], ignore_index=True).astype(whole)
    return both.sort_values("dataset", key=lambda names: names.map(_order(names)), kind="stable")


def seeds(grades: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every run by itself: right answers (percent) and tokens at the k it was trained for."""
    runs = by_seed(grades)
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
    training questions from the start of the run.
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


# --------------------------------------------------------------------------------------------- printing


def shown_main(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The main table as it is read: percent with interval, the paper's numbers beside."""
    return pd.DataFrame(
        {
            "data set": table["dataset"].map(lambda name: titles[name]),
            "method": table["method"].map(lambda name: titles.get(name, name)),
            "accuracy (%)": _with_interval(table["accuracy"], table["low"], table["high"]),
            "worked": [
                "–" if pd.isna(n) else f"{good} of {n}"
                for good, n in zip(table["worked"], table["seeds"], strict=True)
            ],
            "tokens": table["tokens"].map(_rounded),
            "paper: accuracy (%)": [
                _plus_minus(*pair) for pair in zip(table["paper accuracy"], table["paper sd"], strict=True)
            ],
            "paper: tokens": table["paper tokens"].map(_rounded),
        }
    )


def shown_seeds(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Right answers of every run as they are read: a row a method, a column a seed."""
    at = ["dataset", "method"]
    wide = table.pivot(index=at, columns="seed", values="accuracy").map(_rounded)
    order = list(table[at].drop_duplicates().itertuples(index=False, name=None))
    wide = wide.loc[order].rename(columns=lambda seed: f"seed {seed} (%)").reset_index()
    for column in at:
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set"}).rename_axis(columns=None)


def shown_sweep(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The sweep table as it is read: a row per k, a column per measure."""
    cells = table.assign(cell=_with_interval(table["mean"], table["low"], table["high"]))
    wide = cells.pivot(index=["dataset", "method", "k"], columns="measure", values="cell")
    order = table[["dataset", "method", "k"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(MEASURES)].reset_index()
    for column in ("dataset", "method"):
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set", **{name: f"{name} (%)" for name in MEASURES}})


def shown_data(table: pd.DataFrame) -> pd.DataFrame:
    """The statistics as they are read."""
    shown = table.set_index("measure").map(lambda value: _rounded(value, 2))
    shown.loc["questions"] = table.set_index("measure").loc["questions"].map(lambda n: _rounded(n, 0))
    return shown.reset_index()


def markdown(shown: pd.DataFrame) -> str:
    """A Markdown table."""
    return shown.to_markdown(index=False, disable_numparse=True) + "\n"


def html(shown: pd.DataFrame) -> str:
    """A page with the table, for the report."""
    return PAGE.format(table=shown.to_html(index=False, border=0, justify="left"))


def latex(shown: pd.DataFrame) -> str:
    """A booktabs table."""
    escaped = shown.rename(columns=_escaped).map(lambda value: _escaped(str(value)))
    return escaped.style.hide(axis="index").to_latex(hrules=True)


def _escaped(text: str) -> str:
    for sign in "&%_#$":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("±", r"$\pm$").replace("–", "--")


def _rounded(value: float | None, digits: int = 1) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def _plus_minus(mean: float, sd: float) -> str:
    return _rounded(mean) + ("" if np.isnan(sd) else f" ± {sd:.1f}")


def _with_interval(mean: pd.Series, low: pd.Series, high: pd.Series) -> list[str]:
    return [
        _rounded(m) + ("" if np.isnan(lo) else f" [{lo:.1f}, {hi:.1f}]")
        for m, lo, hi in zip(mean, low, high, strict=True)
    ]
