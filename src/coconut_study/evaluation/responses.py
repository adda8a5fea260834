"""Responses of trained runs, and their file: one JSON object per line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import read_text
from coconut_study.common.settings import Closed
from coconut_study.sequences.methods import Thoughts


@dataclass(frozen=True, slots=True)
class Response:
    """What the model wrote for a question after k thoughts of a kind; `token_ids` end in <eos> where it
    `finished` and was not cut by the limit."""

    question: int
    k: int
    kind: Thoughts
    hidden: int | None
    finished: bool
    text: str
    token_ids: list[int]


class Row(Closed):
    """A line of a response file."""

    dataset: str
    method: str
    seed: int
    question: NonNegativeInt
    k: NonNegativeInt
    kind: Thoughts
    hidden: NonNegativeInt | None
    finished: bool
    text: str
    token_ids: list[int]


def read(path: Path, n_questions: int) -> list[dict[str, Any]]:
    """The responses in a file, with every k one to each question; StudyError names the one that is wrong."""
    rows = []
    for number, line in enumerate(read_text(path, "responses").removesuffix("\n").split("\n"), start=1):
        try:
            rows.append(Row.model_validate_json(line).model_dump())
        except ValidationError as error:
            raise StudyError(f"{path}, line {number}: {'; '.join(explain(error, Row))}") from error
    for k in sorted({row["k"] for row in rows}):
        given = Counter(row["question"] for row in rows if row["k"] == k)
        for question in sorted({*given, *range(n_questions)}):
            if question >= n_questions:
                raise StudyError(
                    f"{path}: response to question {question}: there are {n_questions} questions"
                )
            if given[question] != 1:
                raise StudyError(f"{path}: question {question} has {given[question]} responses with k = {k}")
    return rows
