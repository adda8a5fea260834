"""The questions in numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from coconut_study.report.cells import rounded


def data(statistics: Mapping[str, pd.Series], paper: Mapping[str, Any]) -> pd.DataFrame:
    """One row per measure, one column per split: first the published ones, then ours.

    `statistics` holds the numbers of each of our splits by its title; a measure that a split lacks is
    missing.
    """
    published = {
        column["title"]: pd.Series(column).drop(["title", "reference"]).astype(float)
        for column in paper["statistics"].values()
    }
    columns = {**published, **statistics}
    measures = dict.fromkeys(measure for column in columns.values() for measure in column.index)
    return pd.DataFrame(columns).loc[list(measures)].rename_axis("measure").reset_index()


def format_data(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers with two decimals, counts of questions with none."""
    digits = table["measure"].map(lambda measure: 0 if measure == "questions" else 2)
    cells = {name: list(map(rounded, table[name], digits)) for name in table.columns.drop("measure")}
    return pd.DataFrame({"measure": table["measure"], **cells})
