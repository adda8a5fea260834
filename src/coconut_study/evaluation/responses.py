"""Responses of trained runs, and the files that hold them: one JSON record per line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import read_text, written
from coconut_study.common.settings import Closed
from coconut_study.sequences.methods import Thoughts


class Response(Closed):
    """What the model wrote for one question after k thoughts.

    `question` is the index of the question in its file, `kind` the kind of thoughts, and `hidden` the number
    of steps they replace (None: all). `token_ids` end with <eos> if the response `finished`; otherwise the
    limit of new tokens cut it. `text` is decoded without <eos>.
    """

    question: NonNegativeInt
    k: NonNegativeInt
    kind: Thoughts
    hidden: NonNegativeInt | None
    finished: bool
    text: str
    token_ids: list[int]


class Line(Response):
    """A line of a response file: a response, and the run that gave it."""

    dataset: str
    method: str
    seed: int


def write(path: Path, run: Mapping[str, Any], responses: Iterable[Response]) -> None:
    """Write the responses of a run, one JSON record per line; `run` gives dataset, method and seed."""
    with written(path) as file:
        file.writelines(json.dumps({**run, **response.model_dump()}) + "\n" for response in responses)


def read(path: Path, n_questions: int) -> tuple[dict[str, Any], Sequence[Response]]:
    """Read a response file: its run (dataset, method and seed) and the responses in the order of the file.

    StudyError names the first line that is not a response, or is of another run than the first, or the
    question that does not have exactly one response for every k.
    """
    lines: list[Line] = []
    for number, text in enumerate(read_text(path, "responses").removesuffix("\n").split("\n"), start=1):
        try:
            lines.append(Line.model_validate_json(text))
        except ValidationError as error:
            raise StudyError(f"{path}, line {number}: {'; '.join(explain(error, Line))}") from error
        if _run_of(lines[-1]) != _run_of(lines[0]):
            raise StudyError(f"{path}, line {number}: is a response of another run than line 1")
    _check_complete(path, lines, n_questions)
    return _run_of(lines[0]), lines


def _run_of(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__annotations__}


def _check_complete(path: Path, responses: Iterable[Response], n_questions: int) -> None:
    """StudyError unless every question has exactly one response for every k in the file."""
    counts: dict[int, Counter[int]] = {}
    for response in responses:
        if response.question >= n_questions:
            raise StudyError(
                f"{path}: response to question {response.question}: there are {n_questions} questions"
            )
        counts.setdefault(response.k, Counter())[response.question] += 1
    for k, count in sorted(counts.items()):
        for question in range(n_questions):
            if count[question] != 1:
                raise StudyError(f"{path}: question {question} has {count[question]} responses with k = {k}")
