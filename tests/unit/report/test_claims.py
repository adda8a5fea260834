"""The paper claim by claim, by hand, and the shipped numbers."""

import math
from pathlib import Path

import pandas as pd
import pytest
import yaml

from coconut_study.report import claims, intervals

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "paper_numbers.yaml"
NAMES = {"prosqa": "ProsQA", "gsm8k": "GSM8k", "cot": "CoT", "no_cot": "No-CoT", "coconut": "Coconut"}
STAND_INS = {
    "datasets": {"prosqa": ["ours"]},
    "methods": {"cot": ["cot"], "coconut": ["coconut"], "no_cot": ["no_cot"]},
    "trained": {"ours cot": 0, "ours no_cot": 0, "ours coconut": 2, "second cot": 0, "second coconut": 3},
}
TITLES = {"ours": "Our set", "second": "Our second set"}
MISSING = ["ours", "low", "high", "difference"]


def measured(*rows):
    columns = ["dataset", "method", "seed", "k", "measure", "value"]
    return pd.DataFrame(list(rows), columns=columns)


def runs(method, values, k=0, measure=intervals.ANSWER, dataset="ours", seeds=None):
    seeds = seeds or range(1, len(values) + 1)
    return [(dataset, method, seed, k, measure, value) for seed, value in zip(seeds, values, strict=True)]


def paper(accuracy=None, seconds=None, claims=()):
    return {"names": NAMES, "accuracy": accuracy or {}, "seconds": seconds or {}, "claims": list(claims)}


def only(table):
    (row,) = table.to_dict("records")
    return row


# --------------------------------------------------------------------------------------------- numbers


def number(values, said, **more):
    reported = {"accuracy": said, "reference": "Table 1"} | more
    return only(
        claims.compare(measured(*runs("cot", values)), paper({"prosqa": {"cot": reported}}), STAND_INS)
    )


def test_a_number_has_ours_with_its_interval_and_the_difference():
    row = number([70, 80, 90], 77.5, sd=1.9)
    mean, low, high, n = intervals.interval([70, 80, 90])
    assert row == {
        "claim": "CoT on ProsQA: accuracy",
        "reference": "Table 1",
        "dataset": "ours",
        "paper": 77.5,
        "ours": mean,
        "low": pytest.approx(low),
        "high": pytest.approx(high),
        "n": n,
        "difference": pytest.approx(2.5),
        "holds": "yes",
    }


@pytest.mark.parametrize(
    ("values", "said", "sd", "holds"),
    [
        ([79, 80, 81], 81, None, "yes"),  # 77.5 to 82.5 holds 81
        ([79, 80, 81], 83, None, "no"),
        ([79, 80, 81], 83, 3.0, "yes"),  # 83 ± 3 holds 80
        ([79, 80, 81], 83, 2.9, "no"),
        ([79, 80, 81], 77, 3.0, "yes"),
        ([80, 80], 80, None, "yes"),
        ([80, 80], 80.1, None, "no"),
        ([80], 80, 1.0, "open"),
        ([0], 80, 1.0, "open"),
        ([], 80, 1.0, "not run"),
    ],
)
def test_a_number_holds_where_either_interval_holds_the_other(values, said, sd, holds):
    assert number(values, said, sd=sd)["holds"] == holds


def test_the_deviation_of_the_paper_is_that_of_accuracy_and_not_of_tokens():
    table = claims.compare(
        measured(*runs("cot", [79, 80, 81]), *runs("cot", [49, 50, 51], measure="tokens")),
        paper({"prosqa": {"cot": {"accuracy": 83, "sd": 3.0, "tokens": 53, "reference": "Table 1"}}}),
        STAND_INS,
    )
    assert table[["claim", "paper", "ours", "holds"]].to_numpy().tolist() == [
        ["CoT on ProsQA: accuracy", 83, 80, "yes"],
        ["CoT on ProsQA: tokens", 53, 50, "no"],
    ]


def test_a_number_the_paper_does_not_give_is_no_claim():
    said = {"accuracy": 80, "sd": None, "reference": "Table 5"}
    table = claims.compare(measured(*runs("cot", [80])), paper({"prosqa": {"cot": said}}), STAND_INS)
    assert table["claim"].tolist() == ["CoT on ProsQA: accuracy"]


def test_numbers_are_those_at_the_number_of_thoughts_a_run_was_trained_for():
    values = [*runs("coconut", [10, 12], k=0), *runs("coconut", [90, 92], k=2), *runs("coconut", [1], k=3)]
    said = {"prosqa": {"coconut": {"accuracy": 91, "reference": "Table 1"}}}
    row = only(claims.compare(measured(*values), paper(said), STAND_INS))
    assert (row["ours"], row["n"], row["holds"]) == (91, 2, "yes")


def test_seconds_are_compared_as_they_are():
    values = runs("coconut", [0.25, 0.35], k=2, measure="seconds")
    table = claims.compare(
        measured(*values), paper(seconds={"prosqa": {"coconut": 0.15, "cot": 0.47}}), STAND_INS
    )
    one, two = table.to_dict("records")
    assert one["claim"] == "Coconut on ProsQA: seconds per question"
    assert (one["reference"], one["paper"], one["ours"]) == ("Table 4", 0.15, pytest.approx(0.3))
    assert (two["claim"], two["holds"]) == ("CoT on ProsQA: seconds per question", "not run")


# ----------------------------------------------------------------------------------------- comparisons


def above(more, less, dataset="prosqa"):
    return {"claim": "more is more", "reference": "Figure 1", "dataset": dataset, "more": more, "less": less}


COCONUT_OVER_COT = above({"method": "coconut"}, {"method": "cot"})


def compared(*values, claim=COCONUT_OVER_COT, accuracy=None, seconds=None, stand_ins=STAND_INS):
    return claims.compare(measured(*values), paper(accuracy, seconds, [claim]), stand_ins)


@pytest.mark.parametrize(
    ("coconut", "cot", "holds"),
    [
        ([90, 92, 94], [80, 81, 82], "yes"),
        ([80, 81, 82], [90, 92, 94], "no"),
        ([90, 70, 80], [80, 80, 80], "open"),
        ([81, 82, 80], [80, 80, 80], "open"),  # 1 point, -1.5 to 3.5
        ([80, 80, 80], [81, 82, 80], "open"),
        ([80, 80], [80, 80], "open"),
        ([90], [80], "open"),
        ([80], [90], "open"),
        ([], [80, 80], "not run"),
        ([90, 90], [], "not run"),
        ([], [], "not run"),
    ],
)
def test_a_comparison_is_decided_by_the_interval_of_the_difference(coconut, cot, holds):
    values = [*runs("coconut", coconut, k=2), *runs("cot", cot)] or [("x", "x", 0, 0, "x", 0.0)]
    (row,) = compared(*values)["holds"]
    assert row == holds


def test_comparisons_are_made_seed_by_seed():
    """Seeds that differ by 10 points, and a method that is 2 and 3 and 4 points better on each."""
    row = only(compared(*runs("coconut", [72, 83, 94], k=2), *runs("cot", [70, 80, 90])))
    mean, low, high, n = intervals.interval([2, 3, 4])
    assert (row["ours"], row["low"], row["high"], row["n"]) == pytest.approx((mean, low, high, n))
    assert row["holds"] == "yes"
    apart = intervals.interval([72, 83, 94]).low - intervals.interval([70, 80, 90]).high
    assert apart < 0  # unpaired it would not be decided


def test_seeds_that_one_side_lacks_are_left_out():
    values = [
        *runs("coconut", [90, 92, 10], k=2, seeds=[1, 2, 3]),
        *runs("cot", [5, 80, 81], seeds=[4, 2, 1]),
    ]
    row = only(compared(*values))
    assert (row["ours"], row["n"]) == (pytest.approx((90 - 81 + 92 - 80) / 2), 2)
    apart = only(compared(*runs("coconut", [90, 91], k=2, seeds=[1, 2]), *runs("cot", [1, 2], seeds=[3, 4])))
    assert (apart["n"], apart["holds"], apart["dataset"]) == (0, "not run", "ours")


def test_a_claim_may_speak_of_a_number_of_thoughts_and_otherwise_of_the_last():
    values = [*runs("coconut", [90, 92], k=2), *runs("coconut", [60, 61], k=0), *runs("coconut", [1, 2], k=1)]
    more, less = {"method": "coconut"}, {"method": "coconut", "k": 0}
    row = only(compared(*values, claim=above(more, less)))
    assert (row["ours"], row["n"], row["holds"]) == (pytest.approx(30.5), 2, "yes")
    swapped = only(compared(*values, claim=above(less, more)))
    assert (swapped["ours"], swapped["holds"]) == (pytest.approx(-30.5), "no")


def test_a_claim_may_speak_of_any_measure():
    values = [
        *runs("coconut", [5, 6], k=2, measure="hallucination"),
        *runs("coconut", [30, 32], k=0, measure="hallucination"),
        *runs("coconut", [100, 100], k=2),
    ]
    more = {"method": "coconut", "k": 0, "measure": "hallucination"}
    less = {"method": "coconut", "measure": "hallucination"}
    row = only(compared(*values, claim=above(more, less)))
    assert (row["ours"], row["holds"]) == (pytest.approx(25.5), "yes")


def test_the_difference_of_the_paper_is_there_where_its_tables_have_both_sides():
    accuracy = {"prosqa": {"coconut": {"accuracy": 97.0, "tokens": 14.2, "reference": "Table 1"},
                           "cot": {"accuracy": 77.5, "tokens": 49.4, "reference": "Table 1"}}}  # fmt: skip
    seconds = {"prosqa": {"cot": 0.47, "coconut": 0.15}}
    values = [*runs("coconut", [90, 92], k=2), *runs("cot", [80, 80])]

    def said(more, less):
        table = compared(*values, claim=above(more, less), accuracy=accuracy, seconds=seconds)
        return table.iloc[0]["paper"]

    one, other = {"method": "coconut"}, {"method": "cot"}
    assert said(one, other) == pytest.approx(19.5)
    assert said(other | {"measure": "tokens"}, one | {"measure": "tokens"}) == pytest.approx(35.2)
    assert said(other | {"measure": "seconds"}, one | {"measure": "seconds"}) == pytest.approx(0.32)
    assert math.isnan(said(one, one | {"k": 0}))
    assert math.isnan(said(one | {"measure": "hallucination"}, other | {"measure": "hallucination"}))
    assert math.isnan(said(one, {"method": "no_cot"}))


def test_two_of_our_data_sets_for_one_of_the_papers_give_two_rows():
    two = STAND_INS | {"datasets": {"prosqa": ["ours", "second"]}}
    values = [*runs("coconut", [90, 92], k=2), *runs("cot", [80, 81])]
    values += [*runs("coconut", [50, 51], k=3, dataset="second"), *runs("cot", [70, 74], dataset="second")]
    accuracy = {"prosqa": {"cot": {"accuracy": 77.5, "reference": "Table 1"}}}
    table = compared(*values, accuracy=accuracy, stand_ins=two)
    assert table[["claim", "dataset", "ours", "holds"]].to_numpy().tolist() == [
        ["more is more", "ours", 10.5, "yes"],
        ["more is more", "second", -21.5, "no"],
        ["CoT on ProsQA: accuracy", "ours", 80.5, "yes"],
        ["CoT on ProsQA: accuracy", "second", 72, "yes"],
    ]
    read = claims.format_claims(table, titles=TITLES)
    assert read["our data set"].tolist() == ["Our set", "Our second set"] * 2


def test_a_data_set_that_one_side_lacks_is_not_run():
    two = STAND_INS | {"datasets": {"prosqa": ["ours", "second"]}}
    values = [*runs("coconut", [90, 91], k=2), *runs("coconut", [90, 91], k=3, dataset="second")]
    table = compared(*values, *runs("cot", [80, 80]), stand_ins=two)
    assert table[["dataset", "holds"]].to_numpy().tolist() == [["ours", "yes"], ["second", "not run"]]


# ---------------------------------------------------------------------------------------------- not run


@pytest.mark.parametrize(
    "stand_ins",
    [
        STAND_INS | {"datasets": {}},
        STAND_INS | {"methods": {}},
        STAND_INS | {"trained": {}},
    ],
)
def test_what_was_not_run_is_missing_and_never_zero(stand_ins):
    accuracy = {"prosqa": {"cot": {"accuracy": 77.5, "sd": 1.9, "reference": "Table 1"}}}
    table = compared(
        *runs("coconut", [90, 92], k=2), *runs("cot", [80, 81]), accuracy=accuracy, stand_ins=stand_ins
    )
    assert table["holds"].tolist() == ["not run", "not run"]
    assert table["n"].tolist() == [0, 0]
    assert table[MISSING].isna().all(axis=None)
    read = claims.format_claims(table, titles=TITLES)
    assert read["ours [95 % interval]"].tolist() == ["–", "–"]
    assert read["difference"].tolist() == ["–", "–"]
    assert read["our data set"].tolist() == ["–", "–"]
    assert read["paper"].tolist() == ["–", "77.50"]


def test_a_single_seed_is_shown_without_an_interval():
    table = compared(*runs("coconut", [90], k=2), *runs("cot", [80]))
    read = claims.format_claims(table, titles=TITLES).to_dict("records")
    assert read == [
        {"claim": "more is more", "where": "Figure 1", "our data set": "Our set", "paper": "–",
         "ours [95 % interval]": "10.00", "n": "1", "difference": "–", "holds": "open"}
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ measurements


def test_grades_times_and_probes_are_measured_in_long_form():
    grades = pd.DataFrame(
        {"dataset": "ours", "method": "cot", "seed": 1, "k": 0, "question": [0, 1],
         "outcome": ["correct path", "hallucination"], "right": [True, False], "right number": None,
         "tokens": [4, 6], "finished": True}
    )  # fmt: skip
    times = pd.DataFrame(
        {"dataset": "ours", "method": "cot", "seed": 1, "k": 0, "batch size": [1, 8], "questions": [10, 10],
         "seconds": [5.0, 1.0]}
    )  # fmt: skip
    values = pd.DataFrame(
        {"dataset": "ours", "method": "coconut", "seed": 1, "k": 1, "question": [0, 0, 1, 1],
         "value": [0.75, 0.25, 0.5, 0.125], "correct": [True, False, False, True]}
    )  # fmt: skip
    found = claims.measurements(intervals.by_run(grades), times, values)
    assert list(found.columns) == ["dataset", "method", "seed", "k", "measure", "value"]
    number = found.set_index(["method", "measure"])["value"]
    assert number["cot", intervals.ANSWER] == 50
    assert number["cot", "hallucination"] == 50
    assert number["cot", "tokens"] == 5
    assert number["cot", "seconds"] == 0.5
    assert number["coconut", "largest value"] == pytest.approx((0.75 + 0.5) / 2)
    assert number["coconut", "value of correct"] == pytest.approx((0.75 + 0.125) / 2)
    assert number["coconut", "value of incorrect"] == pytest.approx((0.25 + 0.5) / 2)
    alone = claims.measurements(intervals.by_run(grades), times[:0], values[:0])
    assert set(alone["measure"]) == {*intervals.MEASURES, intervals.VALUE, "tokens"}


# --------------------------------------------------------------------------------------------- shipped


@pytest.fixture(scope="module")
def shipped():
    return yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


def points(shipped):
    return [(claim["dataset"], claim[side]) for claim in shipped["claims"] for side in ("more", "less")]


def test_everything_the_paper_is_asked_about_has_a_name(shipped):
    named = {*shipped["accuracy"], *shipped["seconds"]}
    named |= {
        method for table in ("accuracy", "seconds") for row in shipped[table].values() for method in row
    }
    named |= {name for dataset, point in points(shipped) for name in (dataset, point["method"])}
    assert named - set(shipped["names"]) == set()
    assert len(set(shipped["names"].values())) == len(shipped["names"])


def test_table_1_is_complete(shipped):
    rows = {
        (dataset, method): row
        for dataset, methods in shipped["accuracy"].items()
        for method, row in methods.items()
        if row["reference"] == "Table 1"
    }
    methods = ("cot", "no_cot", "icot", "pause_token", "coconut", "without_curriculum", "without_thought",
               "pause_as_thought")  # fmt: skip
    assert set(rows) == {(d, m) for d in ("gsm8k", "prontoqa", "prosqa") for m in methods}
    for key, row in rows.items():
        assert 0 < row["accuracy"] <= 100, key
        assert row["tokens"] > 0, key
        assert row["sd"] is not None or key == ("gsm8k", "icot")


def test_shipped_claims_speak_of_what_is_measured(shipped):
    known = {
        *intervals.MEASURES,
        "tokens",
        "seconds",
        "largest value",
        "value of correct",
        "value of incorrect",
    }
    for _, point in points(shipped):
        assert set(point) <= {"method", "k", "measure"}
        assert point.get("measure", intervals.ANSWER) in known
    assert all(claim["reference"] for claim in shipped["claims"])
    assert len({claim["claim"] for claim in shipped["claims"]}) == len(shipped["claims"])


def test_the_papers_own_numbers_do_not_contradict_its_claims(shipped):
    nothing = measured(("x", "x", 0, 0, "x", 0.0))
    table = claims.compare(nothing, shipped, {"datasets": {}, "methods": {}, "trained": {}})
    said = table[table["claim"].isin([claim["claim"] for claim in shipped["claims"]])]
    assert len(said) == len(shipped["claims"])
    assert (said["paper"].dropna() > 0).all()
    assert (table["holds"] == "not run").all()
