"""Learning curves, and the two ends of every stage. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.intervals import interval
from coconut_study.report.scores import RUN


def learning(histories: Mapping[str, pd.DataFrame], *, runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Validation accuracy (percent) after every epoch of every stage: mean and interval over seeds.

    `histories` holds the history of every stage by the stage's name. A run has dataset, method, seed, and the
    names of its `stages` in training order. `seen` counts training questions from the start of the run. Epoch
    0 of a stage is before its first update.
    """
    tables = []
    for run in runs:
        table = pd.concat([histories[stage] for stage in run["stages"]], ignore_index=True)
        tables.append(table.assign(**{name: run[name] for name in RUN}, seen=table["questions"].cumsum()))
    at = ["dataset", "method", "stage", "epoch", "seen"]
    rows = []
    for key, epochs in pd.concat(tables).groupby(at, sort=False):
        accuracy = interval((100 * epochs["accuracy"]).tolist(), (0, 100))
        rows.append(dict(zip(at, key, strict=True)) | accuracy._asdict() | {"loss": epochs["loss"].mean()})
    return pd.DataFrame(rows)


def stages(learning: pd.DataFrame) -> pd.DataFrame:
    """Validation accuracy at both ends of every stage, before its first update and after its last epoch, from
    the table `learning`."""
    rows = []
    for key, stage in learning.groupby(["dataset", "method", "stage"], sort=False):
        first, last = stage.iloc[0], stage.iloc[-1]
        rows.append(
            dict(zip(("dataset", "method", "stage"), key, strict=True))
            | {f"first {end}": first[end] for end in ("mean", "low", "high")}
            | {f"last {end}": last[end] for end in ("mean", "low", "high")}
            | {"n": first["n"]}
        )
    return pd.DataFrame(rows)


def format_stages(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method and stage."""
    first, last = (
        with_interval(table[f"{end} mean"], table[f"{end} low"], table[f"{end} high"])
        for end in ("first", "last")
    )
    return pd.DataFrame(
        {
            **titled(table, titles),
            "stage": table["stage"].astype(str),
            "at its first step (%)": first,
            "at its end (%)": last,
        }
    )
