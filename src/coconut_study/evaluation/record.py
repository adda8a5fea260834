"""The record of a run, `run.json` in its folder: where its checkpoints are, and what it was asked.

Folders are relative to that of the record, so that results can be moved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import written
from coconut_study.common.reading import read_json
from coconut_study.common.settings import Closed, Names
from coconut_study.evaluation.settings import GenerationSpec

NAME = "run.json"


class Record(Closed):
    """The checkpoint that a run ends its training with, the folders of its stages in training order, and
    what it was asked."""

    checkpoint: str
    stages: Names
    asked: GenerationSpec


def write(path: Path, checkpoint: Path, stages: Sequence[str], asked: GenerationSpec) -> None:
    """Write the record of a run; the folders of its `stages` lie beside that of the last, which has the
    checkpoint."""
    record = Record(
        checkpoint=os.path.relpath(checkpoint, path.parent),
        stages=tuple(os.path.relpath(checkpoint.parents[1] / stage, path.parent) for stage in stages),
        asked=asked,
    )
    with written(path) as file:
        file.write(json.dumps(record.model_dump(mode="json"), indent=2) + "\n")


def read(path: Path) -> Record:
    """The record in a file; StudyError if it is none."""
    try:
        return Record.model_validate(read_json(path))
    except ValidationError as error:
        raise StudyError(f"{path}: {'; '.join(explain(error, Record))}") from error


def checkpoint_of(folder: Path) -> Path:
    """The checkpoint of the run whose folder is given; any folder without a record is returned as it is."""
    path = folder / NAME
    return folder / read(path).checkpoint if path.is_file() else folder
