"""Numbers of one run of a study beside those of another."""

import numpy as np
import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.report import verify
from coconut_study.report.verify import Found, Tables

SEEDS = {"coconut": [98.0, 99.0, 100.0], "cot": [70.0, 75.0, 80.0], "no_cot": [50.0, 50.0, 50.0]}
HALF = 4.303 * np.sqrt(
    1 / 3
)  # of the 95 % interval of three seeds, for each unit of their standard deviation


def tables(seeds, rule=60.0, verdict="supported"):
    """The tables of a study whose runs have these right answers, with one rule and one claim."""
    rows, means = [], []
    for method, values in seeds.items():
        point = {"dataset": "planning", "method": method, "k": 0}
        rows += [point | {"seed": n, "right answer": value} for n, value in enumerate(values, start=1)]
        mean, half = np.mean(values), HALF * np.std(values, ddof=1)
        means.append(
            point | {"measure": "right answer", "mean": mean, "low": mean - half, "high": mean + half}
        )
    main = {
        "dataset": "planning",
        "method": "shortcut: a walk",
        "accuracy": rule,
        "low": rule - 1,
        "high": rule + 1,
    }
    claim = {"claim": "thoughts help", "dataset": "planning", "verdict": verdict}
    return Tables(*map(pd.DataFrame, ([main], means, rows, [claim])))


def found(ours, theirs):
    rows = verify.compared(ours, theirs, margin=3.0)
    return dict(zip(rows["method"], rows["found"], strict=True))


def test_the_same_run_is_within_every_interval():
    assert {*found(tables(SEEDS), tables(SEEDS)).values()} == {Found.WITHIN}


def test_a_number_that_is_beyond_chance_and_margin_differs_and_the_others_do_not():
    ours = SEEDS | {"coconut": [80.0, 81.0, 82.0]}
    assert found(tables(ours), tables(SEEDS)) == {
        "coconut": Found.DIFFERS,
        "cot": Found.WITHIN,
        "no_cot": Found.WITHIN,
        "shortcut: a walk": Found.WITHIN,
    }


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("coconut", [95.4, 96.4, 97.4]),  # beyond chance alone, and less than the margin away
        ("cot", [30.0, 60.0, 91.0]),  # 14 points away, by seeds that vary as much
        ("no_cot", [51.0, 51.0, 51.0]),
    ],
)
def test_a_number_outside_the_interval_is_not_called_different_by_chance_or_within_the_margin(method, values):
    assert found(tables(SEEDS | {method: values}), tables(SEEDS))[method] == Found.NEAR


def test_runs_that_are_not_there_are_named():
    ours = {name: values for name, values in SEEDS.items() if name != "cot"}
    assert found(tables(ours), tables(SEEDS))["cot"] == Found.MISSING


def test_a_rule_has_to_agree_to_the_last_digit():
    assert found(tables(SEEDS, rule=60.5), tables(SEEDS))["shortcut: a walk"] == Found.DIFFERS


def test_claims_with_another_verdict_are_named():
    ours, theirs = tables(SEEDS, verdict="undecided"), tables(SEEDS)
    assert verify.changed(ours.claims, theirs.claims) == ["thoughts help: supported, now undecided"]
    assert verify.changed(theirs.claims, theirs.claims) == []


def test_a_folder_without_tables_is_one_sentence(tmp_path):
    with pytest.raises(StudyError, match=r"main\.csv: is not there"):
        verify.read(tmp_path)
