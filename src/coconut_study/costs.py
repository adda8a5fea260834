"""What a study costs, planned and measured: by rule, and by data set and method. Pure but for reading.

What was not measured is missing, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

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
