"""Tables as they are read: rounded, with intervals and titles, in Markdown, LaTeX and HTML. Pure.

A number that is not there is a dash.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coconut_study.tables import MEASURES

SPENT = {  # digits of each number
    "stages": 0,
    "training hours": 2,
    "training GPU-hours": 2,
    "training kWh": 2,
    "other jobs": 0,
    "other hours": 2,
    "other GPU-hours": 2,
    "not measured": 0,
}
PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the questions, in the table on parallelism

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


def main(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The main table as it is read: percent with interval, the paper's numbers beside."""
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


def seeds(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Right answers of every run as they are read: a row a method, a column a seed."""
    at = ["dataset", "method"]
    wide = table.pivot(index=at, columns="seed", values="accuracy").map(rounded)
    order = list(table[at].drop_duplicates().itertuples(index=False, name=None))
    wide = wide.loc[order].rename(columns=lambda seed: f"seed {seed} (%)").reset_index()
    for column in at:
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set"}).rename_axis(columns=None)


def sweep(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The sweep table as it is read: a row per k, a column per measure."""
    cells = table.assign(cell=with_interval(table["mean"], table["low"], table["high"]))
    wide = cells.pivot(index=["dataset", "method", "k"], columns="measure", values="cell")
    order = table[["dataset", "method", "k"]].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None)), list(MEASURES)].reset_index()
    for column in ("dataset", "method"):
        wide[column] = wide[column].map(lambda name: titles[name])
    return wide.rename(columns={"dataset": "data set", **{name: f"{name} (%)" for name in MEASURES}})


def data(table: pd.DataFrame) -> pd.DataFrame:
    """The statistics as they are read."""
    shown = table.set_index("measure").map(lambda value: rounded(value, 2))
    shown.loc["questions"] = table.set_index("measure").loc["questions"].map(lambda n: rounded(n, 0))
    return shown.reset_index()


def stages(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy at both ends of every stage as it is read."""
    return pd.DataFrame(
        {
            **_names(table, titles),
            "stage": table["stage"].astype(str),
            "at its first step (%)": with_interval(
                table["first mean"], table["first low"], table["first high"]
            ),
            "at its end (%)": with_interval(table["last mean"], table["last low"], table["last high"]),
        }
    )


def comparison(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """An experiment as it is read: a row a point."""
    return pd.DataFrame(
        {
            **_names(table, titles),
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


def clock(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Times as they are read: a row a method and batch size."""
    return pd.DataFrame(
        {
            **_names(table, titles),
            "batch": table["batch size"].astype(str),
            "seconds per question": with_interval(table["mean"], table["low"], table["high"], 4),
            "paper: seconds": table["paper seconds"].map(lambda value: rounded(value, 2)),
            "device": table["device"],
        }
    )


def ending(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Both ways to end thoughts as they are read."""
    return pd.DataFrame(
        {
            **_names(table, titles),
            "thoughts end": table["way"].map({"fixed": "at a fixed number", "classifier": "by a classifier"}),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
            "thoughts": table["thoughts"].map(lambda value: rounded(value, 2)),
        }
    )


def claims(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The claims as they are read."""
    return pd.DataFrame(
        {
            "claim": table["claim"],
            "holds": table["holds"],
            "where": table["reference"],
            "our data set": table["dataset"].map(lambda name: titles.get(name, "–"), na_action=None),
            "paper": table["paper"].map(lambda value: rounded(value, 2)),
            "ours [95 % interval]": with_interval(table["ours"], table["low"], table["high"], 2),
            "n": table["n"].astype(str),
            "difference": table["difference"].map(lambda value: rounded(value, 2)),
        }
    )


def costs(table: pd.DataFrame) -> pd.DataFrame:
    """Planned and measured cost of every rule as it is read."""
    return pd.DataFrame(
        {
            "rule": table["rule"],
            "jobs": table["jobs"].astype(str),
            "GPUs a job": table["gpus"].astype(str),
            "memory planned (MB)": table["memory_mb"].map(lambda value: rounded(value, 0)),
            "measured, most (MB)": table["measured memory"].map(lambda value: rounded(value, 0)),
            "hours planned, at most": table["hours"].map(lambda value: rounded(value, 2)),
            "measured": table["measured hours"].map(lambda value: rounded(value, 2)),
            "jobs measured": table["measured jobs"].astype(str),
        }
    )


def spent(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """What was spent on every data set and method as it is read, and in all."""
    total = table[list(SPENT)].sum(min_count=1)
    total["training kWh"] = table.loc[table["stages"] > 0, "training kWh"].sum(skipna=False, min_count=1)
    return pd.DataFrame(
        {
            "data set": [*(titles.get(name, "all") for name in table["dataset"]), "all"],
            "method": [*(_sharing(names, titles) for names in table["methods"]), "all, once each"],
        }
        | {
            name: [rounded(float(value), digits) for value in (*table[name], total[name])]
            for name, digits in SPENT.items()
        }
    )


def _sharing(methods: str, titles: Mapping[str, str]) -> str:
    """The title of a method, or those of all that share stages."""
    names = [titles[name] for name in methods.split("+") if name]
    return names[0] if len(names) == 1 else f"shared by {'; '.join(names)}" if names else "base models"


def parallelism(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The curves as they are read: a row per k and number of best candidates, a column per percentile."""
    at = ["dataset", "method", "k", "top"]
    rows = table.assign(percentile=table["percentile"].round(2))
    rows = rows[rows["percentile"].isin(PERCENTILES)]
    wide = rows.pivot(index=at, columns="percentile", values="value").map(lambda value: rounded(value, 3))
    order = rows[at].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))].reset_index()
    columns = {share: f"percentile {100 * share:.0f}" for share in PERCENTILES}
    shown = wide.drop(columns=["dataset", "method"]).rename(columns=columns | {"top": "best candidates"})
    return pd.DataFrame({**_names(wide, titles), **shown.astype(str)})


def heights(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The means as they are read: a row per k, height and kind of candidate."""
    single_seeds = [
        f"{low:.3f} to {high:.3f}" if seeds > 1 else "–"
        for low, high, seeds in zip(table["lowest seed"], table["highest seed"], table["seeds"], strict=True)
    ]
    return pd.DataFrame(
        {
            **_names(table, titles),
            "k": table["k"].astype(str),
            "height": table["height"].astype(str),
            "candidate": table["correct"].map({True: "correct", False: "incorrect"}),
            "value": with_interval(table["mean"], table["low"], table["high"], 3),
            "single seeds": single_seeds,
            "candidates": table["candidates"].astype(str),
            "questions": table["n"].astype(str),
        }
    )


def decoded(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Thoughts as words as they are read: a row a thought, its likeliest tokens behind each other."""
    at = ["dataset", "method", "seed", "question", "thought"]
    written = [
        f"{token!r} {probability:.2f}"
        for token, probability in zip(table["token"], table["probability"], strict=True)
    ]
    wide = table[at].assign(tokens=written).groupby(at, sort=False)["tokens"].agg(", ".join).reset_index()
    numbers = {name: wide[name].astype(str) for name in ("seed", "question", "thought")}
    return pd.DataFrame({**_names(wide, titles), **numbers, "likeliest tokens": wide["tokens"]})


def _names(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, pd.Series]:
    return {
        "data set": table["dataset"].map(lambda name: titles[name]),
        "method": table["method"].map(lambda name: titles[name]),
    }


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


def rounded(value: float | None, digits: int = 1) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None or np.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"


def _plus_minus(mean: float, sd: float) -> str:
    return rounded(mean) + ("" if np.isnan(sd) else f" ± {sd:.1f}")


def with_interval(mean: pd.Series, low: pd.Series, high: pd.Series, digits: int = 1) -> list[str]:
    """Means with their intervals, where there are any."""
    return [
        rounded(m, digits) + ("" if pd.isna(lo) else f" [{rounded(lo, digits)}, {rounded(hi, digits)}]")
        for m, lo, hi in zip(mean, low, high, strict=True)
    ]
