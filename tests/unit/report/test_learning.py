"""Learning curves and the two ends of every stage."""

import math

import pytest

from coconut_study.report import learning

from .examples import TITLES, history


def test_learning_curves_put_stages_end_to_end(learnt):
    table = learnt[:5]
    assert table["stage"].tolist() == [0, 0, 0, 1, 1]
    assert table["seen"].tolist() == [0, 10, 20, 20, 30]
    assert table["mean"].tolist() == pytest.approx([0, 20, 70, 40, 60])
    assert table["n"].tolist() == [2] * 5


def rows_of(table, *columns):
    return table[list(columns)].to_numpy().tolist()


def test_stages_have_accuracy_before_their_first_update_and_at_their_end(learnt):
    table = learning.stages(learnt)
    assert rows_of(table, "method", "stage", "first mean", "last mean", "n") == [
        ["coconut", 0, 0, pytest.approx(70), 2],
        ["coconut", 1, pytest.approx(40), pytest.approx(60), 2],
        ["cot", 0, pytest.approx(10), pytest.approx(90), 1],
    ]
    ends = ["first low", "first high", "last low", "last high"]
    assert table[ends].isna().all(axis=None)  # two seeds have no interval
    read = learning.format_stages(table, titles=TITLES)
    assert read.iloc[2].tolist() == ["Data set", "CoT", "0", "10.0", "90.0"]
    assert read.loc[1, "at its first step (%)"] == "40.0"


def test_following_is_given_after_every_epoch_of_runs_that_are_asked_rewrites():
    histories = {
        "a": history(0, [0.5, 1.0]).assign(following=[math.nan, 0.25]),
        "b": history(0, [0.5, 0.5]).assign(following=[0.5, 0.75]),
        "c": history(0, [0.5, 0.5]),
    }
    runs = [
        {"dataset": dataset, "method": "cot", "seed": seed, "stages": [stage]}
        for dataset, seed, stage in (("d", 1, "a"), ("d", 2, "b"), ("e", 1, "c"))
    ]
    table = learning.following_epochs(histories, runs=runs)
    assert rows_of(table, "dataset", "epoch", "mean", "n", "accuracy") == [
        ["d", 0, 50, 1, 50],  # a seed that answers nothing right has no share
        ["d", 1, 50, 2, 75],
    ]
