"""Score tables of the sides of claims, from small tables of what was measured."""

import pandas as pd
import pytest

from coconut_study.evaluation.columns import VALUES
from coconut_study.report import scores
from coconut_study.report.intervals import FIXED
from coconut_study.report.sides import Side, measured

from .examples import RULES, answers, graded

RUN = {"dataset": "d", "method": "cot", "seed": 1}


@pytest.fixture
def found():
    """CoT with two seeds and four questions, its seconds, endings and a rule."""
    grades = pd.concat(
        graded("cot", seed, 0, ["correct path", second, "hallucination", "correct label"])
        for seed, second in ((1, "wrong target"), (2, "correct path"))
    )
    times = pd.DataFrame(
        [RUN | {"k": 0, "batch size": size, "questions": 10, "seconds": 5.0 / size} for size in (1, 8)]
    )
    ends = pd.DataFrame(
        [
            RUN | {"question": i, "group": i // 2, "fixed right": i < 3, "classifier right": i < 1,
                   "fixed k": 2, "classifier k": 1, "threshold": 0.5}
            for i in range(4)
        ]
    )  # fmt: skip
    replaced = answers(1, 0, method="coconut", own=90, mean=60)
    return measured(scores.by_group(grades), times, ends, pd.DataFrame(columns=list(VALUES)), replaced, RULES)


def test_a_measure_of_responses_has_a_row_per_seed(found):
    table = found(Side("d", "cot", scores.ANSWER, 0))
    assert table.mean(axis=1).to_dict() == {1: 50.0, 2: 75.0}
    assert found(Side("d", "cot", "wrong target of paths", 0)).mean(axis=1).to_dict() == pytest.approx(
        {1: 100 / 3, 2: 0}
    )


def test_seconds_are_those_of_one_question_at_a_time(found):
    assert found(Side("d", "cot", "seconds", 0)).to_numpy().tolist() == [[0.5]]


def test_answers_have_the_way_in_which_thoughts_end(found):
    assert found(Side("d", "cot", "fixed")).to_numpy().tolist() == [[100.0, 50.0]]
    assert found(Side("d", "cot", "classifier")).to_numpy().tolist() == [[50.0, 0.0]]


def test_necessity_is_of_answers_with_other_thoughts(found):
    assert found(Side("d", "coconut", "necessity")).to_numpy() == pytest.approx(30)


def test_a_rule_has_a_single_row(found):
    table = found(Side("d", "shortcut: coin"))
    assert table.index.tolist() == [FIXED]
    assert table.to_numpy().tolist() == [[50.0, 50.0]]


@pytest.mark.parametrize(
    "side",
    [
        Side("d", "cot", scores.ANSWER, 1),
        Side("d", "cot", scores.ANSWER),
        Side("d", "coconut", "seconds", 0),
        Side("d", "cot", "advantage", 1),
        Side("e", "cot", "fixed"),
        Side("d", "cot", "necessity"),
        Side("d", "shortcut: none"),
    ],
)
def test_what_was_not_measured_has_no_rows(found, side):
    assert found(side).empty
