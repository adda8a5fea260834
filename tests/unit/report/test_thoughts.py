"""Summaries of candidates' values, and that their figures show them."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.report import figures, thought_figures, thoughts

TITLES = {"d": "Data", "coconut": "Coconut"}


def rows(seed, k, question, *candidates):
    """One row a candidate, each given as (height, correct, value)."""
    return pd.DataFrame(
        [
            {"dataset": "d", "method": "coconut", "seed": seed, "k": k, "question": question, "node": f"n{i}",
             "height": height, "correct": correct, "value": value}
            for i, (height, correct, value) in enumerate(candidates)
        ]
    )  # fmt: skip


@pytest.fixture
def values():
    return pd.concat(
        [
            rows(seed, k, question, *shape)
            for seed in (1, 2)
            for k in (1, 2)
            for question, shape in enumerate(
                [
                    [(0, False, 0.1), (1, True, 0.5 + 0.12 * seed), (1, False, 0.05), (2, False, 0.1)],
                    [(1, True, 0.9)],
                    [(1, True, 0.1), (1, True, 0.3)],
                ]
            )
        ],
        ignore_index=True,
    )


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
    table = thoughts.by_height(values).set_index(["k", "height", "correct"]).loc[1]
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
        found = thoughts.by_height(drawn).iloc[0]
        covered.append(found["low"] <= 0.5 <= found["high"])
    assert 0.9 < np.mean(covered) < 0.985  # candidates taken as independent would cover 0.69


def test_tables_are_printed_with_intervals_and_counts(values):
    read = thoughts.show_heights(thoughts.by_height(values), TITLES)
    assert read.columns.tolist() == [
        "data set", "method", "k", "height", "candidate", "value", "single seeds", "candidates", "questions",
    ]  # fmt: skip
    row = read[(read["k"] == "1") & (read["height"] == "1") & (read["candidate"] == "correct")].iloc[0]
    assert row["value"].startswith("0.495 [")
    assert row["single seeds"] == "0.480 to 0.510"
    curves = thoughts.show_parallelism(thoughts.parallelism(values), TITLES)
    assert len(curves) == 2 * 3
    assert curves.iloc[0][["data set", "k", "best candidates", "percentile 50"]].tolist() == [
        "Data", "1", "1", "0.680",
    ]  # fmt: skip


def test_figures_show_every_k_and_every_count(values, tmp_path):
    curves = thought_figures.parallelism(thoughts.parallelism(values))
    means = thought_figures.heights(thoughts.by_height(values))
    for figure in (curves, means):
        assert [axis.get_title() for axis in figure.axes] == ["After 1 thought", "After 2 thoughts"]
    assert [text.get_text() for text in means.axes[0].texts] == ["4", "1", "1", "1"]
    figures.save(curves, tmp_path / "parallelism.svg")
    figures.save(means, tmp_path / "heights.svg")
    assert len(list(tmp_path.iterdir())) == 6


def test_the_search_tree_shows_what_the_root_leads_to_with_its_values_and_the_other_option(question):
    found = pd.DataFrame(
        {"k": [1, 1, 2], "node": ["lempus", "dumpus", "rompus"], "value": [0.333, 0.5, 0.0004]}
    )
    figure = thought_figures.tree(question, found)
    labels = {text.get_text() for text in figure.axes[0].texts}
    assert labels == {"Alex", "lempus\n0.33", "dumpus\n0.50", "rompus\n4e-4", "impus", "gorpus"}
