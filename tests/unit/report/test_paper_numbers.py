"""The shipped numbers and claims of the paper."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from coconut_study.questions.shortcuts import RULES
from coconut_study.report import claims, scores, sides
from coconut_study.report.stand_ins import LAST, LAST_PATH
from coconut_study.report.thoughts import WAYS

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "paper_numbers.yaml"


@pytest.fixture(scope="module")
def shipped():
    return yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


def both_sides(claim):
    return [claim[side] for side in ("more", "less", "one", "other") if side in claim]


def test_everything_the_paper_is_asked_about_has_a_name(shipped):
    named = {*shipped["accuracy"], *shipped["seconds"], *shipped["models"]} - {"default"}
    named |= {
        method for table in ("accuracy", "seconds") for row in shipped[table].values() for method in row
    }
    named |= {claim["dataset"] for claim in shipped["claims"]}
    named |= {side["method"] for claim in shipped["claims"] for side in both_sides(claim) if "method" in side}
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
    for claim in shipped["claims"]:
        one, other = both_sides(claim)
        assert set(claim) - {"against"} in ({"claim", "reference", "dataset", *pair} for pair in (
            ("more", "less"), ("one", "other")))  # fmt: skip
        for side in (one, other):
            assert set(side) in ({"rule"}, {"value"}) or set(side) <= {"method", "k", "measure", "frontier"}
            assert side.get("measure", scores.ANSWER) in sides.MEASURES
            assert side.get("rule", next(iter(RULES))) in RULES
            assert side.get("k", LAST) in (0, LAST, LAST_PATH)
        measures = [side.get("measure", scores.ANSWER) for side in (one, other) if "method" in side]
        assert len({*measures} - {*WAYS}) <= 1
    assert len({claim["claim"] for claim in shipped["claims"]}) == len(shipped["claims"])


def test_every_pair_of_methods_is_in_one_claim_of_a_kind(shipped):
    pairs = [
        (claim["dataset"], *sorted(side["method"] for side in both_sides(claim)))
        for claim in shipped["claims"]
        if all({*side} == {"method"} for side in both_sides(claim))
    ]
    assert len(pairs) == len(set(pairs)) > 25


def test_the_papers_own_numbers_bear_out_its_claims(shipped):
    """Above is above, and alike is within the margin of the studies."""
    nothing = {"datasets": {}, "methods": {}, "trained": {}, "published": [], "models": {}}
    made = claims.compare(lambda _: pd.DataFrame(), shipped, stand_ins=nothing, margin=3.0, bases={})
    assert made["verdict"].eq("not run").all()
    assert made["claim"].tolist() == [claim["claim"] for claim in shipped["claims"]]
    alike = made["null"].str.endswith("apart")
    said = made["paper"].notna()
    assert (made.loc[said & ~alike, "paper"] > 0).all()
    assert (made.loc[said & alike, "paper"].abs() < 3).all()
    assert (said & alike).sum() >= 9
