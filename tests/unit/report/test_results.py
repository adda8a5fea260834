"""Tables of right answers: the main table, every run, sweeps and comparisons."""

import math

import pandas as pd
import pytest

from coconut_study.report import results, scores

from .examples import BASES, PAPER, ROWS, RULES, TITLES, UNASKED, point


def test_the_main_table_takes_the_trained_number_of_thoughts_and_sets_the_paper_beside(grades):
    table = results.main(
        scores.by_group(grades), UNASKED, RULES, PAPER, rows=ROWS, worked=95, bases=BASES
    ).set_index("method")
    assert table.loc["cot", ["seeds", "accuracy", "tokens"]].tolist() == [2, 50, 4]
    assert table.loc["coconut", ["seeds", "accuracy", "tokens"]].tolist() == [1, 100, 6]
    assert table.loc["cot", "paper accuracy"] == 77.5
    assert math.isnan(table.loc["coconut", "paper accuracy"])
    assert math.isnan(table.loc["coconut", "low"])
    assert table.loc[["cot", "coconut"], "worked"].tolist() == [0, 1]
    rule = table.loc["shortcut: coin"]
    assert rule["accuracy"] == 50
    assert pd.isna(rule["seeds"])


def test_every_run_stands_by_itself(grades):
    table = results.seeds(scores.by_group(grades), rows=ROWS)
    assert table[["method", "seed", "accuracy"]].to_numpy().tolist() == [
        ["cot", 1, 75], ["cot", 2, 25], ["coconut", 1, 100],
    ]  # fmt: skip
    read = results.format_seeds(table, titles=TITLES).set_index("method")
    assert read.loc["CoT", ["seed 1 (%)", "seed 2 (%)"]].tolist() == ["75.0", "25.0"]
    assert read.loc["Coconut", "seed 2 (%)"] == "–"


def test_a_missing_number_is_never_shown_as_zero(grades):
    table = results.main(scores.by_group(grades), UNASKED, RULES, PAPER, rows=ROWS, worked=95, bases=BASES)
    read = results.format_main(table, titles=TITLES).set_index("method")
    assert read.loc["Coconut", "paper: accuracy (%)"] == "–"
    assert read.loc["Coconut", "accuracy (%)"] == "100.0"
    assert read.loc["CoT", "accuracy (%)"] == "50.0"
    assert read.loc["CoT", "paper: accuracy (%)"] == "77.5 ± 1.9"
    assert ",," in table.to_csv(index=False)


def test_the_sweep_has_every_outcome_and_they_make_up_all_responses(grades):
    table = results.sweep(scores.by_group(grades), bases=BASES)
    assert set(table["measure"]) == set(scores.MEASURES)
    outcomes = table[table["measure"] != scores.ANSWER]
    totals = outcomes.groupby(["method", "k"])["mean"].sum()
    assert totals.tolist() == pytest.approx([100] * 3)
    cot = outcomes[outcomes["method"] == "cot"].set_index("measure")["mean"]
    assert (cot["correct path"], cot["wrong target"], cot["longer path"]) == (50, 37.5, 0)
    read = results.format_sweep(table, titles=TITLES)
    assert len(read) == 3
    assert "right answer (%)" in read


# ------------------------------------------------------------------------------------------ comparison


def rows_of(table, *columns):
    return table[list(columns)].to_numpy().tolist()


def test_a_comparison_has_the_difference_to_the_first_of_its_series_seed_by_seed(many):
    points = [point("line", "a", "cot"), point("line", "b", "coconut", 2), point("other", "b", "coconut", 2)]
    table = results.comparison(scores.by_group(many), points=points, bases=BASES)
    assert rows_of(table, "series", "label", "method", "k") == [
        ["line", "a", "cot", 0], ["line", "b", "coconut", 2], ["other", "b", "coconut", 2],
    ]  # fmt: skip
    assert table["mean"].tolist() == pytest.approx([60, 170 / 3, 170 / 3])
    assert table["n"].tolist() == [2, 3, 3]
    assert table["tokens"].tolist() == [4, 6, 6]
    assert table["difference"].tolist() == [0, 15, 0]  # 60 - 50 and 90 - 70; seed 3 has no CoT
    assert table.loc[1, ["difference low", "difference high"]].isna().all()  # of two seeds
    assert 0 <= table.loc[1, "low"] < 170 / 3 < table.loc[1, "high"] <= 100


def test_runs_without_a_seed_in_common_have_no_difference(many):
    table = results.comparison(
        scores.by_group(many),
        points=[point("line", "a", "cot"), point("line", "b", "slow")],
        bases=BASES,
    )
    assert table["mean"].tolist() == [60, 100]
    assert table.loc[1, ["difference", "difference low", "difference high", "low"]].isna().all()
    read = results.format_comparison(table, titles=TITLES)
    assert rows_of(read, "method", "seeds", "accuracy (%)", "to the first") == [
        ["CoT", "2", "60.0", "0.0"], ["Slow & steady", "1", "100.0", "–"],
    ]  # fmt: skip


def test_a_point_without_a_run_is_missing(many):
    table = results.comparison(
        scores.by_group(many),
        points=[point("line", "a", "coconut", 5), point("line", "b", "coconut", 2)],
        bases=BASES,
    )
    assert table["n"].tolist() == [0, 3]
    assert table.loc[0, ["mean", "low", "high", "tokens", "difference"]].isna().all()
    read = results.format_comparison(table, titles=TITLES).iloc[0]
    assert read[["accuracy (%)", "to the first", "tokens"]].tolist() == ["–", "–", "–"]


def test_each_data_set_has_a_first_point_of_its_own(many):
    both = pd.concat([many, many.assign(dataset="e", right=True)])
    points = [point("line", k, "coconut", k, dataset) for dataset in ("d", "e") for k in (0, 2)]
    table = results.comparison(scores.by_group(both), points=points, bases=BASES)
    assert rows_of(table, "dataset", "k", "difference") == [
        ["d", 0, 0], ["d", 2, pytest.approx(140 / 3)], ["e", 0, 0], ["e", 2, 0],
    ]  # fmt: skip
    read = results.format_comparison(table, titles=TITLES)
    assert read["data set"].tolist() == ["Data set"] * 2 + ["Other set"] * 2
    assert read["at"].tolist() == read["k"].tolist() == ["0", "2", "0", "2"]
