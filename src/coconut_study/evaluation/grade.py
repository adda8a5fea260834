"""Responses and questions -> one row per response. Without torch; scoring again costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.outcomes import Map, Outcome, classify
from coconut_study.evaluation.settings import Grading
from coconut_study.questions.question import Question
from coconut_study.sequences.templates import Template, is_right, is_right_number

COLUMNS = (
    "dataset", "method", "seed", "k", "question", "outcome", "right", "right number", "tokens", "finished",
)  # fmt: skip


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
