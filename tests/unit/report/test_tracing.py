"""The table and the figure of tracing, from probabilities of which the effects follow by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.report import style
from coconut_study.report.figures.tracing import tracing as draw
from coconut_study.report.tracing import format_tracing, tracing

from .examples import BASES, PLACES, ROLES, TITLES, traces


def table(*runs):
    return tracing(pd.concat(runs, ignore_index=True), bases=BASES, margin=3)


def effects(found):
    return found.set_index(["place", "layer"])["mean"]


def test_an_effect_is_the_share_of_the_fall_that_is_brought_back():
    found = table(traces())
    for place, shares in PLACES.items():
        for layer, share in enumerate(shares):
            assert effects(found)[place, layer] == pytest.approx(100 * share)
    assert found["clean"].unique() == pytest.approx([90])
    assert found["corrupt"].unique() == pytest.approx([10])
    assert set(found["questions"]) == {4}
    assert set(found["n"]) == {3}


def test_escape_does_not_count():
    runs = traces()
    runs[["p right", "p wrong"]] = runs[["p right", "p wrong"]].mul([0.1, 0.9] * (len(runs) // 2), axis=0)
    np.testing.assert_allclose(effects(table(runs)), effects(table(traces())))


def test_the_effect_is_a_ratio_of_means_in_which_a_seed_that_cannot_be_traced_counts_little():
    lost = traces(
        seeds=(8,), clean=0.5, corrupt=0.4999, places={"root": (1.0, 1.0), "thought 1": (-900.0, 0)}
    )
    found = table(traces(seeds=range(7), places={"root": (1.0, 1.0), "thought 1": (0.5, 0)}), lost)
    by_hand = (7 * 0.5 * 0.8 - 900 * 0.0001) / (7 * 0.8 + 0.0001)
    assert effects(found)["thought 1", 0] == pytest.approx(100 * by_hand)
    assert effects(found)["root", 0] == pytest.approx(100)


def test_everything_has_no_uncertainty_and_a_part_has():
    found = table(traces(spread=0.05), traces(seeds=(4,), places=PLACES | {"thought 1": (0.3, 0.2)}))
    spans = found.set_index(["place", "layer"])[["low", "high"]]
    assert spans.loc[("everything", 0)].tolist() == pytest.approx([100, 100])
    low, high = spans.loc[("thought 1", 0)]
    assert low < 100 * (3 * 0.75 + 0.3) / 4 < high


@pytest.mark.parametrize("seeds", [(1, 2, 3), (1,)])
def test_where_the_answer_does_not_follow_the_root_there_is_no_effect(seeds):
    found = table(traces(seeds=seeds, clean=0.51, corrupt=0.49))
    assert found["mean"].isna().all()
    assert len(found) == 8


def test_where_seeds_do_not_agree_that_the_answer_follows_the_root_there_is_no_effect():
    found = table(traces(seeds=(1, 2)), traces(seeds=(3,), clean=0.1, corrupt=0.9))
    assert found["mean"].isna().all()


def test_the_printed_table_has_a_row_for_each_place_and_a_column_for_each_layer():
    text = format_tracing(table(traces(), traces("slow", clean=0.5, corrupt=0.5)), titles=TITLES)
    assert text.columns.tolist()[-2:] == ["layer 0", "layer 1"]
    assert text["restored"].tolist() == 2 * list(PLACES)
    assert text["layer 0"].tolist()[1] == "75 [75, 75]"
    assert set(text["layer 1"][4:]) == {"–"}


@pytest.fixture(autouse=True)
def look():
    with style.style():
        yield


def drawn(*runs):
    return draw(table(*runs), titles=TITLES, roles=ROLES, dataset="d")


def test_the_figure_has_a_panel_for_each_method_and_says_where_nothing_can_be_traced():
    figure = drawn(traces(), traces("slow", clean=0.5, corrupt=0.5)).figure
    cells, nothing = figure.axes
    assert [text.get_text() for text in cells.texts[:4]] == ["100", "100", "75", "25"]
    assert nothing.texts[0].get_text().startswith("nothing to bring back")
    assert [label.get_text() for label in cells.get_yticklabels()] == list(PLACES)


@pytest.mark.parametrize(
    ("first", "second", "title"),
    [
        (0.75, 0.9, "Any one thought of Coconut, restored, brings back 75 to 90 % of its answer"),
        (0.75, 0.0, "Thought 1 of Coconut brings back up to 75 % of its answer; others do not"),
        (0.25, 0.0, "No single thought of Coconut brings back more than 25 % of its answer"),
    ],
)
def test_the_title_says_which_thoughts_bring_the_answer_back(first, second, title):
    places = {"root": (1.0, 1.0), "thought 1": (first, 0.0), "thought 2": (second, 0.0)}
    assert drawn(traces(places=places)).title == title


def test_the_title_of_a_method_that_cannot_be_traced_says_so():
    assert "do not follow the root" in drawn(traces(clean=0.5, corrupt=0.5)).title


def test_the_words_have_the_largest_effect_of_every_place():
    alt = drawn(traces(), traces("slow", clean=0.5, corrupt=0.5)).alt
    assert "thought 1 75 % (layer 0)" in alt
    assert "Slow & steady, right option 50.0 % with its own root, 50.0 % with the other: nothing" in alt


def test_a_data_set_that_was_not_traced_has_no_figure():
    with pytest.raises(StudyError, match="has no rows of e"):
        draw(table(traces()), titles=TITLES, roles=ROLES, dataset="e")


def test_a_table_without_an_interval_has_effects_of_its_own():
    found = table(traces(seeds=(1,)))
    assert effects(found)["thought 1", 0] == pytest.approx(75)
    assert found["low"].map(math.isnan).all()
