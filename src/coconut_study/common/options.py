"""What commands share: their options, and reading and writing.

Libraries that take seconds to import are imported where they are used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option(help="file to write")]
Asked = Annotated[Path, typer.Option(help="question file")]
Json = Annotated[str, typer.Option(help="settings as JSON")]
Trained = Annotated[Path, typer.Option(help="checkpoint of a run's last stage")]
Minutes = Annotated[float, typer.Option(help="between two saved states of unfinished work")]
Titles = Annotated[str, typer.Option(help="JSON: titles of data sets and methods")]
Grades = Annotated[list[Path], typer.Argument(help="grades of every run")]
Table = Annotated[Path, typer.Option(help="CSV to write; .md, .tex and .html are written beside it")]
Drawn = Annotated[Path, typer.Option(help="CSV to draw")]
Chosen = Annotated[str, typer.Option(help="whose rows are drawn")]
Figure = Annotated[Path, typer.Option(help=".svg to write; .pdf and .png are written beside it")]
Values = Annotated[list[Path], typer.Argument(help="values of every probed run")]
