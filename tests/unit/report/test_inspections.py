"""Tables of linear probes, of attention and of removed directions, by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from coconut_study.report.attention import ALL, FRONTIER, LEADING, MU, NEXT, attention, format_attention
from coconut_study.report.linear import format_linear, linear
from coconut_study.report.removal import BEYOND, format_removal, removal

from .examples import BASES, TITLES

RUN = {"dataset": "d", "method": "coconut"}


# ------------------------------------------------------------------------------------------------ linear


def read(seed, own, other=(0.5, 0.5, 0.5), label="within 1", thoughts=1):
    """The areas under the curve of three nodes, with own labels and with those of another question."""
    cells = [("own", own), ("other", other)]
    return pd.DataFrame(
        [
            RUN | {"seed": seed, "model": "trained", "thoughts": thoughts, "label": label, "labels": labels}
            | {"node": f"n{i}", "questions": 8, "auc": auc}
            for labels, aucs in cells
            for i, auc in enumerate(aucs)
        ]
    )  # fmt: skip


def test_a_run_is_scored_by_the_median_over_nodes():
    runs = [read(1, (0.7, 0.8, 1.0)), read(2, (0.6, 0.9, 0.7)), read(3, (0.9, 0.9, 0.0), (0.5, 0.6, 0.9))]
    (row,) = linear(pd.concat(runs), bases=BASES).itertuples()
    assert row.mean == pytest.approx((80 + 70 + 90) / 3)
    assert row.selectivity == pytest.approx((30 + 20 + 30) / 3)
    assert row.low < row.mean < row.high
    assert (row.nodes, row.n) == (3, 3)


def test_seeds_with_one_base_model_count_as_one_where_there_are_several():
    shared = {"coconut": {1: "a", 2: "a", 3: "b", 4: "c"}}
    runs = [read(seed, (auc,) * 3) for seed, auc in ((1, 0.6), (2, 0.8), (3, 0.9), (4, 0.5))]
    (row,) = linear(pd.concat(runs), bases=shared).itertuples()
    assert (row.mean, row.n) == (pytest.approx(70), 3)


def test_the_printed_table_has_two_columns_for_each_label():
    runs = pd.concat(
        [read(1, (0.7, 0.8, 1.0)), read(1, (1.0,), (0.5,), "winner"), read(1, (1.0,) * 3, thoughts=2)]
    )
    text = format_linear(linear(runs, bases=BASES), titles=TITLES)
    assert text.columns.tolist()[-4:] == [
        "within 1",
        "within 1, selectivity",
        "winner",
        "winner, selectivity",
    ]
    assert text["within 1"].tolist() == ["80", "100"]
    assert text["winner, selectivity"].tolist() == ["50", "–"]


# --------------------------------------------------------------------------------------------- attention


def given(seed, scores, shares=None):
    """One layer and one thought of two heads in four groups: `scores` of facts with a reached head, by head
    and group (others have -1), and the attention that kinds of facts get."""
    shares = shares or {"reached": 0.2, "frontier": 0.3, "next": 0.35, "other": 0.1}
    return pd.DataFrame(
        [
            RUN | {"seed": seed, "model": "trained", "group": group, "thought": 1, "layer": 1}
            | {"head": head + 1, "facts": kind, "questions": 1, "attention": share}
            | {"score": scores[head][group] if kind == "reached" else -1.0}
            for head, group, (kind, share) in product(range(2), range(4), shares.items())
        ]
    )  # fmt: skip


def means_of(table, heads):
    return table[table["heads"] == heads].set_index("measure")["mean"]


def test_measures_are_differences_between_kinds_of_facts():
    found = means_of(attention(given(1, [[1, 1, 1, 1], [3, 3, 3, 3]]), bases=BASES), ALL)
    assert found[MU] == pytest.approx(3)  # the mean of 2 and 4
    assert found[FRONTIER] == pytest.approx(20)
    assert found[NEXT] == pytest.approx(5)


def test_the_leading_head_is_chosen_on_other_groups_than_it_is_measured_on():
    # head 1 leads on the even groups, head 2 on the odd ones
    table = attention(given(1, [[9, 0, 9, 0], [0, 5, 0, 5]]), bases=BASES)
    assert means_of(table, LEADING)[MU] == pytest.approx(1)


def test_every_run_has_its_own_leading_head():
    runs = [given(1, [[9] * 4, [0] * 4]), given(2, [[0] * 4, [9] * 4]), given(3, [[9] * 4, [0] * 4])]
    table = attention(pd.concat(runs), bases=BASES)
    assert means_of(table, LEADING)[MU] == pytest.approx(10)
    assert means_of(table, ALL)[MU] == pytest.approx(5.5)
    assert set(table["n"]) == {3}


def test_a_measure_that_no_question_has_is_left_out():
    shares = {"reached": 0.2, "frontier": 0.3, "other": 0.1}
    table = attention(given(1, [[1] * 4] * 2, shares), bases=BASES)
    assert set(table["measure"]) == {MU, FRONTIER}
    assert set(format_attention(table, titles=TITLES)["next minus frontier (points)"]) == {"–"}


# ----------------------------------------------------------------------------------------------- removal


def without(seed, **shares):
    """The share of the right option of four questions in two groups, by what is removed from thought 1."""
    return pd.DataFrame(
        [
            RUN | {"seed": seed, "question": question, "group": question // 2, "thought": 1}
            | {"removed": what, "p right": share / 2, "p wrong": (1 - share) / 2}
            for what, by_question in shares.items()
            for question, share in enumerate(by_question)
            if not np.isnan(share)
        ]
    )  # fmt: skip


def test_the_change_is_that_of_the_forced_choice_on_the_same_questions():
    runs = [
        without(seed, none=[0.9] * 4, path=[0.1, 0.3, 0.5, 0.7], random=[0.9, 0.9, 0.8, 0.8],
                sibling=[np.nan, np.nan, 0.85, 0.95])
        for seed in (1, 2, 3)
    ]  # fmt: skip
    found = removal(pd.concat(runs), bases=BASES, margin=3).set_index("removed")
    assert found["mean"].to_dict() == pytest.approx({"path": -50, "sibling": 0, "random": -5, BEYOND: -45})
    assert found["questions"].to_dict() == {"path": 4, "sibling": 2, "random": 4, BEYOND: 4}
    assert found.loc["path", "low"] < -50 < found.loc["path", "high"]


def test_a_run_on_which_nothing_rests_changes_by_nothing():
    runs = [without(seed, none=[0.5] * 4, path=[0.5] * 4, random=[0.5] * 4) for seed in (1, 2, 3)]
    text = format_removal(removal(pd.concat(runs), bases=BASES, margin=3), titles=TITLES)
    assert text["change of T (points)"].tolist() == ["0.0 [0.0, 0.0]"] * 3


def verdicts(margin=3.0, seeds=(1, 2, 3)):
    """What is said of a direction whose removal takes 78 to 82 points, and of one that takes 1.5 or 2.5."""
    runs = [
        without(seed, none=[0.9] * 4, path=[0.08 + 0.01 * seed] * 4, random=[0.885, 0.885, 0.875, 0.875])
        for seed in seeds
    ]
    table = removal(pd.concat(runs), bases=BASES, margin=margin)
    return table.set_index("removed")["verdict"].to_dict()


def test_a_change_is_within_the_margin_only_if_equivalence_is_shown():
    assert verdicts(margin=10) == {"path": "changes", "random": "within the margin", BEYOND: "changes"}
    assert verdicts(margin=1)["random"] == "undecided"  # two groups do not tell 2 from 0, nor from 1
    assert set(verdicts(margin=10, seeds=(1, 2)).values()) == {"undecided"}


def test_changes_are_adjusted_for_all_rows_of_a_data_set():
    runs = [without(seed, none=[0.9] * 4, path=[0.1 * seed] * 4, random=[0.8] * 4) for seed in (1, 2, 3)]
    table = removal(pd.concat(runs), bases=BASES, margin=3).set_index("removed")
    assert table.loc["path", "adjusted"] > table.loc["path", "p"] > 0
