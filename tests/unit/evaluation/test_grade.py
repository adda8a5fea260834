"""Grades of responses, with and without a graph; the count of tokens."""

from io import StringIO

import pandas as pd
import pytest

from coconut_study.evaluation.grade import COLUMNS, count, grade
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.settings import Grading
from coconut_study.questions.datasets import generate
from coconut_study.questions.question import Question
from coconut_study.questions.settings import Crossed
from coconut_study.sequences.templates import TEMPLATES

PROSE = TEMPLATES["prose"]


def response(text="", question=0, k=0, kind="none", finished=True, n=6):
    return Response(question=question, k=k, kind=kind, hidden=0, finished=finished, text=text,
                    token_ids=list(range(n)))  # fmt: skip


def test_grades_are_one_row_per_response(question):
    texts = [
        "Alex is a lempus.\nEvery lempus is a rompus.\n### Alex is a rompus.",
        "",
        "### Alex is a rompus .",
    ]
    rows = grade([response(text) for text in texts], [question], PROSE, Grading(hidden_prefix="completable"))
    assert tuple(rows.columns) == COLUMNS
    assert rows["outcome"].tolist() == ["correct path", "incorrect label", "correct label"]
    assert rows["right"].tolist() == [True, False, True]
    assert rows["question"].tolist() == [0, 0, 0]
    assert rows[["edges", "wrong edges"]].to_numpy().tolist() == [[2, 0], [0, 0], [0, 0]]


def test_questions_that_were_drawn_together_have_the_number_of_their_group():
    drawn = generate(
        Crossed(source="crossed", nodes=12, edges=14, hops=(3, 3), persons=2, concepts=10, seed=1,
                sizes={"train": 4, "valid": 4, "test": 8})
    )["test"]  # fmt: skip
    responses = [response("", question) for question in range(8)]
    rows = grade(responses, drawn, PROSE, Grading(hidden_prefix="completable"))
    assert rows["group"].tolist() == [0] * 4 + [1] * 4


def test_only_labels_without_a_graph():
    plain = Question("2+3?", ("2+3=5",), "1,005")
    rows = grade([response("### 1005"), response("### 5")], [plain], PROSE, Grading(hidden_prefix="exact"))
    assert rows["outcome"].tolist() == ["correct label", "incorrect label"]


def test_answers_are_compared_by_words_and_by_value_also_after_reading_the_file():
    questions = [Question("How many?", ("<<2*9=18>>",), answer) for answer in ("18", "True", "7")]
    responses = [response("### 18.0"), response("### True", 1), response("### 2", 2)]
    table = grade(responses, questions, PROSE, Grading(hidden_prefix="completable"))
    assert table["right"].tolist() == [False, True, False]
    assert table["right number"].tolist() == [True, None, False]
    again = pd.read_csv(StringIO(table.to_csv(index=False)))
    assert again["right number"].isna().tolist() == [False, True, False]
    assert again["right"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("tokens", "counts"),
    [
        # continuous, pause and no thoughts that end; continuous ones cut by the limit
        (("written",), [4, 4, 4, 5]),
        (("thoughts",), [3, 0, 0, 3]),
        (("pauses",), [0, 3, 0, 0]),
        (("end",), [1, 1, 1, 0]),
        (("written", "thoughts"), [7, 4, 4, 8]),
        (("written", "thoughts", "pauses", "end"), [8, 8, 5, 8]),
        ((), [0, 0, 0, 0]),
    ],
)
def test_each_kind_of_token_is_counted_where_it_is_wanted(tokens, counts):
    settings = Grading(tokens=tokens, hidden_prefix="completable")
    responses = [
        response(k=3, kind="continuous", n=5),
        response(k=3, kind="pause", n=5),
        response(n=5),
        response(k=3, kind="continuous", finished=False, n=5),
    ]
    assert [count(one, settings) for one in responses] == counts
