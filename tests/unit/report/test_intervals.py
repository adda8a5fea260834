"""Intervals over units and groups: against other formulas, and by simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from coconut_study.report import intervals
from coconut_study.report.intervals import FIXED, estimate

N = 1000  # simulated studies


def table(rng, units, groups, *, of_units=0.0, of_groups=0.0, of_rest=1.0, mean=0.0):
    """A score table with random effects of these standard deviations."""
    cells = mean + of_units * rng.normal(size=(units, 1)) + of_groups * rng.normal(size=groups)
    return pd.DataFrame(cells + of_rest * rng.normal(size=(units, groups)))


def responses(rng, units, groups, *, right, of_units, of_groups):
    """Percentages of four questions a group, each right with a probability that units and groups change."""
    logits = right + of_units * rng.normal(size=(units, 1)) + of_groups * rng.normal(size=groups)
    return pd.DataFrame(25.0 * rng.binomial(4, 1 / (1 + np.exp(-logits))))


def covered(tables, truth):
    """How often the intervals of tables contain the truth."""
    found = [estimate(one).interval() for one in tables]
    return np.mean([low <= truth <= high for _, low, high, _ in found])


def test_an_interval_of_one_value_a_unit_is_students_and_needs_three_units():
    found = intervals.interval([70, 80, 90])
    low, high = stats.t.interval(0.95, 2, loc=80, scale=stats.sem([70, 80, 90]))
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((80, low, high, 3))
    for values in ([70], [70, 80]):
        few = intervals.interval(values)
        assert (few.mean, few.n) == (np.mean(values), len(values))
        assert math.isnan(few.low)
        assert math.isnan(few.high)
    assert intervals.interval([99, 90, 95], (0, 100)).high == 100
    assert math.isnan(intervals.interval([]).mean)


def test_the_variance_is_that_of_an_analysis_of_variance():
    scores = table(np.random.default_rng(1), 5, 12, of_units=2, of_groups=3)
    long = scores.reset_index(names="unit").melt("unit", var_name="group", value_name="score")
    squares = anova_lm(ols("score ~ C(unit) + C(group)", long).fit())["mean_sq"]
    variance = (squares["C(unit)"] + squares["C(group)"] - squares["Residual"]) / scores.size
    found = estimate(scores)
    assert found.mean == pytest.approx(long["score"].mean())
    assert found.se == pytest.approx(math.sqrt(variance))
    assert found.se_groups == pytest.approx(
        math.sqrt((squares["C(group)"] - squares["Residual"]) / scores.size)
    )


def test_where_only_units_differ_the_interval_is_students_over_units():
    means = np.array([50.0, 60, 67, 71])
    scores = pd.DataFrame(np.tile(means[:, None], 30))
    assert estimate(scores).interval()[:3] == pytest.approx(intervals.interval(means)[:3])


def test_where_only_groups_differ_the_interval_is_students_over_groups():
    of_groups = np.random.default_rng(2).normal(50, 10, size=40)
    scores = pd.DataFrame(np.tile(of_groups, (5, 1)))
    low, high = stats.t.interval(0.95, 39, loc=of_groups.mean(), scale=stats.sem(of_groups))
    assert estimate(scores).interval()[:3] == pytest.approx((of_groups.mean(), low, high))
    rule = pd.DataFrame(of_groups[None], index=[FIXED])
    assert estimate(rule).interval()[:3] == pytest.approx((of_groups.mean(), low, high))


def test_p_values_agree_with_intervals():
    found = estimate(table(np.random.default_rng(3), 4, 50, of_units=1, of_groups=2, mean=1))
    _, low, high, _ = found.interval()
    assert found.p(low) == pytest.approx(0.05)
    assert found.p(high) == pytest.approx(0.05)
    assert found.p(found.mean) == 1
    inner = found.interval(level=0.9)
    margin = max(abs(inner.low), abs(inner.high))
    assert found.p_within(margin) == pytest.approx(0.05)
    assert found.p_within(2 * margin) < 0.05 < found.p_within(margin / 2)


def test_without_any_variation_only_the_mean_itself_is_possible():
    found = estimate(pd.DataFrame(np.full((3, 10), 50.0)))
    assert found.interval()[:3] == (50, 50, 50)
    assert (found.p(50), found.p(49), found.p_within(3, 50)) == (1, 0, 0)


@pytest.mark.parametrize("units", [3, 5])
@pytest.mark.parametrize(
    "spread",
    [
        {"right": 1.5, "of_units": 0.25, "of_groups": 0.4},
        {"right": 1.5, "of_units": 0.1, "of_groups": 1.0},
        {"right": 4.0, "of_units": 0.3, "of_groups": 0.8},
        {"right": 0.0, "of_units": 0.2, "of_groups": 0.5},
    ],
    ids=["runs and questions differ", "questions differ", "nearly all are right", "half are right"],
)
def test_an_interval_contains_the_truth_as_often_as_it_says(units, spread):
    """Runs (each with its base model) and groups of questions vary at once."""
    rng = np.random.default_rng(5)
    tables = [responses(rng, units, 64, **spread) for _ in range(N)]
    logits = spread["right"] + math.hypot(spread["of_units"], spread["of_groups"]) * rng.normal(size=10**6)
    assert 0.93 <= covered(tables, 100 * np.mean(1 / (1 + np.exp(-logits)))) <= 0.975


def test_base_models_are_counted_and_not_their_runs():
    """Six runs on three base models: an interval over runs as if each had its own misses the truth."""
    rng = np.random.default_rng(6)
    right = wrong = 0
    for _ in range(N):
        of_bases = np.repeat(rng.normal(size=3), 2)[:, None]
        runs = table(rng, 6, 40, of_units=0.5, of_groups=0.5, of_rest=2) + of_bases
        _, low, high, _ = estimate(runs.groupby(np.repeat([0, 1, 2], 2)).mean()).interval()
        right += low <= 0 <= high
        _, low, high, _ = estimate(runs).interval()
        wrong += low <= 0 <= high
    assert 0.93 <= right / N <= 0.97
    assert wrong / N < 0.9


def test_a_bootstrap_over_three_units_and_groups_is_too_narrow():
    """Why intervals are not drawn from a bootstrap: of three units it draws too few."""
    rng = np.random.default_rng(7)
    inside, contained = 0, 300
    for _ in range(contained):
        cells = table(rng, 3, 30, of_units=1, of_groups=1).to_numpy()
        drawn = rng.multinomial(3, [1 / 3] * 3, size=400) @ cells / 3
        means = (drawn * rng.multinomial(30, [1 / 30] * 30, size=400)).sum(axis=1) / 30
        low, high = np.quantile(means, [0.025, 0.975])
        inside += low <= 0 <= high
    assert inside / contained < 0.85
