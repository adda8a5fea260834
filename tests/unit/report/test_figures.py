"""Figures of accuracy: what they draw, and the same bytes each time."""

import math

import pandas as pd
import pytest

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report import figures, intervals, learning, results, style

from .examples import PAPER, ROWS, RULES, TITLES, point


def test_figures_are_written_in_three_formats_the_same_each_time(grades, tmp_path):
    sweep, curves = results.sweep(intervals.by_run(grades)), pd.DataFrame(
        {"dataset": "d", "method": "cot", "stage": 0, "epoch": [0, 1], "seen": [10, 20], "mean": [10, 20],
         "low": math.nan, "high": math.nan, "n": 1, "loss": 1.0}
    )  # fmt: skip
    for run in ("one", "two"):
        style.save(
            figures.sweep(sweep, titles=TITLES, dataset="d", method="coconut", references=["no_cot", "cot"]),
            tmp_path / run / "sweep.svg",
        )
        style.save(
            figures.accuracy(
                results.main(intervals.by_run(grades), RULES, PAPER, rows=ROWS, worked=95),
                results.seeds(intervals.by_run(grades), rows=ROWS),
                titles=TITLES,
            ),
            tmp_path / run / "a.svg",
        )
        style.save(figures.learning(curves, titles=TITLES), tmp_path / run / "learning.svg")
    for name in ("sweep", "a", "learning"):
        for suffix in (".svg", ".pdf", ".png"):
            one, two = (tmp_path / run / f"{name}{suffix}" for run in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), (name, suffix)
    drawn = (tmp_path / "one" / "sweep.svg").read_text()
    assert all(outcome.value in drawn for outcome in Outcome)
    assert "Coconut, k = 2" in drawn


def drawn(figure, folder):
    """The text of a figure's SVG."""
    style.save(figure, folder / "figure.svg")
    return (folder / "figure.svg").read_text(encoding="utf-8")


def test_the_figure_of_stages_has_a_panel_for_every_staged_run(learnt, tmp_path):
    other = learnt.assign(dataset="e")[learnt["method"] == "coconut"]
    slow = learnt.assign(method="slow")[learnt["method"] == "coconut"]
    table = learning.stages(pd.concat([learnt, other, slow]))
    svg = drawn(figures.stages(table, titles=TITLES), tmp_path)
    for label in ("Data set", "Other set", "Coconut", "Slow &amp; steady", "stage", "right answers (%)"):
        assert f">{label}<" in svg, label
    assert "before the stage's first update" in svg
    assert "at its end" in svg
    assert ">CoT<" not in svg  # a single stage has no course


def test_the_figure_of_stages_is_drawn_without_staged_runs(learnt, tmp_path):
    table = learning.stages(learnt[learnt["method"] == "cot"])
    assert "<svg" in drawn(figures.stages(table, titles=TITLES), tmp_path)


@pytest.fixture
def compared(many):
    points = [
        point("first line", "0.1", "cot"), point("first line", "0.3", "coconut", 2),
        point("second line", "0.1", "slow"), point("second line", "0.3", "coconut", 0),
    ]  # fmt: skip
    return results.comparison(intervals.by_run(many), points=points)


@pytest.mark.parametrize("x", ["label", "k", "tokens"])
def test_the_figure_of_a_comparison_has_a_line_a_series(compared, tmp_path, x):
    svg = drawn(figures.comparison(compared, titles=TITLES, x=x, xlabel="what is across"), tmp_path)
    for label in ("Data set", "first line", "second line", "what is across", "right answers (%)"):
        assert f">{label}<" in svg, label
    assert (svg.count(">0.3<") >= 2) == (x == "tokens")  # there each point has its label beside it


def test_words_are_rows_of_the_figure_of_a_comparison(compared, tmp_path):
    table = compared.assign(label=["plain", "0.3", "odd & even", "0.1"])
    both = pd.concat([table, table.assign(dataset="e")])
    svg = drawn(figures.comparison(both, titles=TITLES, x="label", xlabel=""), tmp_path)
    for label in ("first line: plain", "first line: 0.3", "second line: odd &amp; even", "second line: 0.1"):
        assert svg.count(f">{label}<") == 2, label
    assert ">Data set<" in svg
    assert ">Other set<" in svg


def test_a_comparison_draws_every_series_however_many(many, tmp_path):
    points = [point(f"line {number}", at, "coconut", 2) for number in range(12) for at in ("1", "2")]
    table = results.comparison(intervals.by_run(many), points=points)
    svg = drawn(figures.comparison(table, titles=TITLES, x="label", xlabel="x"), tmp_path)
    for number in range(12):
        assert f">line {number}<" in svg, number


def test_learning_draws_every_method_however_many(learnt, tmp_path):
    one = learnt[learnt["method"] == "coconut"]
    titles = TITLES | {f"m{number}": f"Method {number}" for number in range(12)}
    table = pd.concat([one.assign(method=f"m{number}") for number in range(12)])
    svg = drawn(figures.learning(table, titles=titles), tmp_path)
    for number in range(12):
        assert f">Method {number}<" in svg, number
