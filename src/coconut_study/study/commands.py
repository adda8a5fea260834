"""The command that describes study files."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command(rich_help_panel="Studies")
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="a page of all settings instead")] = False,
) -> None:
    """Print the JSON schema of study files, or all settings as a page in Markdown."""
    from coconut_study.study.reference import settings_page
    from coconut_study.study.schema import json_schema

    typer.echo(settings_page() if markdown else json.dumps(json_schema(), indent=2) + "\n", nl=False)
