"""Tables of what thoughts hold."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.report import candidates, contrasts, thoughts
from coconut_study.report import values as measures
from coconut_study.report.intervals import estimate

from .examples import BASES, TITLES, rows


def equal(seed, k, question, *correct, **more):
    """A question whose candidates all have the same value."""
    return rows(seed, k, question, *[(1, right, 1 / len(correct)) for right in correct], **more)


def noise(rng, *, seeds=5, groups=15):
    """Values of a model that does not know which candidates are correct: questions with few candidates have
    more correct ones, and every seed favours the candidates of some position."""
    tables = []
    for seed in range(seeds):
        taste = rng.normal(0, 0.3, 4)
        for question in range(4 * groups):
            for k in (1, 2):
                size = 2 + (question + k) % 3
                correct = rng.permutation(size) < (1 if size > 2 else 1 + (question % 2))
                weights = np.exp(taste[:size] + rng.normal(0, 0.5, size))
                shares = weights / weights.sum()
                tables.append(
                    rows(
                        seed, k, question, *zip([1] * size, correct, shares, strict=True), group=question // 4
                    )
                )
    return pd.concat(tables, ignore_index=True)


def curve(table, top, column="value"):
    return table[(table["k"] == 1) & (table["top"] == top)].set_index("percentile")[column]


def test_curves_hold_the_best_candidates_summed_and_each_is_sorted_on_its_own(values):
    table = candidates.parallelism(values)
    best, two, three = (curve(table, top) for top in (1, 2, 3))
    # Questions by their best (seed 1 or 2): 30, 62 or 74, 90; by two: 40, 72 or 84, 90.
    assert best[[0.0, 0.5, 1.0]].tolist() == pytest.approx([30, 68, 90])
    assert two[[0.0, 0.5, 1.0]].tolist() == pytest.approx([40, 78, 90])
    assert three[[0.0, 0.5, 1.0]].tolist() == pytest.approx([40, 86, 92])
    for held in (best, two, three):
        assert (held.diff().dropna() >= 0).all()
    assert (best <= two).all()
    assert (two <= three).all()
    assert set(table["seeds"]) == {2}


def test_curves_of_equal_values_stand_beside_those_of_the_model(values):
    table = candidates.parallelism(values)  # questions have four, one and two candidates
    assert curve(table, 1, "uniform")[[0.0, 0.5, 1.0]].tolist() == [25, 50, 100]
    assert curve(table, 3, "uniform")[[0.0, 0.5, 1.0]].tolist() == [75, 100, 100]


def test_correct_candidates_are_compared_with_the_incorrect_ones_of_their_question(values):
    one = values[(values["k"] == 1) & (values["seed"] == 1)]
    # Only the first question has both kinds: one correct candidate and three incorrect ones.
    table = measures.advantage(one, 1)
    assert (table.index.tolist(), table.columns.tolist()) == ([1], [0])
    assert table.loc[1, 0] == pytest.approx(62 - 25 / 3)
    assert measures.auc(one, 1).loc[1, 0] == 100
    drawn = rows(1, 1, 0, (1, True, 0.3), (1, True, 0.1), (1, False, 0.3), (1, False, 0.2))
    assert measures.auc(drawn, 1).loc[1, 0] == 100 * (0.5 + 1) / 4


def test_questions_with_few_candidates_make_correct_ones_no_more_valued():
    few = [equal(seed, 1, question, True, False) for seed in range(3) for question in range(4)]
    many = [equal(seed, 1, 4 + question, *[False] * 4, True) for seed in range(3) for question in range(4)]
    table = pd.concat([*few, *many], ignore_index=True)
    pooled = table.groupby("correct")["value"].mean()
    assert pooled[True] > pooled[False] + 0.05
    assert measures.advantage(table, 1).to_numpy() == pytest.approx(0)
    assert (measures.auc(table, 1) == 50).all(axis=None)


def test_the_options_that_a_question_names_are_no_evidence():
    named = rows(1, 3, 0, (0, True, 0.9, True), (1, True, 0.02), (1, False, 0.05))
    assert measures.advantage(named, 3).loc[1, 0] == pytest.approx(-3)
    assert measures.auc(named, 3).loc[1, 0] == 0
    assert measures.top_over_uniform(named, 3).loc[1, 0] == pytest.approx(90 - 100 / 3)
    alone = rows(1, 3, 0, (0, True, 0.9, True), (1, False, 0.05))
    assert measures.advantage(alone, 3).empty


def test_the_best_of_several_candidates_is_compared_with_an_equal_share():
    table = pd.concat([rows(1, 1, 0, (1, True, 0.7), (1, False, 0.1)), rows(1, 1, 1, (1, True, 0.9))])
    scores = measures.top_over_uniform(table, 1)
    assert scores.columns.tolist() == [0]  # the other question leaves no choice
    assert scores.loc[1, 0] == pytest.approx(20)


def test_every_question_counts_the_same_whatever_its_group():
    table = pd.concat(
        [rows(1, 1, question, (1, True, value), (1, False, 0.1), group=question // 3)
         for question, value in enumerate((0.2, 0.3, 0.4, 0.9))]
    )  # fmt: skip
    scores = measures.advantage(table, 1)
    assert scores.shape == (1, 2)
    assert scores.loc[1].mean() == pytest.approx((10 + 20 + 30 + 80) / 4)


def test_more_thoughts_than_a_step_has_count_once():
    table = pd.concat(
        [rows(1, k, 0, (1, True, value), (1, False, 0.1), frontier=1) for k, value in ((2, 0.3), (3, 0.5))]
    )
    assert measures.advantage(table, 1).loc[1, 0] == pytest.approx(40)
    assert measures.advantage(table, 2).empty
    assert set(contrasts.contrasts(table, bases=BASES)["k"]) == {2, 3}


def test_smaller_frontiers_do_not_make_the_second_step_more_decided():
    first = [equal(seed, 1, question, *[True] * (2 + question)) for seed in (1, 2) for question in range(3)]
    second = [equal(seed, 2, question, *[True] * (1 + question)) for seed in (1, 2) for question in range(3)]
    table = pd.concat([*first, *second], ignore_index=True)
    best = table.groupby(["k", "seed", "question"])["value"].max().groupby("k").mean()
    assert best[2] > best[1] + 0.2
    assert measures.decided(table).to_numpy() == pytest.approx(0)


def test_how_decided_a_step_is_is_the_coefficient_of_a_regression_on_frontier_and_size():
    table = noise(np.random.default_rng(3), seeds=2, groups=10)
    scores = measures.decided(table)
    assert scores.shape == (2, 10)
    for seed, own in table.groupby("seed"):
        best = own.groupby(["k", "question"])["value"].agg(["max", "size"]).reset_index()
        design = np.column_stack([best["k"] == 2, *(best["size"] == size for size in (2, 3, 4))])
        coefficients = np.linalg.lstsq(design.astype(float), 100 * best["max"], rcond=None)[0]
        assert scores.loc[seed].mean() == pytest.approx(coefficients[0])


def test_steps_without_a_common_number_of_candidates_are_not_compared():
    table = pd.concat([equal(1, 1, 0, True, False), equal(1, 2, 0, True)])
    assert measures.decided(table).empty
    assert "decided" not in set(contrasts.contrasts(table, bases=BASES)["measure"])


def test_a_model_that_knows_nothing_is_within_its_nulls_and_one_that_knows_is_not():
    table = noise(np.random.default_rng(0))
    found = contrasts.contrasts(table, bases=BASES).set_index(["measure", "k"])
    for measure, null in (("advantage", 0), ("auc", 50)):
        for k in (1, 2):
            row = found.loc[(measure, k)]
            assert row["low"] < null < row["high"]
            assert row["null"] == null
    knows = table.assign(value=table["value"] + 0.1 * table["correct"])
    found = contrasts.contrasts(knows, bases=BASES).set_index(["measure", "k"])
    assert found.loc[("advantage", 1), "low"] > 0
    assert found.loc[("auc", 1), "low"] > 50


def test_contrasts_are_the_means_of_their_score_tables(values):
    more = pd.concat([values, values[values["seed"] == 1].assign(seed=3)], ignore_index=True)
    found = contrasts.contrasts(more, bases=BASES).set_index(["measure", "k"])
    assert found.loc[("advantage", 1), "mean"] == estimate(measures.advantage(more, 1)).mean
    assert found.loc[("top over uniform", 2), "mean"] == estimate(measures.top_over_uniform(more, 2)).mean
    assert found.loc[("decided", 2), ["frontier", "mean", "n"]].tolist() == [2, pytest.approx(0), 3]


def test_the_best_value_is_given_at_every_number_of_candidates(values):
    table = contrasts.best(values, bases=BASES).set_index(["k", "size"]).loc[1]
    assert table.index.tolist() == ["1", "2", "4", "all"]
    assert table["mean"].tolist() == pytest.approx([90, 30, 68, (90 + 30 + 68) / 3])
    assert table["uniform"].tolist() == pytest.approx([100, 50, 25, 175 / 3])
    assert table["total"].tolist() == pytest.approx([90, 40, 93, (90 + 40 + 93) / 3])
    assert table["questions"].tolist() == [1, 1, 1, 3]
    assert table["low"].isna().all()  # two seeds


def test_every_run_has_its_means(values):
    table = contrasts.values_seeds(values).set_index(["seed", "k", "measure", "size"])["value"]
    assert table[(1, 1, "best", "4")] == pytest.approx(62)
    assert table[(2, 1, "best", "all")] == pytest.approx((74 + 90 + 30) / 3)
    assert table[(2, 1, "advantage", "all")] == pytest.approx(74 - 25 / 3)


def test_values_by_height_stand_beside_what_is_left_without_the_number_of_candidates(values):
    table = candidates.heights(values, bases=BASES).set_index(["k", "height", "correct"]).loc[1]
    right = table.loc[(1, True)]
    assert right["value"] == pytest.approx((68 + 90 + 10 + 30) / 4)
    assert right["mean"] == pytest.approx((68 - 25 + 90 - 100 + 10 - 50 + 30 - 50) / 4)
    assert right[["candidates", "questions", "n"]].tolist() == [4, 3, 2]
    assert table.loc[(0, False), "value"] == pytest.approx(10)
    assert math.isnan(table.loc[(2, False), "low"])  # a single question
    assert (0, True) not in table.index


def test_tables_are_printed_with_intervals_counts_and_nulls(values):
    more = pd.concat([values, values[values["seed"] == 1].assign(seed=3)], ignore_index=True)
    read = candidates.format_heights(candidates.heights(more, bases=BASES), titles=TITLES)
    row = read[(read["k"] == "1") & (read["height"] == "1") & (read["candidate"] == "correct")].iloc[0]
    assert row["value (%)"] == "49.0"
    assert row["minus equal (points)"].startswith("-7.2 [")
    best = contrasts.format_best(contrasts.best(more, bases=BASES), titles=TITLES).iloc[0]
    assert best[["k", "candidates", "questions", "if all were equal (%)"]].tolist() == [
        "1",
        "1",
        "1",
        "100.0",
    ]
    told = contrasts.format_contrasts(contrasts.contrasts(more, bases=BASES), titles=TITLES)
    assert told.iloc[1][["measure", "questions", "seeds", "ours", "if values told nothing"]].tolist() == [
        "correct above incorrect (% of pairs)", "1", "3", "100.0", "50",
    ]  # fmt: skip
    curves = candidates.format_parallelism(candidates.parallelism(values), titles=TITLES)
    assert len(curves) == 2 * 3
    assert curves.iloc[0][["data set", "k", "best candidates", "percentile 50"]].tolist() == [
        "Data set", "1", "1", "68.0 (50.0)",
    ]  # fmt: skip


def test_both_ways_to_end_thoughts_have_accuracy_and_thoughts_by_seed():
    def ends(seed, fixed, stopped, ks):
        return pd.DataFrame(
            {"dataset": "d", "method": "coconut", "seed": seed, "question": range(4), "group": [0, 0, 1, 1],
             "fixed k": 3, "fixed right": fixed, "classifier k": ks, "classifier right": stopped}
        )  # fmt: skip

    table = thoughts.ending(
        pd.concat(
            [
                ends(1, [True, True, True, False], [True, False, True, False], [0, 1, 1, 2]),
                ends(2, [True, True, True, True], [True, True, True, False], [2, 2, 2, 2]),
            ]
        ),
        bases=BASES,
    )
    assert table[["way", "mean", "n", "thoughts"]].to_numpy().tolist() == [
        ["fixed", 87.5, 2, 3.0], ["classifier", 62.5, 2, 1.5],
    ]  # fmt: skip
    read = thoughts.format_ending(table, titles=TITLES)
    assert read[["method", "thoughts end", "seeds", "thoughts"]].to_numpy().tolist() == [
        ["Coconut", "at a fixed number", "2", "3.00"], ["Coconut", "by a classifier", "2", "1.50"],
    ]  # fmt: skip
    single = thoughts.ending(ends(1, [True] * 4, [False] * 4, [0] * 4), bases=BASES)
    assert thoughts.format_ending(single, titles=TITLES)["accuracy (%)"].tolist() == ["100.0", "0.0"]


def test_decoded_thoughts_are_one_row_each_with_the_most_likely_tokens_first():
    tokens = pd.DataFrame(
        {"dataset": "d", "method": "coconut", "seed": 1, "question": 0, "thought": [1, 1, 2],
         "rank": [1, 2, 1], "token": [" a", "b", "c"], "probability": [0.5, 0.25, 1.0]}
    )  # fmt: skip
    read = thoughts.format_decoded(thoughts.decoded(tokens), titles=TITLES)
    assert read[["thought", "likeliest tokens"]].to_numpy().tolist() == [
        ["1", "' a' 0.50, 'b' 0.25"], ["2", "'c' 1.00"],
    ]  # fmt: skip


def test_the_first_two_questions_of_every_run_are_printed_and_all_are_in_the_table():
    asked = [(1, 0), (1, 4), (1, 8), (2, 4), (2, 8), (2, 12)]
    tokens = pd.DataFrame(
        [{"dataset": "d", "method": "coconut", "seed": seed, "question": question, "thought": thought,
          "rank": 1, "token": "a", "probability": 1.0} for seed, question in asked for thought in (1, 2)]
    )  # fmt: skip
    table = thoughts.decoded(tokens)
    assert len(table) == 12
    read = thoughts.format_decoded(table, titles=TITLES)
    assert read[["seed", "question", "thought"]].to_numpy().tolist() == [
        [seed, question, thought]
        for seed, question in (("1", "0"), ("1", "4"), ("2", "4"), ("2", "8"))
        for thought in ("1", "2")
    ]
