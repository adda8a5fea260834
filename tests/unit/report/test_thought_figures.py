"""Figures of what thoughts hold."""

import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from coconut_study.common.errors import StudyError
from coconut_study.report import contrasts, style
from coconut_study.report.figures import tree as search
from coconut_study.report.figures import values as panels

from .examples import BASES, ROLES, TITLES, rows


@pytest.fixture(autouse=True)
def look():
    with style.style():
        yield


@pytest.fixture
def three(values):
    """The values of three seeds, and those of another method after the same numbers of contrasts."""
    third = values[values["seed"] == 1].assign(seed=3)
    ours = pd.concat([values, third], ignore_index=True)
    return pd.concat([ours, ours.assign(method="slow", value=ours["value"] / 10)], ignore_index=True)


def draw(values, dataset="d"):
    tables = (contrasts.best(values, bases=BASES), contrasts.contrasts(values, bases=BASES))
    return panels.values(*tables, contrasts.values_seeds(values), titles=TITLES, roles=ROLES, dataset=dataset)


def texts(drawn):
    return [text.get_text() for text in drawn.figure.findobj(Text) if text.get_text()]


def of_knowledge(shift, second):
    """Six questions of two candidates in three seeds: the correct one has `shift` more than half, and at the
    second frontier `second` times as much more."""
    return pd.concat(
        [
            rows(seed, k, question, (1, True, 0.5 + bit), (1, False, 0.5 - bit))
            for seed in (1, 2, 3)
            for k in (1, 2)
            for question in range(6)
            for bit in [(shift + 0.001 * (seed + question % 2)) * (second if k == 2 else 1)]
        ],
        ignore_index=True,
    )


def test_every_method_has_panels_with_every_number_of_candidates_and_of_questions(three):
    drawn = draw(three)
    assert len(drawn.figure.axes) == 4
    assert [axis.get_title(loc="left") for axis in drawn.figure.axes] == [
        "Coconut", "Correct minus incorrect, points", "Slow & steady", "",
    ]  # fmt: skip
    left = drawn.figure.axes[2]
    assert [label.get_text() for label in left.get_xticklabels()] == ["1", "2", "4"]
    assert [text.get_text() for text in left.texts] == ["1"] * 6
    assert texts(drawn).count("after 1 thought (1 questions)") == 2


def test_equal_values_are_drawn_at_every_number_of_candidates(three):
    left = draw(three).figure.axes[0]
    levels = {tuple(line.get_ydata()) for line in left.lines}
    assert {(100.0, 100.0), (50.0, 50.0), (25.0, 25.0)} <= levels


def test_the_title_says_what_the_intervals_bear():
    undecided = of_knowledge(0, 1)
    undecided.loc[undecided["seed"] == 1, "value"] = 1 - undecided["value"]
    assert draw(undecided).title.startswith("Neither a narrower choice nor a preference")
    assert draw(of_knowledge(0.1, 2)).title == (
        "Thoughts narrow the choice; nodes that lead to the asked option are preferred"
    )
    assert draw(of_knowledge(-0.2, 0.5)).title == (
        "Thoughts widen the choice; nodes that lead elsewhere are preferred"
    )
    single = of_knowledge(0.1, 2)
    assert draw(single[single["seed"] == 1]).title.startswith("What thoughts hold")


def test_the_words_hold_the_numbers_of_the_table(three):
    row, words = contrasts.contrasts(three, bases=BASES).iloc[0], draw(three).alt
    assert f"Coconut, after 1 thought: correct minus incorrect {row['mean']:.1f}" in words
    assert "second step minus first" in words


def test_a_data_set_without_values_has_no_figure(three):
    with pytest.raises(StudyError, match=r"best.csv: has no rows of e"):
        draw(three, dataset="e")


# ------------------------------------------------------------------------------------------ search tree


@pytest.fixture
def probed():
    """The candidates of one question of the example graph, for two seeds."""
    nodes = [(1, "lempus", True, 0.333), (1, "dumpus", True, 0.5), (2, "rompus", True, 0.0004)]
    return pd.DataFrame(
        [
            {"question": 0, "seed": seed, "k": k, "frontier": k, "node": node, "correct": correct,
             "value": value}
            for seed in (1, 2)
            for k, node, correct, value in nodes
        ]
    )  # fmt: skip


def tree(values, questions, case=0):
    return search.tree(values, questions, titles=TITLES, roles=ROLES, method="coconut", case=case)


def test_the_search_tree_shows_what_the_root_leads_to_and_the_other_option(probed, question):
    shown = texts(tree(probed, [question]))
    assert {"Alex", "lempus", "dumpus", "rompus", "impus", "gorpus", "target", "other option"} <= set(shown)
    assert {"after 1 thought", "after 2 thoughts"} <= set(shown)


def test_every_candidate_has_a_bar_for_every_seed_and_the_line_of_equal_values(probed, question):
    axis = tree(probed, [question]).figure.axes[0]
    heights = [abs(bar.get_height()) for bar in axis.patches if isinstance(bar, Rectangle)]
    assert len(heights) == 2 * 2 * 3  # with the bar behind each
    assert sorted(height / max(heights) for height in heights)[:6] == pytest.approx(
        [0.0004, 0.0004, 0.333, 0.333, 0.5, 0.5]
    )
    above = [line.get_ydata() for line in axis.lines]
    assert len(above) == 3
    assert all(low == high for low, high in above)


def test_the_title_of_a_tree_counts_the_seeds_that_value_a_correct_node_most(probed, question):
    assert "all correct" in tree(probed, [question]).title
    probed.loc[(probed["node"] == "dumpus") & (probed["seed"] == 2), "value"] = 0.1
    probed.loc[probed["node"] == "dumpus", "correct"] = False
    drawn = tree(probed, [question])
    assert drawn.title == "One question: after 1 thought, 1 of 2 seeds value a correct node most"
    assert "after 2 thoughts 2 of 2" in drawn.alt


def test_a_question_that_was_not_probed_has_no_search_tree(question):
    values = pd.DataFrame({"question": [0, 3], "k": 1, "node": "lempus", "value": 0.5})
    with pytest.raises(StudyError, match=r"case: question 4 was not probed; the last one probed is 3"):
        tree(values, [question] * 5, case=4)
