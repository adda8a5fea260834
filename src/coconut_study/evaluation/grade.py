"""Grades: one row per response, from responses and questions. Needs no model, so regrading is cheap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from coconut_study.evaluation.columns import GRADES, RUN
from coconut_study.evaluation.outcomes import Map, Outcome, classify, edges
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Grading
from coconut_study.questions.question import Question, group_numbers
from coconut_study.sequences.methods import FED_BACK
from coconut_study.sequences.templates import Template, is_right, is_right_number

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = GRADES[len(RUN) :]


def grade(
    responses: Iterable[Response], questions: Sequence[Question], template: Template, settings: Grading
) -> pd.DataFrame:
    """Grade the responses of a run: one row per response, with the columns `COLUMNS`.

    `right` compares the words of the answer, as the paper does. `right number` compares values, and is
    missing if the gold answer is not a number. `tokens` is described at `count`, `edges` and `wrong edges` at
    `outcomes.edges`. `group` numbers the questions that were drawn together.
    """
    import pandas as pd

    groups = group_numbers(questions)
    maps = [Map(question.graph) if question.graph else None for question in questions]
    rows = []
    for response in responses:
        question = questions[response.question]
        right = is_right(question, response.text, template)
        graph_map, reading = maps[response.question], template.read(response.text)
        if graph_map is None:
            outcome, written = (Outcome.CORRECT_LABEL if right else Outcome.INCORRECT_LABEL), (0, 0)
        else:
            exact = settings.hidden_prefix == "exact"
            outcome = classify(reading, graph_map, right=right, hidden=response.hidden, exact=exact)
            written = edges(reading, graph_map, hidden=response.hidden, exact=exact)
        rows.append(
            (
                response.k,
                response.question,
                groups[response.question],
                outcome.value,
                right,
                is_right_number(question, response.text),
                count(response, settings),
                response.finished,
                *written,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def count(response: Response, settings: Grading) -> int:
    """Number of tokens of a response, of the kinds that `settings.tokens` names (paper Table 1).

    The paper's tables fit written tokens, with the answer mark but without <eos>, plus continuous thoughts.
    The markers around thoughts are never counted.
    """
    counts = {
        "written": len(response.token_ids) - response.finished,
        "thoughts": response.k if response.kind in FED_BACK else 0,
        "pauses": response.k if response.kind == "pause" else 0,
        "end": int(response.finished),
    }
    return sum(counts[kind] for kind in settings.tokens)
