"""Predictions: verdicts on planted grades."""

import pandas as pd
import pytest

from coconut_study.report.predictions import format_predictions, predictions
from coconut_study.report.scores import by_group

from .examples import BASES, graded


def outcome(right):
    return "correct label" if right else "incorrect label"


COUNTS = by_group(
    pd.concat(
        graded(method, seed, k, [outcome(i < n - (i + seed) % 2) for i in range(40)], dataset=dataset)
        for dataset, method, k, n in [("d", "coconut", 2, 39), ("d", "cot", 0, 19), ("d", "slow", 0, 39),
                                      ("e", "coconut", 2, 19)]
        for seed in range(3)
    )
)  # fmt: skip


def rewritten(seed):
    """Answers to 40 questions, 30 or 31 of them right, and to their rewrites, 24 of them right."""
    right = [number < (24 if rewrite else 30 + seed % 2) for number in range(40) for rewrite in (0, 1)]
    run = {"trained": "d", "asked": "rewrites", "method": "coconut", "seed": seed, "k": 2}
    return pd.DataFrame(
        run | {"question": range(80), "group": [number // 2 for number in range(80)], "right": right}
    )


ASKED = pd.concat(map(rewritten, range(3)))


def side(method="coconut", dataset="d", asked=None, measure="right answers"):
    k = 2 if method == "coconut" else 0
    return {"dataset": dataset, "method": method, "k": k, "asked": asked, "measure": measure, "value": None}


def value(number):
    return dict.fromkeys(("dataset", "method", "k", "asked", "measure")) | {"value": number}


def judged(**sides):
    asked = dict.fromkeys(("more", "less", "one", "other")) | sides | {"claim": "a claim"}
    return predictions(COUNTS, ASKED, predictions=[asked], margin=3.0, bases=BASES).squeeze()


@pytest.mark.parametrize(
    ("sides", "verdict", "difference"),
    [
        ({"more": side(), "less": side("cot")}, "supported", 50),
        ({"more": side("cot"), "less": side()}, "contradicted", -50),
        ({"more": side(), "less": side("slow")}, "equivalent", 0),
        ({"one": side(), "other": side("slow")}, "supported", 0),
        ({"one": side(), "other": side("cot")}, "contradicted", 50),
        ({"more": side(), "less": value(90)}, "undecided", 20 / 3),
        ({"more": side(), "less": side(dataset="e")}, "supported", 50),
    ],
)
def test_a_prediction_is_judged_by_the_difference_of_its_sides(sides, verdict, difference):
    row = judged(**sides)
    assert row["difference"] == pytest.approx(difference)
    assert row["verdict"] == verdict


def test_both_sides_stand_beside_the_verdict():
    row = judged(more=side(), less=value(50))
    assert (row["first"], row["second"]) == (pytest.approx(100 * 116 / 120), 50)


def test_an_undecided_prediction_says_what_would_decide_it():
    shown = format_predictions(judged(more=side(), less=value(90)).to_frame().T)
    assert "would" in shown["note"].iloc[0]


def test_two_seeds_decide_nothing():
    few = COUNTS[COUNTS["seed"] < 2]
    asked = [{"claim": "a claim", "more": side(), "less": side("cot"), "one": None, "other": None}]
    row = predictions(few, ASKED, predictions=asked, margin=3.0, bases=BASES).squeeze()
    assert row["verdict"] == "undecided"
    assert "an interval needs 3" in row["note"]


def test_following_counts_only_questions_that_are_answered_right():
    row = judged(more=side(asked="rewrites", measure="following"), less=value(0))
    assert row["first"] == pytest.approx(100 * (24 / 30 + 24 / 31 + 24 / 30) / 3)
    assert row["verdict"] == "supported"


def test_questions_of_another_data_set_are_answers_to_them():
    row = judged(more=side(asked="rewrites"), less=value(50))
    assert row["first"] == pytest.approx(100 * (54 + 55 + 54) / 3 / 80)
