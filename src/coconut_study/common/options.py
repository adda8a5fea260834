"""Types of the command line options that several packages share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[str, typer.Option(help="settings as JSON")]
Questions = Annotated[Path, typer.Option(help="question file")]
Out = Annotated[Path, typer.Option(help="file to write")]
Card = Annotated[Path | None, typer.Option(help="card of the questions, which must describe them")]
