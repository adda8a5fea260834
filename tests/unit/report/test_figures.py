"""Figures of accuracy: what they draw, what they say, and which numbers they need to say it."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report import learning, results, scores, style
from coconut_study.report.figures import accuracy, comparison, sweep
from coconut_study.report.figures import learning as curves

from .examples import BASES, PAPER, ROLES, ROWS, RULES, TITLES, UNASKED, point

ASKED = {"titles": TITLES, "roles": ROLES, "dataset": "d"}


def words(drawn):
    """Every text that a figure shows."""
    return [text.get_text() for text in drawn.figure.findobj(Text) if text.get_visible() and text.get_text()]


def n_dots(axis):
    """How many seeds a panel shows."""
    return sum(len(dots.get_offsets()) for dots in axis.collections if isinstance(dots, PathCollection))


@pytest.fixture(autouse=True)
def _light():
    with style.style():
        yield
    plt.close("all")


# ------------------------------------------------------------------------------------- answers of methods


def main_of(**ours):
    """A main table: for each method its accuracy, interval and the paper's number."""
    columns = ("accuracy", "low", "high", "paper accuracy")
    rows = [
        {"dataset": "d", "method": method, "seeds": 3, "paper sd": 0.3}
        | dict(zip(columns, numbers, strict=True))
        for method, numbers in ours.items()
    ]
    rule = {"dataset": "d", "method": "shortcut: short path", "accuracy": 61.0, "low": 60.0, "high": 62.0}
    return pd.DataFrame([*rows, rule, rule | {"method": "shortcut: coin", "accuracy": 50.0}])


SEEDS = pd.DataFrame(
    {"dataset": "d", "method": ["coconut"] * 3 + ["cot"] * 3, "seed": [1, 2, 3] * 2, "k": 0,
     "accuracy": [98, 99, 100, 75, 76, 77]}
)  # fmt: skip
AHEAD = {"slow": (50, 49, 51, 76.7), "cot": (76, 73, 79, 77.5), "coconut": (99, 98, 100, 97.0)}
RULED = PAPER | {"baselines": {"prosqa": {"rule": "far", "accuracy": 96.8, "reference": "r"}}}


def headline(main=None, seeds=SEEDS, paper=RULED, paper_dataset="prosqa"):
    return accuracy.accuracy(
        main_of(**AHEAD) if main is None else main, seeds, paper, **ASKED, paper_dataset=paper_dataset
    )


def test_methods_are_rows_by_role_and_rules_are_lines_with_names():
    drawn = headline()
    rows = [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()]
    assert rows == ["Coconut", "CoT", "Slow & steady"]
    assert {"coin", "short path 61.0", "shortcut rule 96.8", "This study", "The paper"} <= {*words(drawn)}


def test_the_name_of_a_rule_that_would_lie_on_that_of_a_better_one_is_left_out():
    main = main_of(**AHEAD)
    near = main[-2:-1].assign(method="shortcut: a rule with a long name", accuracy=58.0)
    found = words(headline(pd.concat([main, near])))
    assert "short path 61.0" in found
    assert not any(word.startswith("a rule with a long name") for word in found)
    far = near.assign(method="shortcut: far", accuracy=90.0)
    assert {"short path 61.0", "far 90.0"} <= {*words(headline(pd.concat([main, far])))}


@pytest.mark.parametrize("accuracy", [62.0, 75.0, 97.0])
def test_a_rule_with_a_long_name_makes_no_panel_narrower_and_covers_no_other_word(accuracy):
    def panel(name):
        main = main_of(**AHEAD)[:3]
        rule = {"dataset": "d", "method": f"shortcut: {name}", "accuracy": accuracy, "low": 50, "high": 98}
        figure = headline(pd.concat([main, pd.DataFrame([rule])])).figure
        figure.draw_without_rendering()
        return figure.axes[0]

    name = "learned from sizes of neighbourhoods, else the shorter path"
    long, short = panel(name), panel("short")
    assert long.get_window_extent().width == pytest.approx(short.get_window_extent().width, abs=1)
    drawn = {text.get_text().replace("\n", " "): text.get_window_extent() for text in long.texts}
    word = drawn.pop(f"{name} {accuracy}")
    assert word.x0 >= long.get_window_extent().x0 - 1
    assert word.x1 <= long.get_window_extent().x1 + 1
    assert not any(word.overlaps(drawn[heading]) for heading in ("This study", "Data set", "coin"))


def test_a_name_of_the_best_rule_that_is_too_long_is_shortened_at_a_word():
    rule = main_of()[:1].assign(method="shortcut: " + " ".join(["nonplanning"] * 16))
    (name,) = (word for word in words(headline(pd.concat([main_of(**AHEAD)[:3], rule]))) if "nonpl" in word)
    assert name.split()[-2:] == ["nonplanning…", "61.0"]
    assert name.count("\n") <= 2


def test_every_seed_is_a_dot():
    assert n_dots(headline().figure.axes[0]) == len(SEEDS)


def test_the_headline_says_ahead_only_if_no_interval_overlaps():
    assert headline().title.startswith("Coconut answers 99.0 %, ahead of CoT (76.0 %) and the best shortcut")
    for numbers in ((99, 78, 100, 97.0), (99, float("nan"), float("nan"), 97.0)):
        drawn = headline(main_of(**AHEAD | {"coconut": numbers}))
        assert "ahead" not in drawn.title
        assert "CoT (76.0 %), the best shortcut (61.0 %)" in drawn.title


def test_the_headline_says_that_a_rule_ties_with_the_paper_only_within_its_deviation():
    assert headline().title.endswith("on the paper’s questions a shortcut ties with it")
    assert "ties" not in headline(main_of(**AHEAD | {"coconut": (99, 98, 100, 97.2)})).title
    assert "ties" not in headline(paper=PAPER).title


def test_the_alternative_text_of_the_headline_names_every_number():
    alt = headline().alt
    for number in (
        "Coconut 99.0 % [98.0, 100.0], 3 seeds",
        "short path) reaches 61.0 %",
        "CoT 77.5 %",
        "96.8",
    ):
        assert number in alt, number


def test_without_a_number_of_the_paper_there_is_no_panel_of_it():
    main = main_of(**AHEAD).assign(**{"paper accuracy": float("nan"), "paper sd": float("nan")})
    assert len(headline(main, paper_dataset=None).figure.axes) == 1


def test_a_data_set_without_rules_has_no_coin():
    main = main_of(**AHEAD)[:3]
    assert "coin" not in words(headline(main, paper=PAPER))


def test_an_accuracy_far_below_a_coin_is_on_the_axis():
    drawn = headline(main_of(**AHEAD | {"slow": (16, 15, 17, 76.7)}))
    assert drawn.figure.axes[0].get_xlim()[0] < 15


# ---------------------------------------------------------------------------------- number of thoughts


@pytest.fixture
def swept(grades):
    counts = scores.by_group(grades)
    main = results.main(counts, UNASKED, RULES, PAPER, rows=ROWS, worked=95, bases=BASES)
    return results.sweep(counts, bases=BASES), results.sweep_seeds(counts), main


def draw_sweep(swept):
    return sweep.sweep(*swept, **ASKED, method="coconut", references=["no_cot", "cot"])


def test_a_sweep_starts_with_no_thoughts_and_ends_with_the_references(swept):
    drawn = draw_sweep(swept)
    rows = [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()]
    assert rows == ["k = 0", "k = 2", "CoT"]
    assert n_dots(drawn.figure.axes[0]) == 4


def test_paths_and_labels_alone_have_a_panel_each(swept):
    _, paths, labels = draw_sweep(swept).figure.axes
    names = [text.get_text() for axis in (paths, labels) for text in axis.get_legend().get_texts()]
    assert names == [Outcome.CORRECT_PATH, Outcome.WRONG_TARGET, Outcome.HALLUCINATION, Outcome.CORRECT_LABEL]
    assert "none" in [text.get_text() for text in paths.texts]  # with two thoughts
    assert "With k = 2 no path is written, so none can be wrong." in " ".join(words(draw_sweep(swept)))


def test_a_sweep_says_that_answers_rise_only_if_the_intervals_part(swept):
    table, *others = swept
    assert "rise" not in draw_sweep((table, *others)).title
    parted = table.assign(low=table["mean"] - 1, high=table["mean"] + 1)
    assert draw_sweep((parted, *others)).title == (
        "From 0 to 2 thoughts, right answers of Coconut rise from 25.0 to 100.0 %"
    )


# --------------------------------------------------------------------------------------- learning curves


def test_learning_has_a_gap_where_a_stage_begins(learnt):
    drawn = curves.learning(learnt, learning.stages(learnt), main_of(), **ASKED)
    (axis,) = drawn.figure.axes
    solid = [line for line in axis.lines if line.get_linestyle() == "-"]
    assert [line.get_xdata().tolist() for line in solid] == [[0, 10, 20], [20, 30], [0, 10]]
    assert "−30" in words(drawn)
    assert drawn.title == (
        "Coconut loses up to 30 points when a stage begins, and ends training at 60.0 %; "
        "CoT ends training at 90.0 %"
    )
    assert "stage 1 from 70.0 to 40.0 %" in drawn.alt


def test_learning_has_a_coin_only_where_questions_have_two_options(learnt):
    for main, n_coins in ((main_of(), 1), (main_of(**AHEAD)[:3], 0)):
        (axis,) = curves.learning(learnt, learning.stages(learnt), main, **ASKED).figure.axes
        coins = [line for line in axis.lines if set(line.get_ydata()) == {50.0}]
        assert len(coins) == n_coins


def test_learning_draws_and_names_every_method_however_many(learnt):
    one = learnt[learnt["method"] == "coconut"]
    names = [f"m{number}" for number in range(12)]
    table = pd.concat([one.assign(method=name) for name in names])
    drawn = curves.learning(
        table, learning.stages(table), main_of(), titles=TITLES | {name: f"Method {name}" for name in names},
        roles=dict.fromkeys(names, "control"), dataset="d",
    )  # fmt: skip
    places = [text.xy[1] for text in drawn.figure.axes[0].texts if text.get_text().startswith("Method")]
    assert len({round(place, 3) for place in places}) == 12


# ------------------------------------------------------------------------------------------- experiments


@pytest.fixture
def compared(many):
    points = [
        point("first line", "0.1", "cot"), point("first line", "0.3", "coconut", 2),
        point("second line", "0.1", "slow"), point("second line", "0.3", "coconut", 0),
    ]  # fmt: skip
    counts = scores.by_group(many)
    main = results.main(counts, UNASKED, RULES, PAPER, rows=ROWS, worked=95, bases=BASES)
    return results.comparison(counts, points=points, bases=BASES), results.sweep_seeds(counts), main


def draw_comparison(compared, x="label"):
    return comparison.comparison(*compared, titles=TITLES, roles=ROLES, x=x, xlabel="what is across")


@pytest.mark.parametrize("x", ["label", "k", "tokens"])
def test_a_comparison_has_a_line_a_series_and_a_dot_a_seed(compared, x):
    drawn = draw_comparison(compared, x)
    assert {"Data set", "first line", "second line", "what is across", "right answers, %"} <= {*words(drawn)}
    assert ("0.3" in [text.get_text() for text in drawn.figure.axes[0].texts]) == (x == "tokens")
    assert n_dots(drawn.figure.axes[0]) == 2 + 3 + 1 + 3


def test_labels_that_are_not_numbers_are_rows(compared):
    table, *others = compared
    table = table.assign(label=["plain", "0.3", "odd & even", "0.1"])
    both = pd.concat([table, table.assign(dataset="e")])
    drawn = draw_comparison((both, *others))
    rows = [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()]
    assert rows == ["first line: plain", "first line: 0.3", "second line: odd & even", "second line: 0.1"]
    assert {"Data set", "Other set"} <= {*words(drawn)}


def test_the_title_of_a_comparison_names_a_point_only_if_its_interval_is_above_all_others(compared):
    table, *others = compared
    table["mean"] = [60.0, 57.0, 100.0, 10.0]
    known = table.assign(low=table["mean"] - 1, high=table["mean"] + 1)
    assert draw_comparison((known, *others)).title == "second line (0.1) answers most, 100.0 %"
    parted = table.assign(
        mean=[60.0, 57.0, 100.0, 99.0], low=[59.0, 56.0, 98.0, 97.0], high=[61.0, 58.0, 100.0, 100.0]
    )
    assert draw_comparison((parted, *others)).title == "second line answers most, 99.0 to 100.0 %"
    none = "10.0 to 100.0 % right, no point ahead of all others"
    assert draw_comparison((known.assign(low=table["mean"] - 40), *others)).title == none
    assert draw_comparison((known.assign(high=[61.0, None, 101.0, 11.0]), *others)).title == none
    same = known.assign(method="cot", k=0, mean=60.0, low=59.0, high=61.0)  # one method at several labels
    assert draw_comparison((same, *others)).title == "first line (0.1) answers 60.0 %"
    both = pd.concat([known, known.assign(dataset="e", low=0.0)])
    assert draw_comparison((both, *others)).title == (
        f"Data set: second line (0.1) answers most, 100.0 %; Other set: {none}"
    )


def test_a_point_reads_well_whether_its_label_is_words_or_its_series_or_it_is_over_k(compared):
    table, *others = compared
    table = table.assign(low=table["mean"], high=table["mean"])
    for label, x, name in (
        ("second line", "label", "second line"),
        ("small, trained for long", "label", "second line (small, trained for long)"),
        ("0.1", "k", "second line (0.1) before any thought"),
    ):
        labels = ["plain" if x == "label" else "0.2", "0.3", label, "0.1"]
        drawn = draw_comparison((table.assign(label=labels), *others), x)
        assert drawn.title == f"{name} answers most, 100.0 %"
        assert f"Data set, {name}: 100.0 %" in drawn.alt


def test_a_comparison_draws_every_series_however_many(many, compared):
    points = [point(f"line {number}", at, "coconut", 2) for number in range(12) for at in ("1", "2")]
    table = results.comparison(scores.by_group(many), points=points, bases=BASES)
    drawn = draw_comparison((table, *compared[1:]))
    assert {f"line {number}" for number in range(12)} <= {*words(drawn)}
