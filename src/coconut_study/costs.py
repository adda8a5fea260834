"""What a study costs: jobs, memory and hours of every rule, planned and measured. Pure but for reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

MEASURED = ["measured jobs", "measured memory", "measured hours"]


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
        return 0, float("nan"), float("nan")
    return len(found), float(found["max_rss"].max()), float(found["s"].sum() / 3600)
