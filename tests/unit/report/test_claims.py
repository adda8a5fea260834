"""The paper claim by claim, on planted studies with a known truth."""

import math

import numpy as np
import pandas as pd
import pytest

from coconut_study.evaluation.columns import CLOCK, ENDING, INTERVENTIONS, VALUES
from coconut_study.report import claims, scores, sides
from coconut_study.report.intervals import FIXED, estimate
from coconut_study.report.stand_ins import LAST_PATH

pytestmark = pytest.mark.usefixtures("collected")
NAMES = {"prosqa": "ProsQA", "cot": "CoT", "coconut": "Coconut"}
GPT2 = "openai-community/gpt2"
STAND_INS = {
    "datasets": {"prosqa": ["ours"]},
    "methods": {"cot": ["cot"], "coconut": ["coconut"]},
    "trained": {"ours cot": 0, "ours coconut": 2, "second cot": 0, "second coconut": 3},
    "published": ["ours"],
    "models": {"cot": GPT2, "coconut": GPT2},
}
OTHER_DATA = STAND_INS | {"published": []}
BASES = {method: {seed: f"base {seed}" for seed in range(1, 10)} for method in ("cot", "coconut")}
TITLES = {"ours": "Our set", "second": "Our second set"}
ABOVE = {"claim": "Coconut is above CoT", "reference": "Figure 1", "dataset": "prosqa",
         "more": {"method": "coconut"}, "less": {"method": "cot"}}  # fmt: skip
ALIKE = {"claim": "Coconut is like CoT", "reference": "Figure 1", "dataset": "prosqa",
         "one": {"method": "coconut"}, "other": {"method": "cot"}}  # fmt: skip


def paper(*told, accuracy=None, seconds=None):
    return {"names": NAMES, "models": {"default": GPT2}, "accuracy": accuracy or {}, "seconds": seconds or {},
            "claims": list(told)}  # fmt: skip


def runs(means, groups=40, noise=0.5):
    """A score table with these means, one for each seed, and groups that differ a little."""
    waves = noise * np.sin(np.add.outer(7.0 * np.arange(len(means)), np.arange(groups)))
    waves -= waves.mean(axis=1, keepdims=True)
    return pd.DataFrame(np.array(means)[:, None] + waves, range(1, len(means) + 1), range(groups))


def table(measured, *told, stand_ins=STAND_INS, bases=BASES, margin=3.0, **more):
    """The claims about what was measured: score tables by (method, measure, at) or (dataset, method, ...)."""
    known = {sides.Side(*(key if len(key) == 4 else ("ours", *key))): one for key, one in measured.items()}
    return claims.compare(
        lambda side: known.get(side, pd.DataFrame()), paper(*told, **more),
        stand_ins=stand_ins, margin=margin, bases=bases,
    )  # fmt: skip


def answers(coconut=None, cot=None):
    both = {("coconut", scores.ANSWER, 2): coconut, ("cot", scores.ANSWER, 0): cot}
    return {key: runs(means) for key, means in both.items() if means}


def only(made):
    (row,) = made.to_dict("records")
    return row


# ----------------------------------------------------------------------------------------- comparisons


@pytest.mark.parametrize(
    ("coconut", "cot", "above", "alike"),
    [
        ([90, 92, 94], [80, 81, 82], "supported", "contradicted"),
        ([80, 81, 82], [90, 92, 94], "contradicted", "contradicted"),
        ([90, 91, 92], [90, 91, 92], "equivalent", "supported"),
        ([90, 70, 80], [80, 80, 80], "undecided", "undecided"),
        ([90, 90], [80, 80], "undecided", "undecided"),
        ([90], [80], "undecided", "undecided"),
        ([], [80, 80], "not run", "not run"),
        ([90, 90], [], "not run", "not run"),
        ([], [], "not run", "not run"),
    ],
)
def test_each_verdict_comes_out_where_it_is_true(coconut, cot, above, alike):
    made = table(answers(coconut, cot), ABOVE, ALIKE)
    assert made["verdict"].tolist() == [above, alike]


def test_a_row_has_the_difference_and_what_decided_it():
    row = only(table(answers([72, 83, 94], [70, 80, 90]), ABOVE, stand_ins=OTHER_DATA))
    assert (row["difference"], row["seeds"], row["units"], row["groups"]) == (pytest.approx(3), 3, 3, 40)
    assert row["low"] < row["difference"] < row["high"]
    assert row["p"] == row["adjusted"] < 0.1
    assert (row["dataset"], row["methods"]) == ("ours", "coconut, cot")
    assert (row["null"], row["tested"]) == ("no difference", "other data, the paper's model")


def test_runs_are_compared_seed_by_seed():
    """Seeds that differ by 10 points, and a method that is 6, 7 and 8 points better on each."""
    row = only(table(answers([76, 87, 98], [70, 80, 90]), ABOVE))
    assert row["verdict"] == "supported"
    apart = [estimate(runs(means)).interval() for means in ([76, 87, 98], [70, 80, 90])]
    assert apart[0].low < apart[1].high  # unpaired it would not be decided


def test_two_seeds_are_no_interval_and_the_note_says_so():
    row = only(table(answers([90, 92], [80, 81]), ABOVE))
    assert math.isnan(row["low"])
    assert math.isnan(row["adjusted"])
    assert row["note"] == "2 seeds; an interval needs 3"


@pytest.mark.parametrize(
    ("coconut", "cot", "verdict", "note"),
    [
        ([84, 85, 86, 85.5, 85], [81, 82, 82, 82, 82], "supported", "may be smaller than the margin"),
        ([81, 82, 82, 82, 82], [84, 85, 86, 85.5, 85], "contradicted", "may be smaller than the margin"),
        ([90, 91, 92, 91, 91], [81, 82, 82, 82, 82], "supported", ""),
        (
            [82.9, 84, 84, 84, 84],
            [81, 82, 82, 82, 82],
            "equivalent",
            "there is a difference, within the margin",
        ),
    ],
)
def test_a_note_says_what_a_difference_is_beside_the_margin(coconut, cot, verdict, note):
    row = only(table(answers(coconut, cot), ABOVE))
    assert (row["verdict"], row["note"]) == (verdict, note)


def test_seeds_count_that_both_sides_have():
    measured = answers([90, 92, 94, 96], [80, 81, 82])
    measured["cot", scores.ANSWER, 0].index = [3, 4, 5]
    assert only(table(measured, ABOVE))["seeds"] == 2


def test_p_values_are_adjusted_over_the_claims_on_a_data_set():
    measured = answers([90, 92, 94], [80, 81, 82])
    alone, *more = (table(measured, *told)["adjusted"] for told in ([ABOVE], [ABOVE, ALIKE]))
    assert more[0].tolist() == pytest.approx([2 * alone[0]] * 2)
    elsewhere = {("second", "coconut", scores.ANSWER, 3): runs([90, 70, 80]),
                 ("second", "cot", scores.ANSWER, 0): runs([80, 80, 81])}  # fmt: skip
    both = table(measured | elsewhere, ABOVE,
                 stand_ins=STAND_INS | {"datasets": {"prosqa": ["ours", "second"]}})  # fmt: skip
    assert both["dataset"].tolist() == ["ours", "second"]
    assert both["adjusted"][0] == alone[0]


def test_claims_without_an_interval_make_no_p_value_larger():
    pair = {"coconut_c1": ["c1"], "coconut_c0": ["c0"]}
    more = ABOVE | {"more": {"method": "coconut_c1", "k": 0}, "less": {"method": "coconut_c0", "k": 0}}
    measured = answers([90, 92, 94], [80, 81, 82])
    measured |= {("c1", scores.ANSWER, 0): runs([5, 6]), ("c0", scores.ANSWER, 0): runs([5, 6])}
    stand_ins = STAND_INS | {"methods": STAND_INS["methods"] | pair}
    stand_ins["models"] = stand_ins["models"] | {"c1": None, "c0": None}
    made = table(measured, ABOVE, more, stand_ins=stand_ins)
    assert made["verdict"].tolist() == ["supported", "undecided"]
    assert made["adjusted"][0] == made["p"][0]


def test_seeds_that_share_base_models_count_as_base_models():
    shared = {method: {1: "a", 2: "a", 3: "b", 4: "b"} for method in BASES}
    row = only(table(answers([90, 92, 94, 95], [80, 81, 82, 83]), ABOVE, bases=shared))
    assert (row["seeds"], row["units"], row["verdict"]) == (4, 2, "undecided")
    assert row["note"] == "2 base models; an interval needs 3"


def test_a_claim_may_speak_of_a_number_of_thoughts():
    measured = answers([90, 92, 93]) | {("coconut", scores.ANSWER, 0): runs([60, 61, 64])}
    row = only(table(measured, ABOVE | {"less": {"method": "coconut", "k": 0}}))
    assert (row["difference"], row["verdict"]) == (pytest.approx(30), "supported")


def test_the_last_path_is_at_the_most_thoughts_below_the_trained_number_that_leave_one():
    """Paths at k = 0, 1 and 2 of 3; at 2, few responses write one."""
    measured = {("second", "coconut", "wrong edges", k): runs([40 - 10 * k] * 3) for k in range(4)}
    measured |= {
        ("second", "coconut", scores.PATHS, k): runs([n] * 3) for k, n in enumerate((100, 90, 40, 0))
    }
    side = {"method": "coconut", "measure": "wrong edges"}
    claim = ABOVE | {"more": side | {"k": 0}, "less": side | {"k": LAST_PATH}}
    stand_ins = STAND_INS | {"datasets": {"prosqa": ["second"]}}
    assert only(table(measured, claim, stand_ins=stand_ins))["difference"] == pytest.approx(10)
    no_paths = {key: one for key, one in measured.items() if key[2] != scores.PATHS}
    assert only(table(no_paths, claim, stand_ins=stand_ins))["verdict"] == "not run"


def test_a_side_may_be_a_rule_or_a_value():
    rule = pd.DataFrame([60 + np.sin(np.arange(40))], index=[FIXED])
    measured = answers([90, 92, 93]) | {("shortcut: coin", scores.ANSWER, None): rule}
    against = table(
        measured, ABOVE | {"less": {"rule": "coin"}, "against": "a coin"}, ABOVE | {"less": {"value": 50}}
    )
    assert against["difference"].tolist() == pytest.approx([275 / 3 - rule.mean(axis=None), 275 / 3 - 50])
    assert against["verdict"].tolist() == ["supported"] * 2
    assert against["null"].tolist() == ["a coin", "no difference"]


def test_costs_are_compared_in_percent_of_the_lower_side():
    measured = {("cot", "tokens", 0): runs([15, 16, 17], noise=0.1),
                ("coconut", "tokens", 2): runs([10, 11, 9]),
                ("cot", "seconds", 0): runs([0.4, 0.42, 0.41], groups=1, noise=0),
                ("coconut", "seconds", 2): runs([0.1, 0.1, 0.1], groups=1, noise=0)}  # fmt: skip
    claim = {"more": {"method": "cot"}, "less": {"method": "coconut"}}
    told = [
        ABOVE | {side: one | {"measure": cost} for side, one in claim.items()}
        for cost in ("tokens", "seconds")
    ]
    accuracy = {
        "prosqa": {name: {"tokens": n, "reference": "Table 1"} for name, n in (("cot", 50), ("coconut", 20))}
    }
    made = table(measured, *told, accuracy={}, seconds={"prosqa": {"cot": 0.47, "coconut": 0.15}})
    assert made["difference"].tolist() == pytest.approx([60, 310])
    assert made["paper"].tolist()[1] == pytest.approx(100 * (0.47 / 0.15 - 1))
    assert made["unit"].tolist() == ["%", "%"]
    assert made["verdict"].tolist() == ["supported"] * 2
    said = claims.compare(lambda _: pd.DataFrame(), paper(*told, accuracy=accuracy), stand_ins=STAND_INS,
                          margin=3.0, bases=BASES)  # fmt: skip
    assert said["paper"].tolist()[0] == pytest.approx(150)


def test_the_difference_of_the_paper_is_there_where_its_tables_have_both_sides():
    accuracy = {"prosqa": {"coconut": {"accuracy": 97.0, "reference": "Table 1"},
                           "cot": {"accuracy": 77.5, "reference": "Table 1"}}}  # fmt: skip

    def said(more, less):
        claim = ABOVE | {"more": more, "less": less}
        return only(table({}, claim, accuracy=accuracy))["paper"]

    one, other = {"method": "coconut"}, {"method": "cot"}
    assert said(one, other) == pytest.approx(19.5)
    assert math.isnan(said(one, one | {"k": 0}))
    assert math.isnan(said(one | {"measure": "hallucination"}, other | {"measure": "hallucination"}))
    assert math.isnan(said(one, {"method": "no_cot"}))
    assert math.isnan(said(one, {"value": 0}))


def test_what_was_not_run_is_missing_and_never_zero():
    row = only(table({}, ABOVE))
    assert row["verdict"] == "not run"
    assert all(math.isnan(row[name]) for name in ("difference", "low", "high", "p", "adjusted", "p within"))
    assert (row["dataset"], row["seeds"]) == (None, 0)


@pytest.mark.parametrize(
    ("published", "model", "tested"),
    [
        (["ours"], GPT2, "the paper's data and model"),
        (["ours"], None, "the paper's data, another model"),
        ([], GPT2, "other data, the paper's model"),
        ([], None, "other data and model"),
    ],
)
def test_a_row_says_what_it_was_tested_on(published, model, tested):
    stand_ins = STAND_INS | {"published": published, "models": {"cot": GPT2, "coconut": model}}
    row = only(table(answers([90, 92, 94], [80, 81, 82]), ABOVE, stand_ins=stand_ins))
    assert (row["tested"], row["verdict"]) == (tested, "supported")


# --------------------------------------------------------------------------------------------- numbers


def number(means, said, measure=scores.ANSWER, noise=0.05, **more):
    reported = {"prosqa": {"cot": {"reference": "Table 1"} | said}}
    return table({("cot", measure, 0): runs(means, noise=noise)}, accuracy=reported, **more)


@pytest.mark.parametrize(
    ("means", "sd", "verdict"),
    [
        ([22, 30], 1.5, "undecided"),  # two noisy seeds are no "yes"
        ([22, 30, 40], 1.5, "undecided"),
        ([29.0, 29.1, 29.2, 29.1, 29.1], 1.5, "contradicted"),  # five precise ones
        ([33.0, 33.1, 33.2, 33.1, 33.1], 1.5, "supported"),
        ([29.0, 29.1, 29.2, 29.1, 29.1], 21.0, "supported"),  # the paper's own runs differ as much
        ([29.0, 29.1, 29.2, 29.1, 29.1], None, "contradicted"),
    ],
)
def test_a_number_of_the_paper_is_met_within_the_margin(means, sd, verdict):
    row = only(number(means, {"accuracy": 34.1, "sd": sd}))
    assert (row["claim"], row["paper"], row["verdict"]) == ("CoT on ProsQA: accuracy", 34.1, verdict)
    assert row["difference"] == pytest.approx(np.mean(means) - 34.1)


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(14.17, "supported"), (14.23, "supported"), (14.27, "contradicted"), (14.1, "contradicted")],
)
def test_tokens_are_met_within_the_rounding_of_the_printed_number(mean, verdict):
    row = only(number([mean - 0.001, mean, mean + 0.001], {"tokens": 14.2}, "tokens", noise=0.001))
    assert (row["claim"], row["verdict"], row["null"]) == (
        "CoT on ProsQA: tokens",
        verdict,
        "0.05 tokens apart",
    )


def test_tokens_that_vary_more_than_the_rounding_decide_nothing():
    assert only(number([13, 14.2, 15.4], {"tokens": 14.2}, "tokens"))["verdict"] == "undecided"


@pytest.mark.parametrize("stand_ins", [OTHER_DATA, STAND_INS | {"models": {"cot": None, "coconut": GPT2}}])
def test_no_number_stands_beside_a_stand_in(stand_ins):
    assert number([34.0, 34.1, 34.2], {"accuracy": 34.1}, stand_ins=stand_ins).empty


def test_the_model_of_a_row_may_be_another_than_that_of_table_1():
    made = paper(accuracy={"prosqa": {"cot": {"accuracy": 34.1, "reference": "Table 5"}}})
    made["models"] = {"default": GPT2, "cot": "large"}
    for model, n in ((GPT2, 0), ("large", 1)):
        found = claims.compare(
            lambda _: runs([34.0, 34.1, 34.2]), made,
            stand_ins=STAND_INS | {"models": {"cot": model}}, margin=3.0, bases=BASES,
        )  # fmt: skip
        assert len(found) == n


def test_seconds_of_the_paper_are_never_compared_with_ours():
    measured = {("cot", "seconds", 0): runs([0.47, 0.47, 0.47], groups=1)}
    assert table(measured, seconds={"prosqa": {"cot": 0.47}}).empty


# -------------------------------------------------------------------------------- from files to verdicts


def planted(method, share, rng, k=0, seeds=(1, 2, 3, 4), groups=64):
    """Grades of runs that are right with this probability, in groups of four questions."""
    n = 4 * groups
    tables = []
    for seed in seeds:
        right = rng.random(n) < share
        tables.append(pd.DataFrame(
            {"dataset": "ours", "method": method, "seed": seed, "k": k, "question": range(n),
             "group": np.arange(n) // 4, "outcome": np.where(right, "correct path", "hallucination"),
             "right": right, "right number": None, "tokens": 6, "finished": True, "edges": 3,
             "wrong edges": (~right).astype(int)}
        ))  # fmt: skip
    return pd.concat(tables)


def empty(columns):
    return pd.DataFrame(columns=list(columns))


def candidates(values):
    """Values of the candidates of 60 questions at the first frontier: two or four candidates, of which more
    are correct where there are fewer. `values` makes them from the correct ones (true or false)."""
    rows = []
    for seed in (1, 2, 3):
        for question in range(60):
            correct = [True, False] if question % 2 else [True, False, False, False]
            for node, (kind, value) in enumerate(zip(correct, values(correct), strict=True)):
                rows.append(
                    {"dataset": "ours", "method": "coconut", "seed": seed, "question": question,
                     "group": question // 4, "k": 1, "frontier": 1, "node": f"n{node}", "height": 1,
                     "correct": kind, "value": value, "option": False}
                )  # fmt: skip
    return pd.DataFrame(rows)


def judged(told, grades=None, values=None, shortcuts=None, intervened=None):
    counts = scores.by_group(planted("cot", 0.5, np.random.default_rng(1)) if grades is None else grades)
    return claims.claims(
        counts, empty(CLOCK), empty(ENDING), empty(VALUES) if values is None else values,
        empty(INTERVENTIONS) if intervened is None else intervened,
        empty(("dataset", "rule", "question", "group", "points")) if shortcuts is None else shortcuts,
        paper(*told), stand_ins=STAND_INS, margin=5.0, bases=BASES,
    )  # fmt: skip


def test_planted_responses_lead_to_the_verdicts_that_are_true():
    rng = np.random.default_rng(3)
    coin = pd.DataFrame({"dataset": "ours", "rule": "coin", "question": range(256),
                         "group": np.arange(256) // 4, "points": 0.5})  # fmt: skip
    beats_rule = ABOVE | {"less": {"rule": "coin"}}
    worlds = {0.9: ["supported", "supported"], 0.3: ["contradicted", "contradicted"],
              0.5: ["equivalent", "equivalent"]}  # fmt: skip
    for share, verdicts in worlds.items():
        seeds = range(1, 9)
        grades = pd.concat(
            [planted("cot", 0.5, rng, seeds=seeds), planted("coconut", share, rng, k=2, seeds=seeds)]
        )
        assert judged([ABOVE, beats_rule], grades, shortcuts=coin)["verdict"].tolist() == verdicts


def replaced(method, lost, rng):
    """Forced choices of 60 questions, with own thoughts and with mean ones, which lose `lost` percent."""
    at = [(seed, question, content) for seed in range(1, 6) for question in range(60) for content in lost]
    table = pd.DataFrame(at, columns=["seed", "question", "content"])
    choice = 0.8 + rng.normal(0, 0.05, len(table)) - table["content"].map(lost) / 100
    return table.assign(
        dataset="ours", method=method, group=table["question"] // 4, thoughts="all", part="input",
        later="kept", right=True, **{"p right": choice, "p wrong": 1 - choice},
    )  # fmt: skip


def test_thoughts_are_needed_where_answers_lose_without_what_they_hold():
    rng = np.random.default_rng(4)
    needed = {"claim": "answers need thoughts", "reference": "section 3", "dataset": "prosqa",
              "more": {"method": "coconut", "measure": "necessity"}}  # fmt: skip
    told = [needed | {"less": {"value": 0}}, needed | {"less": {"method": "cot", "measure": "necessity"}}]
    for lost, of_others, verdicts in (
        (30, 0, ["supported", "supported"]),
        (0, 0, ["equivalent", "equivalent"]),
        (30, 30, ["supported", "equivalent"]),
    ):
        rows = [replaced(name, {"own": 0, "mean": share}, rng)
                for name, share in (("coconut", lost), ("cot", of_others))]  # fmt: skip
        assert judged(told, intervened=pd.concat(rows))["verdict"].tolist() == verdicts


def test_a_uniform_choice_is_never_supported_although_pooled_values_differ():
    """Where there are fewer candidates each has more and more of them are correct."""
    uniform = candidates(lambda correct: [1 / len(correct)] * len(correct))
    pooled = uniform.groupby("correct")["value"].mean()
    assert pooled[True] > pooled[False] + 0.05
    told = [
        ABOVE | {"more": {"method": "coconut", "measure": "advantage", "frontier": 1}, "less": {"value": 0}},
        ABOVE | {"more": {"method": "coconut", "measure": "auc", "frontier": 1}, "less": {"value": 50}},
        ABOVE
        | {"more": {"method": "coconut", "measure": "top over uniform", "frontier": 1}, "less": {"value": 0}},
    ]
    assert judged(told, values=uniform)["verdict"].tolist() == ["equivalent"] * 3
    knowing = candidates(lambda correct: [0.7 if kind else 0.1 for kind in correct])
    assert judged(told, values=knowing)["verdict"].tolist() == ["supported"] * 3


# ------------------------------------------------------------------------------------------------ page


def test_the_page_begins_with_what_was_decided_and_folds_what_was_not_run():
    never = ABOVE | {"claim": "never run", "more": {"method": "icot"}}
    low = {"method": "coconut", "k": 0}
    measured = answers([90, 92, 94], [80, 81, 82]) | {("coconut", scores.ANSWER, 0): runs([70, 80, 93])}
    told = [never, ABOVE | {"claim": "open", "more": low}, ALIKE, ABOVE]
    page = claims.format_claims(table(measured, *told), titles=TITLES)
    assert page.table["verdict"].tolist() == ["supported", "contradicted", "undecided"]
    assert (page.title, page.lines) == ("Not run", ["never run"])
    first = page.table.iloc[0]
    assert first["claim"] == "Coconut is above CoT"
    assert first["difference [95 % interval]"].startswith("11.0 [")
    assert (first["tested on"], first["paper"], first["seeds"]) == (
        "Our set: the paper's data and model", "Figure 1", "3"
    )  # fmt: skip


def test_a_difference_of_costs_and_one_over_base_models_say_so():
    side = {"method": "coconut", "measure": "tokens"}
    claim = ABOVE | {"more": {"method": "cot", "measure": "tokens"}, "less": side}
    measured = {("cot", "tokens", 0): runs([15] * 6, noise=0.1), ("coconut", "tokens", 2): runs([10] * 6)}
    bases = {method: {seed: f"{seed % 3}" for seed in range(1, 7)} for method in BASES}
    shown = claims.format_claims(table(measured, claim, bases=bases), titles=TITLES).table.iloc[0]
    assert shown["difference [95 % interval]"].startswith("50.0 [")
    assert shown["difference [95 % interval]"].endswith("] %")
    assert shown["seeds"] == "6, of 3 base models"
