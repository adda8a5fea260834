"""The sentences of the start page: numbers from tables, verdicts from claims, nothing without a table."""

import math

import pandas as pd
import pytest

from coconut_study.report.front import front

TITLES = {"d": "Data set", "cot": "CoT", "ours": "Ours", "pause": "Pauses"}
ROLES = {"cot": "written", "ours": "thoughts", "pause": "control"}
STAND_INS = {"methods": {"coconut": ["ours"], "coconut_mixed": ["ours"], "cot": ["cot"]}}
PAPER = {
    "claims": [
        {"claim": "fewer tokens", "less": {"method": "coconut", "measure": "tokens"},
         "more": {"method": "cot", "measure": "tokens"}},
        {"claim": "chains win", "more": {"method": "cot"}, "less": {"method": "coconut"}},
        {"claim": "more is better", "more": {"method": "coconut_mixed"},
         "less": {"method": "coconut_mixed", "k": 0}},
        {"claim": "needed", "more": {"method": "coconut", "measure": "necessity"}, "less": {"value": 0}},
    ]
}  # fmt: skip
MAIN = pd.DataFrame(
    [("d", "pause", 50.04, 49.0, 51.0), ("d", "cot", 70.0, math.nan, math.nan),
     ("d", "ours", 98.76, 98.0, 99.5), ("d", "shortcut: worse", 51.0, 50.0, 52.0),
     ("d", "shortcut: walk", 60.0, 59.0, 61.0), ("e", "ours", 1.0, 1.0, 1.0)],
    columns=["dataset", "method", "accuracy", "low", "high"],
)  # fmt: skip
SWEEP = pd.DataFrame(
    [("d", method, k, measure, mean, mean - 1, mean + 1)
     for method, k, mean in (("cot", 0, 70.0), ("ours", 0, 52.0), ("ours", 1, 75.0), ("ours", 2, 98.8))
     for measure in ("hallucination", "right answer")],
    columns=["dataset", "method", "k", "measure", "mean", "low", "high"],
)  # fmt: skip
REPLACED = pd.DataFrame(
    [("d", "ours", thoughts, content, part, "kept", measure, mean, mean - 1, mean + 1, decided)
     for thoughts, content, part, measure, mean, decided in (
         ("all", "own", "input", "forced choice", 97.0, 97.0),
         ("last", "mirror", "input", "forced choice", 96.0, 3.0),
         ("all", "mirror", "input", "escape", 95.0, math.nan),
         ("all", "mirror", "keys", "forced choice", 94.0, 3.0),
         ("all", "mirror", "input", "forced choice", 4.0, 3.0),
         ("all", "mean", "input", "forced choice", 51.0, 50.0))],
    columns=["dataset", "method", "thoughts", "content", "part", "later", "measure", "mean", "low", "high",
             "decided"],
)  # fmt: skip
CLAIMS = pd.DataFrame(
    [("fewer tokens", "d", "cot, ours", "%", 1.0, 0.5, 1.5, "supported"),
     ("chains win", "e", "cot, ours", "points", 1.0, 0.5, 1.5, "supported"),
     ("chains win", "d", "cot, ours", "points", -28.76, -30.0, -27.0, "contradicted"),
     ("more is better", "d", "ours", "points", 46.8, math.nan, math.nan, "undecided"),
     ("needed", "", "", "points", math.nan, math.nan, math.nan, "not run")],
    columns=["claim", "dataset", "methods", "unit", "difference", "low", "high", "verdict"],
)  # fmt: skip
TABLES = {"main": MAIN, "sweep": SWEEP, "interventions": REPLACED, "claims": CLAIMS}


def told(*names, **changed):
    """The sentences, and their chapters, of a study with these tables."""
    tables = {name: TABLES[name] for name in names}
    given = {"titles": TITLES, "roles": ROLES, "stand_ins": STAND_INS, "dataset": "d"}
    return dict(front(tables, PAPER, **given | changed))


def test_three_sentences_have_the_numbers_of_the_tables_and_the_verdicts_of_claims():
    assert [*told(*TABLES)] == [
        "Right answers on Data set: Ours 98.8 % [98.0, 99.5], CoT 70.0 %, the best rule that does not plan "
        "(walk) 60.0 % [59.0, 61.0], a coin 50 %. Claim “chains win”: contradicted (difference -28.8 [-30.0, "
        "-27.0] points).",
        "Ours answers 52.0 % [51.0, 53.0] before any thought and 98.8 % [97.8, 99.8] after 2 thoughts. Claim "
        "“more is better”: undecided.",
        "Forced choice of the right option, Ours: 97.0 % [96.0, 98.0] with its own thoughts, 51.0 % [50.0, "
        "52.0] with the mean of other questions’, 4.0 % [3.0, 5.0] with the mirror question’s (97.0 % "
        "with any if thoughts did not count, 50.0 and 3.0 % if nothing else did).",
    ]


@pytest.mark.parametrize(
    ("tables", "chapters"),
    [
        (("main",), ["1 Main result"]),
        (("main", "claims", "sweep"), ["1 Main result", "2 Number of thoughts"]),
        (("main", "interventions"), ["1 Main result", "4 Do thoughts matter"]),
    ],
)
def test_a_sentence_without_its_table_is_left_out(tables, chapters):
    assert [*told(*tables).values()] == chapters
    assert any("Claim" in text for text in told(*tables)) == ("claims" in tables)


def test_without_thoughts_or_two_numbers_of_them_there_is_nothing_to_say_of_them():
    (only,) = told(*TABLES, roles=ROLES | {"ours": "control"})
    assert only.startswith("Right answers on Data set: CoT 70.0 %, the best rule")
    assert told(*TABLES, roles=dict.fromkeys(ROLES, "control")) == {}
    few = {"main": MAIN, "sweep": SWEEP[SWEEP["k"] == 0]}
    assert len(front(few, PAPER, titles=TITLES, roles=ROLES, stand_ins=STAND_INS, dataset="d")) == 1
