"""Numbers and names as the text of cells. A missing number is a dash."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

SHORTCUT = "shortcut: "  # before the name of a shortcut, among methods


def titled(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, pd.Series]:
    """The columns that name the rows of a printed table: the titles of data sets and methods."""
    return {
        "data set": table["dataset"].map(lambda name: titles[name]),
        "method": table["method"].map(lambda name: titles[name]),
    }


def rounded(value: float | None, digits: int = 1) -> str:
    """A number with `digits` decimals; a dash if it is missing."""
    return "–" if value is None or np.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(mean: pd.Series, low: pd.Series, high: pd.Series, digits: int = 1) -> list[str]:
    """Means, each followed by its interval in brackets if it has one."""
    return [
        rounded(m, digits) + ("" if pd.isna(lo) else f" [{rounded(lo, digits)}, {rounded(hi, digits)}]")
        for m, lo, hi in zip(mean, low, high, strict=True)
    ]
