"""Intervals over seeds, and grades as shares."""

import math
from io import StringIO

import pandas as pd
import pytest
from scipy import stats

from coconut_study.evaluation.columns import GRADES
from coconut_study.report import intervals


def test_an_interval_is_students_and_a_single_seed_has_none():
    found = intervals.interval([70, 80, 90])
    low, high = stats.t.interval(0.95, 2, loc=80, scale=stats.sem([70, 80, 90]))
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((80, low, high, 3))
    single = intervals.interval([70])
    assert (single.mean, single.n) == (70, 1)
    assert math.isnan(single.low)
    assert math.isnan(single.high)
    assert intervals.interval([99, 90], (0, 100)).high == 100


def test_answers_have_a_share_by_words_and_one_by_value_also_from_a_file():
    """By words one of three is right; by value two, one of which no number can be right or wrong."""
    grades = pd.DataFrame(
        {"dataset": "d", "method": "cot", "seed": 1, "k": 0, "question": range(3), "outcome": "correct label",
         "right": [False, True, True], "right number": [True, None, True], "tokens": 2, "finished": True}
    )[list(GRADES)]  # fmt: skip
    for table in (grades, pd.read_csv(StringIO(grades.to_csv(index=False)))):
        (row,) = intervals.by_run(table).to_dict("records")
        assert row[intervals.ANSWER] == pytest.approx(200 / 3)
        assert row[intervals.VALUE] == 100
    words = pd.read_csv(StringIO(grades[1:2].to_csv(index=False)))
    assert math.isnan(intervals.by_run(words)[intervals.VALUE].item())
