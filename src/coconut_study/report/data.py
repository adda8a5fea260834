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
    numbers = table.set_index("measure")
    cells = numbers.map(lambda value: rounded(value, 2))
    cells.loc["questions"] = numbers.loc["questions"].map(lambda count: rounded(count, 0))
    return cells.reset_index()
