"""Tables of answers with other thoughts, with numbers that are computed by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.conditions import CONTENTS
from coconut_study.report import inputs, interventions, results, scores
from coconut_study.report.scores import mean_of

from .examples import BASES, PAPER, ROWS, RULES, TITLES, answers

AT = ["thoughts", "content", "part", "later", "measure"]


def table_of(*rows):
    table = interventions.interventions(pd.concat(rows, ignore_index=True), bases=BASES)
    return table.set_index(["content", "measure"])


def test_a_forced_choice_is_the_share_of_the_right_option_and_escape_is_the_rest():
    found = interventions.measured(answers(1, 0, own=75, mean=40, escape=20))
    assert found["forced choice"].tolist() == pytest.approx([75, 40])
    assert found["escape"].tolist() == pytest.approx([20, 20])
    assert found["right answers"].tolist() == [100, 0]
    nothing = answers(1, 0, own=75, mean=40).assign(**{"p right": 0.0, "p wrong": 0.0})
    assert interventions.measured(nothing)["forced choice"].tolist() == [50, 50]


def test_an_answer_flips_where_its_forced_choice_falls_by_fifty_points_or_more():
    found = interventions.measured(answers(1, 0, own=87.5, mirror=37.5, twin=38, zero=0))
    assert found["flips"].tolist() == [0, 100, 0, 100]
    assert found["change"].tolist() == pytest.approx([0, -50, -49.5, -87.5])


def test_redirection_is_what_flips_beyond_another_question_with_the_same_answer():
    rows = [
        answers(1, 0, own=90, same_answer=90, mirror=10, mean=50),
        answers(1, 1, own=90, same_answer=20, mirror=10, mean=50),
        answers(1, 2, own=90, same_answer=80, mirror=80, mean=50),
        answers(1, 3, own=90, same_answer=30, mirror=80, mean=50),
    ]
    table = table_of(*rows)
    assert table.loc[("mirror", "flips"), "mean"] == 50
    assert table.loc[("same answer", "flips"), "mean"] == 50
    assert table.loc[("mirror", "redirection"), "mean"] == 0
    assert table_of(*rows[:3]).loc[("mirror", "redirection"), "mean"] == pytest.approx(100 / 3)
    assert ("mean", "redirection") not in table.index


def test_redirection_compares_answers_in_the_same_place_alone():
    elsewhere = answers(1, 0, thoughts="last", mirror=10)
    table = table_of(answers(1, 0, own=90, same_answer=90, mirror=10), elsewhere)
    redirected = table.loc[[("mirror", "redirection")]]
    assert redirected["thoughts"].tolist() == ["all"]


def test_every_measure_has_its_mean_and_interval_over_seeds_and_groups():
    rows = [
        answers(seed, question, group=question // 2, own=90 + seed, mean=60 + seed + 10 * (question // 2))
        for seed in (1, 2, 3)
        for question in range(4)
    ]
    row = table_of(*rows).loc[("mean", "forced choice")]
    assert row["mean"] == pytest.approx(60 + 2 + 5)
    assert row["low"] < 67 < row["high"]
    assert row[["n", "questions"]].tolist() == [3, 4]
    own = table_of(*rows).loc[("mean", "change")]  # the seeds differ by as much with both: groups alone vary
    assert own["mean"] == pytest.approx(-25)
    two = table_of(*rows[:8]).loc[("mean", "forced choice")]
    assert math.isnan(two["low"])


def test_nulls_are_what_would_be_if_thoughts_were_ignored_or_decided_alone():
    table = table_of(answers(1, 0, own=80, same_answer=70, mean=60, mirror=40, other_answer=30))
    choices = table.xs("forced choice", level="measure")
    assert choices["ignored"].tolist() == pytest.approx([80] * 5)
    assert choices["decided"].to_dict() == pytest.approx(
        {"own": 80, "same answer": 80, "mean": 50, "mirror": 20, "other answer": 20}
    )
    others = table.drop("forced choice", level="measure")
    assert others["decided"].isna().all()
    assert table.loc[("mirror", "flips"), "ignored"] == 0


def test_necessity_is_the_loss_with_mean_thoughts_question_by_question():
    rows = pd.concat(
        [answers(seed, question, own=90, mean=50 + 20 * question, removed=30 + 40 * question)
         for seed in (1, 2) for question in (0, 1)]
    )  # fmt: skip
    assert interventions.necessity(rows).to_numpy() == pytest.approx(np.array([[40, 20], [40, 20]]))
    assert interventions.without_thoughts(rows).to_numpy().tolist() == [[0, 100], [0, 100]]


def test_necessity_is_of_all_thoughts_as_a_whole():
    last = answers(1, 0, thoughts="last", mean=10)
    keys = answers(1, 0, part="keys", own=90, mean=20)
    whole = answers(1, 0, own=90, mean=70)
    assert interventions.necessity(pd.concat([last, keys, whole])).to_numpy() == pytest.approx(20)
    cached = answers(1, 0, part="both", own=90, mean=80)
    assert interventions.necessity(pd.concat([keys, cached])).to_numpy() == pytest.approx(10)
    assert interventions.necessity(answers(1, 0, part="steps", own=90, mirror=10)).empty


def test_a_model_that_ignores_its_thoughts_needs_none_of_them():
    """Its answers with mean thoughts differ from those with its own by chance alone."""
    rng = np.random.default_rng(5)
    asked = pd.concat(answers(seed, question, group=question // 2, own=50, mean=50)
                      for seed in range(4) for question in range(24))  # fmt: skip
    held, told = 0, 0
    for _ in range(40):
        questions, seeds = rng.normal(0, 0.1, 24), rng.normal(0, 0.03, 4)
        choice = 0.6 + questions[asked["question"]] + seeds[asked["seed"]] + rng.normal(0, 0.05, len(asked))
        rows = asked.assign(**{"p right": choice, "p wrong": 1 - choice})
        lost = mean_of(interventions.necessity(rows), BASES["coconut"])
        held += lost["low"] <= 0 <= lost["high"]
        worse = rows["p right"] - 0.05 * (rows["content"] == "mean")
        needs = interventions.necessity(rows.assign(**{"p right": worse, "p wrong": 1 - worse}))
        told += mean_of(needs, BASES["coconut"])["low"] > 0
    assert held >= 36
    assert told >= 36
    same = answers(1, 0, own=90, same_answer=90, mean=90, mirror=90)
    table = table_of(same)
    assert table.xs("change", level="measure")["mean"].eq(0).all()
    assert table.loc[("mirror", "redirection"), "mean"] == 0


def test_every_run_has_its_means():
    rows = pd.concat([answers(seed, question, own=90, mirror=10 * seed + 20 * question)
                      for seed in (1, 2) for question in (0, 1)])  # fmt: skip
    table = interventions.interventions_seeds(rows).set_index(["seed", "content"])
    assert table.loc[(1, "mirror"), ["forced choice", "flips", "right answers"]].tolist() == pytest.approx(
        [20, 100, 0]
    )
    assert table.loc[(2, "mirror"), "flips"] == 100


def test_every_content_that_runs_are_asked_with_says_something_of_the_answer():
    assert set(interventions.CONTENTS) == set(CONTENTS)
    assert len(interventions.CONTENTS) == sum(
        len(group) for group in (interventions.SAME, interventions.NOTHING, interventions.OPPOSITE)
    )


def test_a_condition_is_printed_in_one_row_with_its_nulls():
    rows = [answers(1, question, own=90, same_answer=90, mirror=10) for question in range(2)]
    table = interventions.interventions(pd.concat(rows), bases=BASES)
    read = interventions.format_interventions(table, titles=TITLES).set_index("become")
    mirror = read.loc["the mirror’s"]
    assert mirror[["method", "thoughts", "in their", "later thoughts"]].tolist() == [
        "Coconut", "all", "input", "kept",
    ]  # fmt: skip
    assert mirror[["forced choice (%)", "if ignored (%)", "if they decide (%)"]].tolist() == [
        "10.0", "90.0", "10.0",
    ]  # fmt: skip
    assert mirror[["flips (%)", "redirection (points)", "right answers (%)"]].tolist() == [
        "100.0", "100.0", "0.0",
    ]  # fmt: skip
    assert read.loc["its own", "redirection (points)"] == "–"


def test_contents_are_printed_by_what_they_say_place_by_place():
    rows = [answers(1, 0, mirror=10, mean=50, own=90), answers(1, 0, thoughts="last", mirror=10, mean=50)]
    table = interventions.interventions(pd.concat(rows), bases=BASES)
    read = interventions.format_interventions(table, titles=TITLES)
    assert read[["thoughts", "become"]].to_numpy().tolist() == [
        ["all", "its own"], ["all", "mean of others"], ["all", "the mirror’s"],
        ["last", "mean of others"], ["last", "the mirror’s"],
    ]  # fmt: skip


# -------------------------------------------------------------------------------------- beside accuracy


@pytest.fixture
def asked(grades):
    """A main table with what Coconut answers without its thoughts."""

    def make(replaced):
        counts = scores.by_group(grades)
        return results.main(counts, replaced, RULES, PAPER, rows=ROWS, worked=95, bases=BASES)

    return make


def test_the_main_table_has_necessity_of_the_methods_with_thoughts(asked):
    rows = [answers(seed, question, own=90, mean=55 + 5 * question, removed=80 - 40 * question)
            for seed in (1, 2, 3) for question in (0, 1)]  # fmt: skip
    table = asked(pd.concat(rows)).set_index("method")
    coconut = table.loc["coconut"]
    assert coconut["necessity"] == pytest.approx(32.5)
    assert coconut["necessity low"] < 32.5 < coconut["necessity high"]
    assert coconut["without thoughts"] == 50
    assert table.loc[["cot", "shortcut: coin"], ["necessity", "without thoughts"]].isna().all(axis=None)
    read = results.format_main(table.reset_index(), titles=TITLES).set_index("method")
    assert read.loc["Coconut", "necessity (points)"].startswith("32.5 [")
    assert read.loc["CoT", ["necessity (points)", "without thoughts (%)"]].tolist() == ["–", "–"]


def test_a_main_table_without_interventions_shows_no_columns_of_them(asked):
    read = results.format_main(asked(answers(1, 0)), titles=TITLES)
    assert not any("necessity" in name or "without" in name for name in read)


def test_a_question_without_its_own_thoughts_is_refused(tmp_path):
    rows = pd.concat([answers(1, 0, own=90, mean=50), answers(1, 1, mean=50)])
    rows.to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(StudyError, match=r"one.csv: has no row of question 1 with content own; expected one"):
        inputs.interventions({"d/coconut/seed1": tmp_path / "one.csv"})


def test_thoughts_are_read_by_their_names(tmp_path):
    rows = pd.concat([answers(1, 0, own=90), answers(1, 0, thoughts="1", mean=50)])
    rows.to_csv(tmp_path / "one.csv", index=False)
    read = inputs.interventions({"d/coconut/seed1": tmp_path / "one.csv"})
    assert read["thoughts"].tolist() == ["all", "1"]
