"""Tables of text as Markdown, LaTeX and HTML. Pure but for `write_table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coconut_study.common.files import written

if TYPE_CHECKING:
    import pandas as pd

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


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table of text beside `path`: as .md, .tex and .html."""
    for suffix, text in ((".md", markdown(table)), (".tex", latex(table)), (".html", html(table))):
        with written(path.with_suffix(suffix)) as file:
            file.write(text)


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table."""
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


def html(table: pd.DataFrame) -> str:
    """An HTML page with the table, for the report."""
    return PAGE.format(table=table.to_html(index=False, border=0, justify="left"))


def latex(table: pd.DataFrame) -> str:
    """A booktabs table."""
    style = (
        table.map(str)
        .style.hide(axis="index")
        .format(escape="latex")
        .format_index(axis="columns", escape="latex")
    )
    return style.to_latex(hrules=True).replace("±", r"$\pm$").replace("–", "--")
