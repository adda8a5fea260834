"""Verdicts, from score tables whose truth is planted."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from coconut_study.report.intervals import FIXED, estimate
from coconut_study.report.verdicts import Verdict, adjusted, decide, lacking, p_value

pytestmark = pytest.mark.usefixtures("collected")
MARGIN = 3.0


def found(mean, spread=0.1, seeds=5, groups=50, noise=5.0):
    """The estimate of a table of this very mean: seeds spread around it evenly, groups noisy."""
    rng = np.random.default_rng(1)
    cells = noise * rng.normal(size=(seeds, groups))
    cells -= cells.mean(axis=1, keepdims=True)
    runs = spread * np.linspace(-1, 1, seeds)[:, None]
    return estimate(pd.DataFrame(mean + runs + cells, range(1, seeds + 1)))


def verdict(one, alike=False):
    return decide(one, p_value(one), MARGIN, alike=alike)


@pytest.mark.parametrize(
    ("one", "above", "alike"),
    [
        (found(10), Verdict.SUPPORTED, Verdict.CONTRADICTED),
        (found(-10), Verdict.CONTRADICTED, Verdict.CONTRADICTED),
        (found(0), Verdict.EQUIVALENT, Verdict.SUPPORTED),
        (found(0, spread=20), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (found(10, spread=20), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (found(10, seeds=2), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (found(10, seeds=1), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (estimate(pd.DataFrame()), Verdict.NOT_RUN, Verdict.NOT_RUN),
    ],
)
def test_each_verdict_has_a_case(one, above, alike):
    assert verdict(one) == above
    assert verdict(one, alike=True) == alike


def test_a_difference_that_is_there_but_within_the_margin_counts_as_none():
    small = found(1.5, noise=1.0)
    assert p_value(small) < 0.001
    assert verdict(small) == Verdict.EQUIVALENT
    assert verdict(small, alike=True) == Verdict.SUPPORTED
    assert decide(small, p_value(small), 1.0, alike=False) == Verdict.SUPPORTED


def test_a_difference_beyond_the_margin_is_no_equivalence_whatever_its_p_value():
    one = found(3.5, noise=1.0)
    assert decide(one, 1.0, MARGIN, alike=True) == Verdict.UNDECIDED


def test_the_p_value_that_counts_is_the_adjusted_one():
    one = found(10)
    assert decide(one, 0.049, MARGIN, alike=False) == Verdict.SUPPORTED
    assert decide(one, 0.051, MARGIN, alike=False) == Verdict.UNDECIDED


def test_p_values_are_adjusted_as_holm_does_and_missing_ones_do_not_count():
    p = [0.01, math.nan, 0.04, 0.03, 0.8]
    expected = multipletests([0.01, 0.04, 0.03, 0.8], method="holm")[1]
    assert np.delete(adjusted(p), 1) == pytest.approx(expected)
    assert math.isnan(adjusted(p)[1])
    assert adjusted([0.01]) == [0.01]
    assert math.isnan(adjusted([math.nan])[0])


def test_a_p_value_takes_runs_as_what_varies_unless_there_are_none():
    trained, rule = found(1, seeds=3), estimate(found_rule())
    assert p_value(trained) == trained._replace(df=2).p() >= trained.p()
    assert p_value(rule) == rule.p()


def found_rule():
    return pd.DataFrame([np.linspace(0, 2, 40)], index=[FIXED])


def test_too_few_seeds_are_named():
    assert lacking(found(1, seeds=2), math.nan, MARGIN, "seed", alike=False) == "2 seeds; an interval needs 3"
    assert lacking(found(1, seeds=1), math.nan, MARGIN, "seed", alike=False) == "1 seed; an interval needs 3"


def test_what_would_decide_is_a_number_of_seeds_with_which_it_is_decided():
    few = found(5, spread=8)
    assert verdict(few) == Verdict.UNDECIDED
    words = lacking(few, p_value(few), MARGIN, "seed", alike=False)
    assert words.startswith(f"interval {2 * few.half_width():.3g} wide; about ")
    n = int(words.split()[-4])
    assert verdict(found(5, spread=8, seeds=n + 2)) == Verdict.SUPPORTED
    assert verdict(found(5, spread=8, seeds=max(n - 4, 3))) == Verdict.UNDECIDED


def test_a_stricter_adjustment_asks_for_more_seeds():
    few = found(5, spread=8)
    one, ten = (
        int(lacking(few, min(1, times * p_value(few)), MARGIN, "seed", alike=False).split()[-4])
        for times in (1, 3)
    )
    assert ten > one


def test_where_seeds_do_not_help_questions_are_asked_for():
    groups = np.linspace(-90, 96, 12)
    same = estimate(pd.DataFrame(np.tile(groups, (5, 1)) + np.linspace(-1, 1, 5)[:, None]))
    words = lacking(same, p_value(same), MARGIN, "seed", alike=False)
    assert words.endswith("100 seeds would not do, more questions might")
