"""The figure of answers with other thoughts: what it draws, and what it says."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from coconut_study.common.errors import StudyError
from coconut_study.report import interventions, style
from coconut_study.report.figures import interventions as staircase

from .examples import BASES, ROLES, TITLES, answers

USED = {"own": 98, "same_answer": 97, "mean": 50, "random": 52, "mirror": 3, "twin": 4}
SEEDS = (1, 2, 3)


@pytest.fixture(autouse=True)
def _light():
    with style.style():
        yield
    plt.close("all")


def runs(choices, seeds=SEEDS, **more):
    """Four questions of every seed; forced choices differ a little."""
    return pd.concat(
        [
            answers(seed, question, **more, **{
                name: choice + 0.2 * (seed + question % 2) for name, choice in choices.items()
            })
            for seed in seeds for question in range(4)
        ]
    )  # fmt: skip


def draw(*rows, dataset="d"):
    rows = pd.concat(rows, ignore_index=True)
    tables = interventions.interventions(rows, bases=BASES), interventions.interventions_seeds(rows)
    return staircase.interventions(*tables, titles=TITLES, roles=ROLES, dataset=dataset)


def words(drawn):
    return [text.get_text() for text in drawn.figure.findobj(Text) if text.get_visible() and text.get_text()]


def n_dots(axis):
    return sum(len(dots.get_offsets()) for dots in axis.collections if isinstance(dots, PathCollection))


def places(axis):
    """Where the panel shades what would be decided, by its middle."""
    zones = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    return [round(zone.get_x() + zone.get_width() / 2, 1) for zone in zones]


def test_contents_are_rows_in_three_groups_and_every_seed_is_a_dot():
    drawn = draw(runs(USED))
    (axis,) = drawn.figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "its own", "another’s, same answer", "mean of others", "a random question’s", "the mirror’s",
        "the twin’s",
    ]  # fmt: skip
    assert {"says the same", "says nothing", "says the opposite", "all thoughts", "Coconut"} <= {
        *words(drawn)
    }
    assert n_dots(axis) == len(USED) * len(SEEDS)


def test_a_panel_shades_where_answers_would_be_if_what_is_replaced_decided():
    axis = draw(runs(USED)).figure.axes[0]
    own = 98 + 0.2 * 2.5
    assert sorted(places(axis)) == pytest.approx(sorted([own, own, 50, 50, 100 - own, 100 - own]), abs=0.1)
    ignored = [line.get_xdata() for line in axis.lines if line.get_linestyle() == ":"]
    assert ignored == [[pytest.approx(own)] * 2]


def test_places_are_panels_and_methods_with_thoughts_come_first():
    drawn = draw(
        runs({"own": 80, "mirror": 20}, method="cot", part="steps"),
        runs(USED),
        runs({"mirror": 3}, thoughts="last"),
        runs({"mirror": 97}, thoughts="all but last"),
        runs({"mirror": 90}, thoughts="root"),
    )
    shown = [text for axis in drawn.figure.axes for text in (t.get_text() for t in axis.texts)]
    order = [text for text in shown if text in ("Coconut", "CoT", "all thoughts", "the last alone",
                                                "all before\nthe last", "written steps")]  # fmt: skip
    assert order == [
        "all thoughts",
        "Coconut",
        "the last alone",
        "all before\nthe last",
        "written steps",
        "CoT",
    ]
    first = drawn.figure.axes[0]
    assert first.get_yticklabels()[-1].get_text() == "the mirror’s root"
    assert n_dots(first) == (len(USED) + 1) * len(SEEDS)


def test_a_method_at_chance_shows_nothing_and_is_grey():
    flat = dict.fromkeys(USED, 49.6)
    drawn = draw(runs(flat), runs({"own": 80, "mirror": 20}, method="cot", part="steps"))
    first, second = drawn.figure.axes
    assert "at chance" in [text.get_text() for text in first.texts]
    assert places(first) == []
    assert len(places(second)) == 2
    assert drawn.title == "Coconut chooses at chance (50.1 %): replacing its thoughts can show nothing"


def test_the_title_says_no_more_than_the_intervals_bear():
    assert draw(runs(USED)).title == (
        "Coconut chooses what its thoughts say: 98.5 % right with its own, 50.5 % with mean ones, "
        "3.5 % with the mirror’s"
    )
    needed = draw(runs(USED | {"mirror": 97, "twin": 97}))
    assert needed.title.startswith("Coconut needs its thoughts: 98.5 %")
    ignored = draw(runs(dict.fromkeys(USED, 98)))
    assert ignored.title.startswith("No need of what differs between Coconut’s thoughts is detected")
    assert draw(runs(USED, seeds=(1,))).title.startswith("Coconut and its thoughts: 98.3 %")


def test_the_title_says_that_the_last_thought_holds_the_answer_only_if_it_alone_flips_it():
    def title(last, before):
        return draw(
            runs(USED),
            runs({"mirror": last}, thoughts="last"),
            runs({"mirror": before}, thoughts="all but last"),
        ).title

    assert title(3, 97).endswith("; the last one holds the answer")
    assert "last one" not in title(97, 97)
    assert "last one" not in title(3, 3)


def test_the_alternative_text_has_every_number():
    drawn = draw(runs(USED), runs({"own": 80, "same_answer": 78, "mirror": 20}, method="cot", part="steps"))
    for words_of in (
        "Coconut, all thoughts: its own 98.5 % [",
        "a random question’s 52.5 %",
        "CoT, written steps: its own 80.5 %",
        "minus those that another question’s with the same answer flips: 100.0 [100.0, 100.0] points",
    ):
        assert words_of in drawn.alt, words_of


def test_probability_on_neither_option_is_a_number_beside():
    drawn = draw(runs(USED), runs({"zero": 50}, escape=37))
    assert [text.get_text() for text in drawn.figure.axes[0].texts if text.get_text().isdigit()] == ["37"]


def test_many_methods_have_panels_below_each_other():
    names = [f"m{i}" for i in range(8)]
    rows = pd.concat([runs(USED, method=name) for name in names])
    bases = {name: {} for name in names}
    drawn = staircase.interventions(
        interventions.interventions(rows, bases=bases), interventions.interventions_seeds(rows),
        titles=TITLES | {name: name for name in names}, roles=dict.fromkeys(names, "control"), dataset="d",
    )  # fmt: skip
    assert set(names) <= {*words(drawn)}
    assert sum(axis.get_visible() for axis in drawn.figure.axes) == 8


def test_methods_asked_for_necessity_alone_have_no_panel_beside_others():
    short = runs({"own": 98, "mean": 50, "removed": 50}, method="slow")
    assert "Slow & steady" not in words(draw(runs(USED), short))
    assert "Slow & steady" in words(draw(short))


def test_a_data_set_without_interventions_has_no_figure():
    with pytest.raises(StudyError, match=r"interventions.csv: has no rows of e"):
        draw(runs(USED), dataset="e")
