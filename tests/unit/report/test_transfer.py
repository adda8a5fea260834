"""Tables of runs that are asked the questions of other data sets, by hand."""

import math

import pandas as pd
import pytest

from coconut_study.report import inputs, transfer
from coconut_study.report.inputs import ASKED

from .examples import BASES, TITLES, graded

HOPS = pd.DataFrame({"asked": "e", "question": range(4), "hops": [3, 4, 3, 4]})


def answers(seed, right, k=1, group=None):
    """The answers of a run that was trained on d and is asked e."""
    rows = {
        "trained": "d", "asked": "e", "method": "coconut", "seed": seed, "k": k,
        "question": range(len(right)), "group": range(len(right)) if group is None else group, "right": right,
    }  # fmt: skip
    return pd.DataFrame(rows)[[*ASKED]]


def test_accuracy_is_given_for_all_questions_and_for_each_number_of_steps():
    asked = pd.concat([answers(seed, [True, False, True, seed == 2]) for seed in (0, 1, 2)])
    table = transfer.transfer(asked, HOPS, bases=BASES).set_index("steps")
    assert table.index.tolist() == ["all", "3", "4"]
    assert table["mean"].tolist() == pytest.approx([700 / 12, 100, 100 / 6])
    assert table["questions"].tolist() == [4, 2, 2]
    assert table["n"].tolist() == [3, 3, 3]
    assert table.loc["all", "low"] < 700 / 12 < table.loc["all", "high"]


def test_questions_of_one_number_of_steps_have_one_row():
    table = transfer.transfer(answers(0, [True] * 4), HOPS.assign(hops=3), bases=BASES)
    assert table["steps"].tolist() == ["all"]
    assert math.isnan(table["low"][0])  # one seed


def test_following_is_the_share_of_right_answers_that_move_with_the_fact():
    right = [True, True, True, False, False, True, False, False]  # four questions, each before its rewrite
    group = [0, 0, 0, 0, 1, 1, 1, 1]
    (row,) = transfer.following(answers(0, right, group=group), bases=BASES).to_dict("records")
    assert (row["accuracy"], row["rewrites"], row["mean"], row["questions"]) == (50, 50, 50, 4)


def test_following_has_an_interval_although_a_seed_answers_no_question_of_a_group_right():
    seeds = [[True, True, True, False], [True, True, False, False], [True, False, True, True]]
    asked = pd.concat([answers(n, right, group=[0, 0, 1, 1]) for n, right in enumerate(seeds)])
    (row,) = transfer.following(asked, bases=BASES).to_dict("records")
    assert row["mean"] == pytest.approx((50 + 100 + 50) / 3)
    assert 0 <= row["low"] < row["mean"] < row["high"] <= 100


def test_following_is_missing_where_nothing_is_right():
    table = transfer.following(answers(0, [False, True, False, False]), bases=BASES)
    assert math.isnan(table["mean"][0])
    assert transfer.format_following(table, titles=TITLES)["following (%)"].tolist() == ["–"]


def test_a_printed_row_names_both_data_sets():
    printed = transfer.format_transfer(
        transfer.transfer(answers(0, [True] * 4), HOPS, bases=BASES), titles=TITLES
    )
    assert printed.iloc[0].tolist() == ["Data set", "Other set", "Coconut", "1", "all", "4", "1", "100.0"]


def test_answers_are_read_with_the_data_set_that_the_run_was_trained_on(tmp_path):
    path = tmp_path / "grades.csv"
    graded("coconut", 1, 2, ["correct path", "hallucination"], dataset="e").to_csv(path, index=False)
    read = inputs.asked({"d/coconut/seed1/e": path})
    assert read[["trained", "asked", "k", "right"]].values.tolist() == [
        ["d", "e", 2, True],
        ["d", "e", 2, False],
    ]
