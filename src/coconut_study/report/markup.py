"""Tables of text as Markdown, LaTeX and HTML, and text in captions. Pure but for `write_table`.

Cells hold titles of the study and tokens of models. Each format shows them as they are: no sign of theirs is
markup, and a tab or a line break is a space.
"""

from __future__ import annotations

import re
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
    shown = table.map(_markdown).rename(columns=_markdown)
    return shown.to_markdown(index=False, disable_numparse=True) + "\n"


def _markdown(cell: object) -> str:
    """The text of a cell, with a backslash before what would be an emphasis, code, HTML, an entity, a link, a
    formula or the end of the cell."""
    return re.sub(r"[\\`*_~<|$]|&(?=[#\w])|(?<=\])(?=[(\[:])", r"\\\g<0>", _line(cell))


def html(table: pd.DataFrame) -> str:
    """An HTML page with the table, for the report."""
    shown = table.map(_line).rename(columns=_line)
    return PAGE.format(table=shown.to_html(index=False, border=0, justify="left"))


def latex(table: pd.DataFrame) -> str:
    """A booktabs table."""
    style = (
        table.map(_line)
        .rename(columns=_line)
        .style.hide(axis="index")
        .format(escape="latex")
        .format_index(axis="columns", escape="latex")
    )
    text = style.to_latex(hrules=True).replace("±", r"$\pm$").replace("–", "--")
    return re.sub(r"^(?=[\[*])", "{}", text, flags=re.MULTILINE)  # else an option of the line break before it


def restructured(text: str) -> str:
    """Text in a caption, which is reStructuredText: a backslash before all but letters, digits and spaces."""
    return re.sub(r"[^\w\s]|_", r"\\\g<0>", _line(text).strip())


def _line(cell: object) -> str:
    """The text of a cell on one line."""
    return " ".join(str(cell).expandtabs(1).splitlines())
