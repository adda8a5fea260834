"""What a study costs, planned and measured: by rule, and by data set and method. Pure but for reading.

What was not measured is missing, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.report.intervals import interval
from coconut_study.report.markup import names_of, rounded, with_interval


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


MEASURED = ["measured jobs", "measured memory", "measured hours"]
JOULES = 3.6e6  # of a kilowatt-hour


def table(plan: Sequence[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """One row a rule: what is planned, and what the benchmark files of its jobs measured.

    `plan` has rule, gpus and memory_mb (the most of any job), hours (of all jobs one after the other) and the
    benchmark file of every job in `folder`; memory and hours are upper bounds. What was not measured is
    missing.
    """
    rows = []
    for entry in plan:
        rule = dict(entry)
        files = rule.pop("benchmarks")
        found = _measured([folder / name for name in files])
        rows.append(rule | {"jobs": len(files)} | dict(zip(MEASURED, _summary(found), strict=True)))
    return pd.DataFrame(rows)


def _measured(paths: Sequence[Path]) -> pd.DataFrame:
    """The benchmark rows of the jobs that have run, as Snakemake writes them."""
    found = [pd.read_csv(path, sep="\t", na_values="-") for path in paths if path.is_file()]
    return pd.concat(found) if found else pd.DataFrame()


def _summary(found: pd.DataFrame) -> tuple[int, float, float]:
    if found.empty:
        return 0, nan, nan
    return len(found), float(found["max_rss"].max()), float(found["s"].sum() / 3600)


def spent(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each of `cells`: hours, GPU-hours and energy of its stages, and of its other jobs.

    A cell has a dataset (None for base models), the methods that share its stages, the cards of these, and
    its other jobs, each a benchmark file and GPUs. So a stage is in one row, whoever uses it. The time of a
    stage is that of all the jobs that worked on it, of another job that of the last. Energy is known where
    every stage tells it.
    """
    rows = []
    for cell in cells:
        stages = _trained([Path(path) for path in cell["cards"]])
        jobs = _asked([(Path(path), gpus) for path, gpus in cell["jobs"]])
        rows.append(
            {"dataset": cell["dataset"], "methods": "+".join(cell["methods"])}
            | {"stages": len(stages)}
            | {f"training {what}": stages[what].sum(min_count=1) for what in ("hours", "GPU-hours")}
            | {"training kWh": stages["kWh"].sum(skipna=False) if len(stages) else nan}
            | {"other jobs": len(jobs)}
            | {f"other {what}": jobs[what].sum(min_count=1) for what in ("hours", "GPU-hours")}
            | {"not measured": int(stages["hours"].isna().sum() + jobs["hours"].isna().sum())}
        )
    return pd.DataFrame(rows)


def _trained(cards: Sequence[Path]) -> pd.DataFrame:
    """What each stage took, as its card says."""
    rows = []
    for path in cards:
        card = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        hours = card.get("seconds", nan) / 3600
        gpus = card.get("processes", nan) if str(card.get("device")).startswith("cuda") else 0
        joules = card.get("energy_joules")
        rows.append((hours, hours * gpus, nan if joules is None else joules / JOULES))
    return pd.DataFrame(rows, columns=["hours", "GPU-hours", "kWh"], dtype=float)


def _asked(jobs: Sequence[tuple[Path, int]]) -> pd.DataFrame:
    """What each other job took, as its benchmark file says; its GPUs are those it asked for."""
    found = [_measured([path]) for path, _ in jobs]
    hours = [nan if one.empty else float(one["s"].sum() / 3600) for one in found]
    rows = [(each, each * gpus) for each, (_, gpus) in zip(hours, jobs, strict=True)]
    return pd.DataFrame(rows, columns=["hours", "GPU-hours"], dtype=float)


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


def show_clock(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Times as they are read: a row a method and batch size."""
    return pd.DataFrame(
        {
            **names_of(table, titles),
            "batch": table["batch size"].astype(str),
            "seconds per question": with_interval(table["mean"], table["low"], table["high"], 4),
            "paper: seconds": table["paper seconds"].map(lambda value: rounded(value, 2)),
            "device": table["device"],
        }
    )


def show_costs(table: pd.DataFrame) -> pd.DataFrame:
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


def show_spent(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """What was show_spent on every data set and method as it is read, and in all."""
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
