"""Counts by group of questions, shares, and score tables."""

import math
from io import StringIO

import pandas as pd
import pytest

from coconut_study.evaluation.columns import GRADES
from coconut_study.report import scores
from coconut_study.report.intervals import FIXED, estimate

from .examples import graded


def test_answers_have_a_share_by_words_and_one_by_value_also_from_a_file():
    """By words one of three is right; by value two, one of which no number can be right or wrong."""
    grades = graded("cot", 1, 0, ["correct label"] * 3)
    grades = grades.assign(right=[False, True, True], **{"right number": [True, None, True]})[list(GRADES)]
    for table in (grades, pd.read_csv(StringIO(grades.to_csv(index=False)))):
        (row,) = scores.by_run(scores.by_group(table)).to_dict("records")
        assert row[scores.ANSWER] == pytest.approx(200 / 3)
        assert row[scores.VALUE] == 100
    words = pd.read_csv(StringIO(grades[1:2].to_csv(index=False)))
    assert math.isnan(scores.by_run(scores.by_group(words))[scores.VALUE].item())


def test_a_row_of_a_score_table_has_the_mean_of_its_run_also_for_a_ratio():
    outcomes = [
        "correct path",
        "hallucination",
        "correct label",
        "hallucination",
        "wrong target",
        "correct path",
    ]
    grades = pd.concat([graded("cot", seed, 0, outcomes[seed:] + outcomes[:seed]) for seed in (1, 2)]).assign(
        group=[0, 0, 1, 1, 2, 2] * 2
    )
    counts = scores.by_group(grades)
    runs = scores.by_run(counts).set_index("seed")
    for measure in (scores.ANSWER, "hallucination of paths", "wrong edges", scores.TOKENS):
        means = scores.scores(counts, measure).mean(axis=1)
        pd.testing.assert_series_equal(means, runs[measure], check_names=False)
    assert runs["hallucination of paths"].tolist() == pytest.approx([40, 40])


def test_a_measure_of_paths_is_missing_where_none_is_written():
    counts = scores.by_group(graded("coconut", 1, 3, ["correct label", "incorrect label"]))
    assert scores.by_run(counts)["hallucination of paths"].isna().all()
    assert scores.scores(counts, "hallucination of paths").empty


def test_differences_are_between_runs_of_a_seed_on_the_same_groups():
    more = pd.DataFrame([[1.0, 2], [3, 4], [5, 6]], index=[1, 2, 3])
    less = pd.DataFrame([[1.0, 1, 1], [0, 2, 1]], index=[2, 3], columns=[0, 1, 2])
    assert scores.difference(more, less).to_numpy().tolist() == [[2, 3], [5, 4]]
    rule = pd.DataFrame([[1.0, 1]], index=[FIXED])
    assert scores.difference(more, rule).to_numpy().tolist() == [[0, 1], [2, 3], [4, 5]]
    assert scores.difference(rule, more).to_numpy().tolist() == [[0, -1], [-2, -3], [-4, -5]]


def test_base_models_are_the_units_where_several_seeds_share_one_of_several():
    table = pd.DataFrame([[1.0], [2], [3], [4]], index=[1, 2, 3, 4])
    own = scores.by_base(table, {1: "a", 2: "b", 3: "c", 4: "d"})
    assert len(own) == 4
    shared = scores.by_base(table, {1: "a", 2: "b", 3: "a", 4: "b"})
    assert shared.to_numpy().tolist() == [[2], [3]]
    assert len(scores.by_base(table, dict.fromkeys(range(5), "a"))) == 4


def test_a_rule_varies_over_groups_alone():
    points = pd.DataFrame({"group": [0, 0, 1, 1, 2, 2], "points": [1, 0, 1, 1, 0.5, 0.5]})
    table = scores.fixed(points)
    assert table.loc[FIXED].tolist() == [50, 100, 50]
    found = estimate(table)
    assert (found.mean, found.df, found.groups) == (pytest.approx(200 / 3), 2, 3)
    assert found.known
