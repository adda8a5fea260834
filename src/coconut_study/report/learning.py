"""Learning curves, and the two ends of every stage. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.intervals import interval
from coconut_study.report.scores import RUN

AT = ["dataset", "method", "stage", "epoch", "seen"]


def learning(histories: Mapping[str, pd.DataFrame], *, runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Validation accuracy (percent) after every epoch of every stage: mean and interval over seeds.

    `histories` holds the history of every stage by the stage's name. A run has dataset, method, seed, and the
    names of its `stages` in training order. `seen` counts training questions from the start of the run. Epoch
    0 of a stage is before its first update.
    """
    rows = []
    for key, epochs in _epochs(histories, runs).groupby(AT, sort=False):
        accuracy = interval((100 * epochs["accuracy"]).tolist(), (0, 100))
        rows.append(dict(zip(AT, key, strict=True)) | accuracy._asdict() | {"loss": epochs["loss"].mean()})
    return pd.DataFrame(rows)


def _epochs(histories: Mapping[str, pd.DataFrame], runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every epoch of every run, with the columns `AT` and the seed."""
    tables = []
    for run in runs:
        table = pd.concat([histories[stage] for stage in run["stages"]], ignore_index=True)
        tables.append(table.assign(**{name: run[name] for name in RUN}, seen=table["questions"].cumsum()))
    return pd.concat(tables)


def following_epochs(
    histories: Mapping[str, pd.DataFrame], *, runs: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Following (percent) after every epoch: of the rightly answered questions, the share whose answer moves
    with a changed fact. Rows and arguments are those of `learning`; runs that are asked no rewrites are left
    out, and so are seeds that answer nothing right."""
    asked = [run for run in runs if "following" in histories[run["stages"][-1]]]
    rows = []
    for key, epochs in _epochs(histories, asked).groupby(AT, sort=False):
        share = interval((100 * epochs["following"]).dropna().tolist(), (0, 100))
        accuracy = 100 * epochs["accuracy"].mean()
        rows.append(dict(zip(AT, key, strict=True)) | share._asdict() | {"accuracy": accuracy})
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
