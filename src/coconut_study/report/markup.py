"""Tables as they are read: rounded, with intervals and titles, in Markdown, LaTeX and HTML. Pure.

A number that is not there is a dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from coconut_study.common.files import read_csv, write_csv, written


def read_one(path: Path, columns: Sequence[str], dataset: str, method: str) -> pd.DataFrame:
    """The rows of one data set and method."""
    table = read_csv(path, columns)
    return table[(table["dataset"] == dataset) & (table["method"] == method)]


def write_table(path: Path, table: pd.DataFrame, read: pd.DataFrame) -> None:
    """Write a table as numbers (.csv) and as it is read (.md, .tex, .html)."""

    write_csv(path, table)
    for suffix, printed in ((".md", markdown), (".tex", latex), (".html", html)):
        with written(path.with_suffix(suffix)) as file:
            file.write(printed(read))


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


def names_of(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, pd.Series]:
    """The columns that name the rows of a printed table: titles of data sets and methods."""
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


def with_interval(mean: pd.Series, low: pd.Series, high: pd.Series, digits: int = 1) -> list[str]:
    """Means with their intervals, where there are any."""
    return [
        rounded(m, digits) + ("" if pd.isna(lo) else f" [{rounded(lo, digits)}, {rounded(hi, digits)}]")
        for m, lo, hi in zip(mean, low, high, strict=True)
    ]
