"""Tables of time, memory and energy. They read benchmark files and the cards of checkpoints.

What was not measured is missing, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.common.provenance import read_card
from coconut_study.common.reading import read_csv
from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.intervals import interval


def clock(
    timings: pd.DataFrame, paper: Mapping[str, Any], *, rows: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Seconds per question, one at a time and in batches, compared with the paper's Table 4.

    `timings` has dataset, method, seed, batch size, questions, seconds and device; `rows` are those of the
    main table (see `results.main`).
    """
    table = []
    per_question = timings.assign(seconds=timings["seconds"] / timings["questions"])
    for row in rows:
        chosen = per_question[
            (per_question["dataset"] == row["dataset"]) & (per_question["method"] == row["method"])
        ]
        reported = paper["seconds"].get(row["paper_dataset"], {}).get(row["paper_method"])
        for size, runs in chosen.groupby("batch size"):
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


def costs(*, planned: Sequence[Mapping[str, Any]], benchmarks: str) -> pd.DataFrame:
    """One row per rule: what its jobs may take, and what their benchmark files measured.

    Each of `planned` has a rule, its gpus and memory_mb (the largest of any job), its hours (of all jobs, one
    after the other) and the benchmark files of its jobs in the folder `benchmarks`. Memory and hours are
    upper bounds.
    """
    rows = []
    for row in planned:
        files = row["benchmarks"]
        measured = _measured([Path(benchmarks, name) for name in files])
        rows.append(
            {name: row[name] for name in ("rule", "gpus", "memory_mb", "hours")}
            | {"jobs": len(files)}
            | dict(zip(MEASURED, _summary(measured), strict=True))
        )
    return pd.DataFrame(rows)


def _measured(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of the benchmark files that exist, as Snakemake writes them."""
    columns = ("s", "max_rss")
    tables = [
        read_csv(path, columns, gaps=columns, sep="\t", na_values=["-"]) for path in paths if path.is_file()
    ]
    return pd.concat(tables) if tables else pd.DataFrame()


def _summary(measured: pd.DataFrame) -> tuple[int, float, float]:
    """The number of jobs, their largest memory (MB) and their hours in all."""
    if measured.empty:
        return 0, nan, nan
    return len(measured), float(measured["max_rss"].max()), float(measured["s"].sum() / 3600)


def spent(*, cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each of `cells`: hours, GPU-hours and energy of its stages, and hours of its other jobs.

    A cell has a dataset (None for base models), the methods that share its stages, the cards of these stages,
    and its other jobs, each a benchmark file and a number of GPUs. So each stage is in one row, whatever
    methods use it. The time of a stage is that of all jobs that worked on it; of any other job, only the last
    run counts. Energy is missing unless every stage of the cell has measured it.
    """
    rows = []
    for cell in cells:
        stages = _stages([Path(path) for path in cell["cards"]])
        jobs = _other_jobs([(Path(path), gpus) for path, gpus in cell["jobs"]])
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


def _stages(cards: Sequence[Path]) -> pd.DataFrame:
    """What each stage took, according to its card."""
    rows = []
    for path in cards:
        card = read_card(path) if path.is_file() else {}
        hours = card.get("seconds", nan) / 3600
        gpus = card.get("processes", nan) if str(card.get("device")).startswith("cuda") else 0
        joules = card.get("energy_joules")
        rows.append((hours, hours * gpus, nan if joules is None else joules / JOULES))
    return pd.DataFrame(rows, columns=["hours", "GPU-hours", "kWh"], dtype=float)


def _other_jobs(jobs: Sequence[tuple[Path, int]]) -> pd.DataFrame:
    """What each job took, according to its benchmark file and the GPUs that it requested."""
    hours = [_summary(_measured([path]))[2] for path, _ in jobs]
    rows = [(each, each * gpus) for each, (_, gpus) in zip(hours, jobs, strict=True)]
    return pd.DataFrame(rows, columns=["hours", "GPU-hours"], dtype=float)


SPENT = {  # decimals of each column
    "stages": 0,
    "training hours": 2,
    "training GPU-hours": 2,
    "training kWh": 2,
    "other jobs": 0,
    "other hours": 2,
    "other GPU-hours": 2,
    "not measured": 0,
}


def format_clock(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method and batch size."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "batch": table["batch size"].astype(str),
            "seconds per question": with_interval(table["mean"], table["low"], table["high"], 4),
            "paper: seconds": table["paper seconds"].map(lambda value: rounded(value, 2)),
            "device": table["device"],
        }
    )


def format_costs(table: pd.DataFrame) -> pd.DataFrame:
    """One row per rule."""
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


def format_spent(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per data set and method or group of methods, and the total."""
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
    """The title of a method, or those of all methods that share stages."""
    names = [titles[name] for name in methods.split("+") if name]
    return names[0] if len(names) == 1 else f"shared by {'; '.join(names)}" if names else "base models"
