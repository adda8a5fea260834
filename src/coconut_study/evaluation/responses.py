"""Responses of trained runs, and the files that hold them: one JSON record per line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import written
from coconut_study.common.reading import read_text
from coconut_study.common.settings import Closed
from coconut_study.evaluation.settings import GenerationSpec
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


def read(
    path: Path, n_questions: int, asked: GenerationSpec | None = None
) -> tuple[dict[str, Any], Sequence[Response]]:
    """Read a response file: its run (dataset, method and seed) and the responses in the order of the file.

    StudyError names the first line that is not a response, or is of another run than the first, or the
    question that does not have exactly one response for every k. If it is known what the run was `asked`, the
    run, every k, and the thoughts given at each k must be those.
    """
    lines: list[Line] = []
    for number, text in enumerate(read_text(path, "responses").removesuffix("\n").split("\n"), start=1):
        try:
            lines.append(Line.model_validate_json(text))
        except ValidationError as error:
            raise StudyError(f"{path}, line {number}: {'; '.join(explain(error, Line))}") from error
        if _run_of(lines[-1]) != _run_of(lines[0]):
            raise StudyError(f"{path}, line {number}: is a response of another run than line 1")
    if asked is not None:
        _check_asked(path, lines, asked)
    _check_complete(path, lines, n_questions)
    return _run_of(lines[0]), lines


def _run_of(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__annotations__}


def _check_asked(path: Path, lines: Sequence[Line], asked: GenerationSpec) -> None:
    """StudyError if the responses are of another run, or were given with other thoughts, than was asked."""
    if (run := _run_of(lines[0])) != asked.run:
        raise StudyError(f"{path}: holds responses of {_words(run)}; expected those of {_words(asked.run)}")
    layouts = {layout.thoughts: layout for layout in asked.layouts}
    if (given := {line.k for line in lines}) != layouts.keys():
        raise StudyError(
            f"{path}: holds responses with k = {_listed(given)}; expected k = {_listed(layouts)}"
        )
    for number, line in enumerate(lines, start=1):
        wanted = layouts[line.k]
        if (line.kind, line.hidden) != (wanted.kind, wanted.hidden):
            raise StudyError(
                f"{path}, line {number}: has kind: {line.kind} and hidden: {line.hidden}; expected "
                f"kind: {wanted.kind} and hidden: {wanted.hidden}"
            )


def _words(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in run.items())


def _listed(ks: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ks)))


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
