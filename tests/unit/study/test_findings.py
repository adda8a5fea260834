"""The shipped studies of findings, laid over the quick study."""

from itertools import combinations

import pytest

from ...studies import CONFIG, message_of, plan_of, settings, with_value

NAMES = sorted(path.stem for path in (CONFIG / "findings").glob("*.yaml"))
HOURS = 3.0  # on two cores
REPEATS_QUICK = "budget"  # its question is about the runs of the quick study


@pytest.fixture(scope="module")
def plans():
    return {name: plan_of(settings("quick", f"findings/{name}")) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_study_of_a_finding_is_planned_to_its_page(plans, name):
    plan = plans[name]
    assert plan.study.study == name
    assert plan.study.finding is not None
    assert min(sum(run[:2] == cell for run in plan.runs) for cell in plan.cells) >= 3  # seeds


@pytest.mark.parametrize("name", NAMES)
def test_a_finding_takes_at_most_three_hours_on_two_cores(plans, name):
    minutes = sum(job.minutes for jobs in plans[name].jobs.values() for job in jobs)
    assert minutes / 60 / 2 <= HOURS


def test_no_two_findings_share_seeds_base_models_or_questions(plans):
    plans = {name: plan for name, plan in plans.items() if name != REPEATS_QUICK}
    plans |= {name: plan_of(settings(*names)) for name, names in
              {"quick": ["quick"], "other seeds": ["quick", "other_seeds"]}.items()}  # fmt: skip
    for one, other in combinations(plans.values(), 2):
        assert not {run.seed for run in one.runs} & {run.seed for run in other.runs}
        assert not {base.seed for base in one.bases.values()} & {base.seed for base in other.bases.values()}
        assert not {*map(_drawn, _datasets(one))} & {*map(_drawn, _datasets(other))}


def _datasets(plan):
    return [plan.study.datasets[name] for name in plan.datasets]


def _drawn(dataset):
    return dataset.questions.root.seed


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("finding.figures", ["necesity"], "figures: necesity is not defined; did you mean necessity?"),
        ("finding.tables", ["learning"], "finding.tables: learning is not defined"),  # has no text
        (
            "finding.predictions",
            [{"claim": "x", "more": {"dataset": "hops_2", "method": "coconut_4x44"}, "less": {"value": 50}}],
            "finding.predictions.0: coconut_4x44 on hops_2 is not one of the runs",
        ),
        (
            "finding.predictions",
            [{"claim": "x", "more": {"dataset": "hops_2", "method": "coconut", "k": 7},
              "less": {"value": 50}}],
            "finding.predictions.0.k: coconut on hops_2 does not respond with 7 thoughts",
        ),
        (
            "finding.predictions",
            [{"claim": "x", "more": {"dataset": "hops_2", "method": "coconut", "asked": "hops_3"},
              "less": {"value": 50}}],
            "finding.predictions.0.asked: coconut on hops_2 is not asked hops_3 in transfer",
        ),
        (
            "finding.predictions",
            [{"claim": "x", "more": {"value": 50}, "less": {"dataset": "hops_2", "method": "coconut"}}],
            "more: is a value; give it as the second side",
        ),
        (
            "necessity.rows.Coconut",
            ["coconut", "iterations_1"],
            "necessity.rows.Coconut: iterations_1 has as many layers, as wide, as coconut",
        ),
        ("necessity.against", "pauses", "pauses is not defined"),
        ("datasets.hops_2.questions.hops", [2, 3], "the questions of hops_2 have no single number of hops"),
    ],
)  # fmt: skip
def test_a_finding_that_its_study_does_not_have_is_refused(key, value, message):
    assert message in message_of(with_value(settings("quick", "findings/necessity"), key, value))
