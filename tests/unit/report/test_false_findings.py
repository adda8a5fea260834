"""Studies in which nothing is to be found, and how often the page of claims finds something.

A study is drawn as score tables: for every method, measure and number of thoughts a row per seed and a column
per group. Every response is right with a probability that varies with the base model, the run, the group and
how the run does on that group, on the scale of log odds; all methods have the same mean.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import expit
from scipy.stats import norm

from coconut_study.report.cells import SHORTCUT
from coconut_study.report.claims import compare
from coconut_study.report.intervals import FIXED
from coconut_study.report.scores import ANSWER, PATHS, RATIOS
from coconut_study.report.sides import COSTS, NECESSITY, Side
from coconut_study.report.values import DECIDED
from coconut_study.report.verdicts import Verdict

pytestmark = pytest.mark.usefixtures("collected")
SHIPPED = Path(__file__).resolve().parents[3] / "config" / "paper_numbers.yaml"
PAPER = yaml.safe_load(SHIPPED.read_text(encoding="utf-8")) | {"accuracy": {}, "seconds": {}}
SEEDS = {"coconut": 5, "cot": 5} | dict.fromkeys(
    ("icot", "pause_as_thought", "without_thought", "without_curriculum", "pause_token", "no_cot"), 3
)
STAND_INS = {
    "datasets": {"prosqa": ["ours"]},
    "methods": {method: [method] for method in SEEDS} | {"coconut_mixed": ["coconut"]},
    "trained": {f"ours {method}": 3 for method in SEEDS},
    "published": [],
    "models": {},
}
DIFFERENCES = (DECIDED, NECESSITY)  # measures that are 0 where nothing is to be found, and have no `at`
GROUPS, EACH = 64, 4
QUANTILES = norm.ppf((np.arange(200) + 0.5) / 200)

# Standard deviations of the log odds over base models, runs, groups, and runs in a group; and the mean log
# odds.
STUDIES = {
    "alike": {"base": 0.2, "run": 0.3, "group": 0.7, "both": 0.3, "mean": 1.2},
    "few learn": {"base": 1.0, "run": 1.5, "group": 0.3, "both": 0.1, "mean": 1.0},
    "coins": {"base": 0.0, "run": 0.0, "group": 0.0, "both": 0.0, "mean": 0.0},
    "perfect": {"base": 0.2, "run": 0.3, "group": 0.5, "both": 0.2, "mean": 4.5},
}


class Study:
    """The score tables of a study without findings, each drawn when it is first asked for."""

    def __init__(self, rng, *, base, run, group, both, mean):
        self.rng, self.run, self.both, self.mean = rng, run, both, mean
        self.spread = np.sqrt(base**2 + run**2 + both**2)  # of the log odds on one group
        self.bases, self.groups = base * rng.normal(size=(9, 1)), group * rng.normal(size=GROUPS)
        self.drawn = {}

    def __call__(self, side):
        if side not in self.drawn:
            self.drawn[side] = self.draw(side)
        return self.drawn[side]

    def draw(self, side):
        if side.method.startswith(SHORTCUT):
            odds = self.mean + self.groups + self.spread * QUANTILES[:, None]
            return pd.DataFrame(
                100 * expit(odds).mean(axis=0)[None], index=[FIXED]
            )  # as often as a run, on average
        n = SEEDS[side.method]
        seeds = range(1, n + 1)
        if side.measure == PATHS:
            return pd.DataFrame(100.0 * (side.at < 3), seeds, range(GROUPS))
        noise = self.run * self.rng.normal(size=(n, 1)) + self.both * self.rng.normal(size=(n, GROUPS))
        odds = self.bases[:n] + self.groups + noise
        if side.measure in COSTS:
            return pd.DataFrame(np.exp(2 + odds / 10), seeds, range(GROUPS))
        if side.measure in RATIOS or (side.at is None and side.measure not in DIFFERENCES):
            right = self.rng.binomial(EACH, expit(self.mean + odds)) / EACH
            return pd.DataFrame(100 * right, seeds, range(GROUPS))
        values = 10 * (self.run * self.rng.normal(size=(n, 1)) + self.rng.normal(size=(n, GROUPS)))
        return pd.DataFrame(values, seeds, range(GROUPS))  # beside a uniform choice, or T beside T


def findings(table):
    """The rows that find a difference."""
    alike = table["null"].str.endswith("apart")
    differs = table["verdict"].eq(Verdict.CONTRADICTED) | (table["verdict"].eq(Verdict.SUPPORTED) & ~alike)
    return table[differs]


def page(rng, kind):
    scores = Study(rng, **STUDIES[kind])
    bases = {method: {seed: f"base {seed}" for seed in range(1, n + 1)} for method, n in SEEDS.items()}
    return compare(scores, PAPER, stand_ins=STAND_INS, margin=3.0, bases=bases)


def share_with_findings(kind, pages, seed=15):
    rng = np.random.default_rng(seed)
    return np.mean([len(findings(page(rng, kind))) > 0 for _ in range(pages)])


@pytest.mark.parametrize("kind", STUDIES)
def test_a_page_about_nothing_rarely_finds_something(kind):
    """At a rate of 5 %, seven of 40 pages with a finding have a probability below 1 %."""
    assert share_with_findings(kind, 40) < 7 / 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", STUDIES)
def test_fewer_than_5_percent_of_1000_pages_about_nothing_find_something(kind):
    assert share_with_findings(kind, 1000) < 0.05


def test_the_claims_of_the_simulation_are_decided_where_there_is_something():
    """All methods the same but for Coconut, which is right in nine of ten questions where others guess."""
    scores = Study(np.random.default_rng(1), **STUDIES["coins"])
    for k in (0, 3):
        better = (
            90
            + scores(Side("ours", "cot", ANSWER, 3))
            - scores(Side("ours", "cot", ANSWER, 3)).mean(axis=None)
        )
        scores.drawn[Side("ours", "coconut", ANSWER, k)] = better
    table = compare(scores, PAPER, stand_ins=STAND_INS, margin=3.0, bases={})
    found = findings(table)
    expected = ["Coconut plans better than written chains (ProsQA)"]
    assert found.loc[found["methods"] == "coconut, cot", "claim"].tolist()[:1] == expected
    assert all("coconut" in methods for methods in found["methods"])
