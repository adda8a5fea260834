"""The record of a run, `run.json` in its folder: where its checkpoints are, how it was trained, what it was
asked, and how many answers are right. Beside it, `model` is a link to the last checkpoint, for people.

Folders are relative to that of the record, so that results can be moved. The link is not read by this
package, since copies of results may lack it.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import written
from coconut_study.common.progress import say
from coconut_study.common.provenance import read_card
from coconut_study.common.reading import read_json
from coconut_study.common.settings import Closed, Names, Probability
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import GenerationSpec
from coconut_study.questions.question import Question
from coconut_study.sequences.templates import Template, is_right

NAME = "run.json"
LINK = "model"


class Record(Closed):
    """The checkpoint that a run ends its training with, the number of thoughts it was trained with, the
    folders of its stages in training order, the training settings of the last, the share of right answers
    after each number of thoughts, and what it was asked."""

    checkpoint: str
    k: NonNegativeInt
    stages: Names
    accuracy: dict[str, Probability]
    settings: dict[str, Any]
    asked: GenerationSpec


def write(
    path: Path, checkpoint: Path, stages: Sequence[str], accuracy: Mapping[int, float], asked: GenerationSpec
) -> None:
    """Write the record of a run, and link its checkpoint; the folders of its `stages` lie beside that of the
    last, which has the checkpoint."""
    card = read_card(checkpoint / "card.json")
    record = Record(
        checkpoint=os.path.relpath(checkpoint, path.parent),
        k=card["thoughts"],
        stages=tuple(os.path.relpath(checkpoint.parents[1] / stage, path.parent) for stage in stages),
        accuracy={str(k): share for k, share in sorted(accuracy.items())},
        settings=card["spec"]["training"],
        asked=asked,
    )
    with written(path) as file:
        file.write(json.dumps(record.model_dump(mode="json"), indent=2) + "\n")
    _link(path.with_name(LINK), record.checkpoint)


def _link(path: Path, folder: str) -> None:
    """Make a link to a folder; where there can be none, say so."""
    try:
        path.unlink(missing_ok=True)
        path.symlink_to(folder, target_is_directory=True)
    except OSError as error:
        say(f"{path}: no link to {folder} ({error.strerror}); {NAME} names it")


def accuracy(
    responses: Iterable[Response], questions: Sequence[Question], template: Template
) -> dict[int, float]:
    """The share of right answers (0 to 1) after each number of thoughts, as `grade` counts them."""
    right: dict[int, list[bool]] = defaultdict(list)
    for response in responses:
        right[response.k].append(is_right(questions[response.question], response.text, template))
    return {k: fmean(answers) for k, answers in right.items()}


def read(path: Path) -> Record:
    """The record in a file; StudyError if it is none."""
    try:
        return Record.model_validate(read_json(path))
    except ValidationError as error:
        wrong = "; ".join(explain(error, Record))
        raise StudyError(f"{path}: {wrong}; remove it, and run the study again to have it made") from error


def checkpoint_of(folder: Path) -> Path:
    """The checkpoint of the run whose folder is given; any folder without a record is returned as it is."""
    path = folder / NAME
    return folder / read(path).checkpoint if path.is_file() else folder
