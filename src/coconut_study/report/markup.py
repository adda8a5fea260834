"""Tables of text as Markdown, LaTeX and HTML, and text in captions. Pure but for `write_table`.

Cells hold titles of the study and tokens of models. Each format shows them as they are: no sign of theirs is
markup, and a tab or a line break is a space.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from coconut_study.common.files import written

if TYPE_CHECKING:
    import pandas as pd

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'">
<style>
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; max-width: 1000px; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.3em 0.6em; text-align: left; vertical-align: top; }}
{numbers} {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
thead th {{ border-top: 2px solid; border-bottom: 1px solid; }}
tbody tr:last-child td {{ border-bottom: 2px solid; }}
th button {{ all: unset; cursor: pointer; }}
th button:focus-visible {{ outline: 2px solid; }}
th button::after {{ content: "\\a0 ↕"; font-weight: normal; opacity: 0.4; }}
th[aria-sort=ascending] button::after {{ content: "\\a0 ↑"; opacity: 1; }}
th[aria-sort=descending] button::after {{ content: "\\a0 ↓"; opacity: 1; }}
</style></head><body>
{table}
</body></html>
"""
FEW = 10  # rows, up to which a table of a page has no need to be sorted
FOLDED = """
<details><summary>{title}</summary><ul>
{lines}
</ul></details>"""


class Folded(NamedTuple):
    """A table of text and lines below it, which a page shows when their title is clicked."""

    table: pd.DataFrame
    title: str
    lines: Sequence[str]


def write_table(path: Path, made: pd.DataFrame | Folded) -> None:
    """Write a table of text beside `path`: as .md, .tex (without lines below it) and .html."""
    table, title, lines = made if isinstance(made, Folded) else (made, "", ())
    texts = {
        ".md": markdown(table, title, lines),
        ".tex": latex(table),
        ".html": html(table, title, lines),
    }
    for suffix, text in texts.items():
        with written(path.with_suffix(suffix)) as file:
            file.write(text)


def markdown(table: pd.DataFrame, title: str = "", lines: Sequence[str] = ()) -> str:
    """A Markdown table, and the lines below it as one paragraph."""
    shown = table.map(_markdown).rename(columns=_markdown)
    below = f"\n{_markdown(title)}: {_markdown('; '.join(lines))}.\n" if lines else ""
    return shown.to_markdown(index=False, disable_numparse=True) + "\n" + below


def _markdown(cell: object) -> str:
    """The text of a cell, with a backslash before what would be an emphasis, code, HTML, an entity, a link, a
    formula or the end of the cell."""
    return re.sub(r"[\\`*_~<|$]|&(?=[#\w])|(?<=\])(?=[(\[:])", r"\\\g<0>", _line(cell))


def html(table: pd.DataFrame, title: str = "", lines: Sequence[str] = ()) -> str:
    """An HTML page with the table and the lines below it, for the report. A table of more than `FEW` rows is
    sorted when a header is clicked."""
    script = Path(__file__).with_name("table.js").read_text(encoding="utf-8") if len(table) > FEW else ""
    shown = table.map(_line).rename(columns=_line)
    items = "\n".join(f"<li>{escape(_line(line))}</li>" for line in lines)
    below = FOLDED.format(title=f"{escape(_line(title))} ({len(lines)})", lines=items) if lines else ""
    page = shown.to_html(index=False, border=0, justify="left")
    if script:
        below += f"\n<script>{script}</script>"
    return PAGE.format(table=page + below, numbers=_numbers(shown), allowed=allowed(script))


def allowed(*scripts: str) -> str:
    """The sources of a content security policy that are these scripts of a page; none is empty."""
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts if script]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"


def _numbers(shown: pd.DataFrame) -> str:
    """A CSS selector of the columns that hold numbers, with their intervals, or dashes."""
    columns = enumerate((shown.iloc[:, i] for i in range(shown.shape[1])), 1)
    number = re.compile(r"[-+−]?\.?\d|–$")
    found = [at for at, cells in columns if all(number.match(cell) for cell in cells)]
    return ", ".join(f"th:nth-child({at}), td:nth-child({at})" for at in found) or "td:empty"


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
