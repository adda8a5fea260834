"""Responses and questions -> one row per response. Without torch; scoring again costs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import NonNegativeInt, ValidationError

from coconut_study.errors import StudyError
from coconut_study.explain import explain
from coconut_study.methods import Closed, Thoughts
from coconut_study.paths import Map, Outcome, classify
from coconut_study.questions import Question, text_of
from coconut_study.settings import Grading
from coconut_study.templates import Template, is_right, is_right_number

COLUMNS = (
    "dataset", "method", "seed", "k", "question", "outcome", "right", "right number", "tokens", "finished",
)  # fmt: skip


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
    for number, line in enumerate(text_of(path, "responses").removesuffix("\n").split("\n"), start=1):
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


def grade(
    responses: Iterable[Mapping[str, Any]],
    questions: Sequence[Question],
    template: Template,
    settings: Grading,
) -> pd.DataFrame:
    """The grades of responses, with the columns of `COLUMNS`; StudyError for a response to no question.

    `right` compares words, as the paper does; `right number` compares values and is missing where the gold
    answer is no number.
    """
    maps = [Map(question.graph) if question.graph else None for question in questions]
    rows = []
    for response in responses:
        number = response["question"]
        if not 0 <= number < len(questions):
            raise StudyError(f"response to question {number}: there are {len(questions)} questions")
        right = is_right(questions[number], response["text"], template)
        outcome = _outcome(response, maps[number], right, template, settings)
        rows.append(
            {
                **response,
                "outcome": outcome.value,
                "right": right,
                "right number": is_right_number(questions[number], response["text"]),
                "tokens": count(response, settings),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def count(response: Mapping[str, Any], settings: Grading) -> int:
    """Tokens of a response. The paper's tables fit written tokens, the answer mark among them but not <eos>,
    and continuous thoughts; markers are never counted (paper Table 1)."""
    parts = {
        "written": len(response["token_ids"]) - response["finished"],
        "thoughts": response["k"] if response["kind"] == "continuous" else 0,
        "pauses": response["k"] if response["kind"] == "pause" else 0,
        "end": int(response["finished"]),
    }
    return sum(parts[part] for part in settings.tokens)


def _outcome(
    response: Mapping[str, Any], graph_map: Map | None, right: bool, template: Template, settings: Grading
) -> Outcome:
    """The class of a response; without a graph there are only labels to tell apart."""
    if graph_map is None:
        return Outcome.CORRECT_LABEL if right else Outcome.INCORRECT_LABEL
    return classify(
        template.read(response["text"]),
        graph_map,
        right=right,
        hidden=response["hidden"],
        exact=settings.hidden_prefix == "exact",
    )
