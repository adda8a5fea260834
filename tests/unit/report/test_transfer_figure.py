"""The figure of runs that are asked the questions of other data sets: what it draws and what it says."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from coconut_study.report import style
from coconut_study.report.figures.transfer import transfer
from coconut_study.report.scores import ANSWER

from .examples import ROLES, TITLES
from .test_figures import n_dots, words

K = {"coconut": 2, "cot": 0, "slow": 0}
ROWS = [{"dataset": "d", "method": method, "k": k} for method, k in K.items()]
NAMES = TITLES | {"f": "Third set"}


@pytest.fixture(autouse=True)
def _light():
    with style.style():
        yield
    plt.close("all")


def tables(*points):
    """The tables `transfer` and `transfer_seeds` of three seeds, five points around the mean of each point
    (asked, method, k, mean), or with its steps as a fifth."""
    at = [
        {"trained": "d", "asked": asked, "method": method, "k": k, "steps": (*steps, "all")[0], "mean": mean}
        for asked, method, k, mean, *steps in points
    ]
    table = pd.DataFrame([one | {"low": one["mean"] - 5, "high": one["mean"] + 5} for one in at])
    seeds = [one | {"seed": seed, ANSWER: one["mean"] + seed} for one in at for seed in (-1, 0, 1)]
    return table.assign(n=3, questions=8, null=50.0), pd.DataFrame(seeds)


def draw(*points, null=50.0):
    table, seeds = tables(*points)
    return transfer(table.assign(null=null), seeds, titles=NAMES, roles=ROLES, rows=ROWS, trained="d")


ONE = [(asked, method, k, 60.0) for asked in ("e", "d") for method, k in K.items()]
SEVERAL = [("d", "coconut", k, 60.0 + k) for k in (0, 1, 2)] + [("d", "cot", 0, 80.0), ("d", "slow", 0, 50.0)]


def test_with_one_number_of_thoughts_methods_are_rows_and_the_own_data_set_comes_first():
    drawn = draw(*ONE)
    assert [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()] == [
        "Coconut", "CoT", "Slow & steady",
    ]  # fmt: skip
    assert [axis.texts[-2].get_text() for axis in drawn.figure.axes] == ["Data set", "Other set"]
    assert [n_dots(axis) for axis in drawn.figure.axes] == [9, 9]


def test_with_several_numbers_of_thoughts_they_are_across_and_every_method_is_a_named_line():
    drawn = draw(*SEVERAL)
    (axis,) = drawn.figure.axes
    assert [int(tick) for tick in axis.get_xticks()] == [0, 1, 2]
    assert {"Coconut", "CoT", "Slow & steady", "thoughts k"} <= {*words(drawn)}
    rings = [line for line in axis.lines if line.get_marker() == "o"]
    assert sorted(line.get_ydata()[0] for line in rings) == [50, 62, 80]  # as many as in training


def test_controls_have_lines_that_differ():
    other = [("d", "cot", k, 70.0) for k in (0, 1)] + [("d", "slow", k, 40.0) for k in (0, 1)]
    table, seeds = tables(*other)
    roles = dict.fromkeys(ROLES, "control")
    drawn = transfer(table, seeds, titles=NAMES, roles=roles, rows=ROWS, trained="d")
    (axis,) = drawn.figure.axes
    curves = [line for line in axis.lines if len(line.get_xdata()) == 2 and line.get_zorder() == 2]
    assert {line.get_linestyle() for line in curves} == {"-", "--"}


def test_questions_that_differ_in_steps_have_a_panel_for_each_number():
    drawn = draw(*[("d", "coconut", 2, 60.0, *steps) for steps in ((), ("2",), ("3",))])
    assert {"trained on, 2 steps", "trained on, 3 steps"} <= {*words(drawn)}
    assert len(drawn.figure.axes) == 2


def test_seven_panels_lie_in_two_rows_and_leave_one_place_empty():
    names = [f"s{number}" for number in range(6)]
    table, seeds = tables(*SEVERAL, *[(name, *point[1:]) for name in names for point in SEVERAL])
    titles = NAMES | {name: f"Set {name}" for name in names}
    drawn = transfer(table, seeds, titles=titles, roles=ROLES, rows=ROWS, trained="d")
    assert [axis.axison for axis in drawn.figure.axes] == [True] * 7 + [False]
    assert drawn.figure.get_size_inches()[1] < 6


def test_the_title_counts_the_data_sets_on_which_the_interval_lies_above_a_coin():
    own = ("d", "coconut", 2, 90.0)
    assert draw(own, ("e", "coconut", 2, 56.0), ("f", "coconut", 2, 54.0)).title == (
        "Trained on Data set, Coconut answers 90.0 % of its own questions; "
        "it is above a coin on 1 of 2 other data sets"
    )
    assert draw(own, ("e", "coconut", 2, 54.0), ("f", "coconut", 2, 54.0)).title.endswith(
        "on none of 2 other data sets"
    )
    without = draw(own, ("e", "coconut", 2, 56.0), ("f", "coconut", 2, 54.0), null=float("nan"))
    assert "coin" not in without.title
    assert "coin" not in " ".join(words(without))


def test_the_title_says_with_how_many_thoughts_if_there_are_several_numbers():
    said = draw(*SEVERAL, ("e", "coconut", 2, 40.0)).title
    assert said.startswith("Trained on Data set, Coconut with 2 thoughts answers 62.0 % of its own questions")


def test_the_alternative_text_has_every_mean_and_a_better_number_of_thoughts():
    alt = draw(*SEVERAL[:2], ("d", "coconut", 2, 55.0)).alt
    assert "Data set (trained on): Coconut 55.0 % [50.0, 60.0], at most 61.0 % with k = 1." in alt
