"""Figures of what thoughts hold."""

import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.report import style, thought_figures, thoughts


def test_figures_show_every_k_and_every_count(values, tmp_path):
    curves = thought_figures.parallelism(thoughts.parallelism(values), dataset="d", method="coconut")
    means = thought_figures.heights(thoughts.heights(values), dataset="d", method="coconut")
    for figure in (curves, means):
        assert [axis.get_title() for axis in figure.axes] == ["After 1 thought", "After 2 thoughts"]
    assert [text.get_text() for text in means.axes[0].texts] == ["4", "1", "1", "1"]
    style.save(curves, tmp_path / "parallelism.svg")
    style.save(means, tmp_path / "heights.svg")
    assert len(list(tmp_path.iterdir())) == 6


def test_the_search_tree_shows_what_the_root_leads_to_with_its_values_and_the_other_option(question):
    values = pd.DataFrame(
        {"question": [0, 0, 0, 1], "k": [1, 1, 2, 1], "node": ["lempus", "dumpus", "rompus", "impus"],
         "value": [0.333, 0.5, 0.0004, 0.9]}
    )  # fmt: skip
    figure = thought_figures.tree(values, [question], case=0)
    labels = {text.get_text() for text in figure.axes[0].texts}
    assert labels == {"Alex", "lempus\n0.33", "dumpus\n0.50", "rompus\n4e-4", "impus", "gorpus"}


def test_a_question_that_was_not_probed_has_no_search_tree(question):
    values = pd.DataFrame({"question": [0, 3], "k": 1, "node": "lempus", "value": 0.5})
    with pytest.raises(StudyError, match=r"case: question 4 was not probed; the last one probed is 3"):
        thought_figures.tree(values, [question] * 5, case=4)


def test_figures_are_of_one_data_set_and_method(values):
    both = pd.concat([values, values.assign(method="other", k=3)])
    figure = thought_figures.heights(thoughts.heights(both), dataset="d", method="other")
    assert [axis.get_title() for axis in figure.axes] == ["After 3 thoughts"]
