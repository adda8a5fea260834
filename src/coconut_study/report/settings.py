"""The settings of the tables, and the arguments with which a table or figure is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from coconut_study.common.settings import Closed


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]


class Arguments(Closed):
    """What a table or figure is made from (see `study.table_inputs`)."""

    files: Annotated[
        dict[str, dict[str, Path]],
        Field(description="for each kind that it reads, files by the name of what they hold"),
    ]
    tables: Annotated[dict[str, Path], Field(description="for each table that it is made from, its CSV file")]
    settings: dict[str, Any]
