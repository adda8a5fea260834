"""Tables of runs that are asked the questions of other data sets, by hand."""

import dataclasses
import math

import pandas as pd
import pytest

from coconut_study.questions import schema
from coconut_study.report import inputs, transfer
from coconut_study.report.inputs import ASKED
from coconut_study.report.scores import ANSWER

from .examples import BASES, TITLES, graded

HOPS = pd.DataFrame({"asked": "e", "question": range(4), "hops": [3, 4, 3, 4], "null": 50.0})


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


def test_every_run_is_scored_on_all_questions_and_on_those_of_each_number_of_steps():
    asked = pd.concat([answers(seed, [True, False, True, seed == 2]) for seed in (1, 2)])
    table = transfer.transfer_seeds(asked, HOPS)
    assert table[["steps", "seed", ANSWER]].values.tolist() == [
        ["all", 1, 50], ["all", 2, 75], ["3", 1, 100], ["3", 2, 100], ["4", 1, 0], ["4", 2, 50],
    ]  # fmt: skip


def suffices(**right):
    """What suffices if the runs of seeds 1, 2, ... answer so many of four questions right, by k from 0 on."""
    asked = [
        answers(seed, [True] * n + [False] * (4 - n), k)
        for seed, by_k in enumerate(right.values(), 1)
        for k, n in enumerate(by_k)
    ]
    seeds = transfer.transfer_seeds(pd.concat(asked), HOPS.assign(hops=3))
    return transfer.sufficient(seeds, worked=75)


def test_the_smallest_k_with_which_a_run_works_is_that_of_its_own_answers():
    table = suffices(one=[1, 3, 2], two=[4, 0, 4], three=[2, 2, 2])
    assert table["k"].tolist() == [1, 0, pd.NA]
    (row,) = transfer.format_sufficient(table, titles=TITLES).to_dict("records")
    assert row["smallest k with 75 %"] == "1, 0, none"
    nowhere = transfer.format_sufficient(suffices(one=[1, 2], two=[2, 0]), titles=TITLES)
    assert nowhere["smallest k with 75 %"].tolist() == ["none of 0 to 1"]


def test_a_method_that_is_asked_at_one_k_has_no_smallest_one():
    one = answers(1, [True] * 4, k=0).assign(method="cot")
    seeds = transfer.transfer_seeds(
        pd.concat([one, answers(1, [True] * 4, 0), answers(1, [True] * 4, 1)]), HOPS
    )
    assert set(transfer.sufficient(seeds, worked=75)["method"]) == {"coconut"}


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


def test_questions_without_a_graph_have_no_coin(tmp_path, question):
    graphless = dataclasses.replace(question, graph=None)
    schema.write(tmp_path / "e.jsonl", [question, question])
    schema.write(tmp_path / "d.jsonl", [graphless])
    read = inputs.hops({name: tmp_path / f"{name}.jsonl" for name in ("e", "d")})
    assert read["null"].fillna(-1).tolist() == [50, 50, -1]


def test_answers_are_read_with_the_data_set_that_the_run_was_trained_on(tmp_path):
    path = tmp_path / "grades.csv"
    graded("coconut", 1, 2, ["correct path", "hallucination"], dataset="e").to_csv(path, index=False)
    read = inputs.asked({"d/coconut/seed1/e": path})
    assert read[["trained", "asked", "k", "right"]].values.tolist() == [
        ["d", "e", 2, True],
        ["d", "e", 2, False],
    ]
