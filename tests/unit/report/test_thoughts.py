"""Tables of what thoughts hold."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.report import thoughts

from .examples import TITLES, rows


def curve(table, top):
    return table[(table["k"] == 1) & (table["top"] == top)].set_index("percentile")["value"]


def test_curves_hold_the_best_candidates_summed_and_each_is_sorted_on_its_own(values):
    table = thoughts.parallelism(values)
    best, two, three = (curve(table, top) for top in (1, 2, 3))
    # Questions by their best (seed 1 or 2): 0.3, 0.62 or 0.74, 0.9; by two: 0.4, 0.72 or 0.84, 0.9.
    assert best[[0.0, 0.5, 1.0]].tolist() == pytest.approx([0.3, 0.68, 0.9])
    assert two[[0.0, 0.5, 1.0]].tolist() == pytest.approx([0.4, 0.78, 0.9])
    assert three[[0.0, 0.5, 1.0]].tolist() == pytest.approx([0.4, 0.86, 0.92])
    for held in (best, two, three):
        assert (held.diff().dropna() >= 0).all()
    assert (best <= two).all()
    assert (two <= three).all()
    assert set(table["seeds"]) == {2}


def test_means_are_over_candidates_and_tell_seeds_apart(values):
    table = thoughts.heights(values).set_index(["k", "height", "correct"]).loc[1]
    right = table.loc[(1, True)]
    assert right["mean"] == pytest.approx((0.68 + 0.9 + 0.1 + 0.3) / 4)
    assert right[["candidates", "n", "seeds"]].tolist() == [4, 3, 2]
    assert right["lowest seed"] == pytest.approx((0.62 + 0.9 + 0.1 + 0.3) / 4)
    assert right["highest seed"] == pytest.approx((0.74 + 0.9 + 0.1 + 0.3) / 4)
    assert table.loc[(0, False), "mean"] == pytest.approx(0.1)
    assert math.isnan(table.loc[(2, False), "low"])  # a single question
    assert (0, True) not in table.index


def test_an_interval_over_questions_has_its_level_where_candidates_depend_on_one_another():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        sizes, levels = rng.integers(1, 6, 30), rng.uniform(0.2, 0.8, 30)
        drawn = pd.concat(
            [
                rows(1, 1, question, *[(1, True, level)] * size)
                for question, (size, level) in enumerate(zip(sizes, levels, strict=True))
            ]
        )
        found = thoughts.heights(drawn).iloc[0]
        covered.append(found["low"] <= 0.5 <= found["high"])
    assert 0.9 < np.mean(covered) < 0.985  # candidates taken as independent would cover 0.69


def test_tables_are_printed_with_intervals_and_counts(values):
    read = thoughts.format_heights(thoughts.heights(values), titles=TITLES)
    assert read.columns.tolist() == [
        "data set", "method", "k", "height", "candidate", "value", "single seeds", "candidates", "questions",
    ]  # fmt: skip
    row = read[(read["k"] == "1") & (read["height"] == "1") & (read["candidate"] == "correct")].iloc[0]
    assert row["value"].startswith("0.495 [")
    assert row["single seeds"] == "0.480 to 0.510"
    curves = thoughts.format_parallelism(thoughts.parallelism(values), titles=TITLES)
    assert len(curves) == 2 * 3
    assert curves.iloc[0][["data set", "k", "best candidates", "percentile 50"]].tolist() == [
        "Data set", "1", "1", "0.680",
    ]  # fmt: skip


def test_both_ways_to_end_thoughts_have_accuracy_and_thoughts_by_seed():
    def ends(seed, fixed, stopped, ks):
        return pd.DataFrame(
            {"dataset": "d", "method": "coconut", "seed": seed, "question": range(4), "fixed k": 3,
             "fixed right": fixed, "classifier k": ks, "classifier right": stopped}
        )  # fmt: skip

    table = thoughts.ending(
        pd.concat(
            [
                ends(1, [True, True, True, False], [True, False, True, False], [0, 1, 1, 2]),
                ends(2, [True, True, True, True], [True, True, True, False], [2, 2, 2, 2]),
            ]
        )
    )
    assert table[["way", "mean", "n", "thoughts"]].to_numpy().tolist() == [
        ["fixed", 87.5, 2, 3.0], ["classifier", 62.5, 2, 1.5],
    ]  # fmt: skip
    read = thoughts.format_ending(table, titles=TITLES)
    assert read[["method", "thoughts end", "seeds", "thoughts"]].to_numpy().tolist() == [
        ["Coconut", "at a fixed number", "2", "3.00"], ["Coconut", "by a classifier", "2", "1.50"],
    ]  # fmt: skip
    single = thoughts.ending(ends(1, [True] * 4, [False] * 4, [0] * 4))
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
