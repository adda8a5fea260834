"""What tables and figures are made from in a study: files, settings, and which of them a study has."""

import json

import pytest

from coconut_study.report.catalog import FIGURES, TABLES
from coconut_study.report.settings import Arguments, Explored
from coconut_study.study import table_inputs

from ...studies import ALONE, plan_of, settings, smoke

PAPER = "config/paper_numbers.yaml"


@pytest.fixture(scope="module")
def small():
    """Five runs on two data sets, and a sweep of Coconut."""
    return plan_of(settings("smoke") | ALONE | {"transfer": []})


@pytest.fixture(scope="module")
def tour():
    """A study with every experiment."""
    return plan_of(settings("tour"))


def names(plan, records):
    return [name for record in records.values() for name in table_inputs.names(plan, record)]


def test_a_study_has_the_tables_and_figures_of_its_experiments_and_no_others(small):
    always = [
        "main",
        "seeds",
        "sweep",
        "sweep_seeds",
        "claims",
        "data",
        "learning",
        "stages",
        "costs",
        "spent",
    ]
    assert names(small, TABLES) == always
    assert names(small, FIGURES) == [
        "accuracy-balanced", "accuracy-prosqa", "sweep-balanced-coconut", "sweep-prosqa-coconut",
        "learning-balanced", "learning-prosqa",
    ]  # fmt: skip


def test_experiments_have_one_file_for_each_value_of_their_wildcards(tour):
    comparisons = [f"comparison-{name}" for name in tour.study.comparisons]
    tables, figures = names(tour, TABLES), names(tour, FIGURES)
    assert [name for name in tables if name.startswith("comparison")] == comparisons
    probes = {"parallelism", "best", "contrasts", "values_seeds", "heights"}
    assert {"clock", "ending", "decoded"} | probes <= set(tables)
    assert [name for name in figures if name.startswith("comparison")] == comparisons
    probed = tour.evaluated["probe"]
    assert [name for name in figures if name.startswith("tree")] == [
        f"tree-{dataset}-{method}" for dataset, method in dict.fromkeys(run[:2] for run in probed)
    ]
    assert len([name for name in figures if name.startswith("values")]) == len({run[0] for run in probed})


def wildcards_of(plan, record):
    """The wildcards of one of a record's files."""
    run = plan.evaluated["probe"][0]
    values = {"comparison": next(iter(plan.study.comparisons)), "trained": run.dataset, **run._asdict()}
    return {name: str(value) for name, value in values.items() if f"{{{name}}}" in record.file}


@pytest.mark.parametrize("record", [*TABLES.values(), *FIGURES.values()], ids=lambda record: record.rule)
def test_arguments_are_those_of_the_record_and_their_files_are_inputs(tour, record):
    wildcards = wildcards_of(tour, record)
    given = table_inputs.arguments(tour, record, wildcards, PAPER)
    read = Arguments.model_validate_json(json.dumps(given))
    assert (set(read.files), set(read.tables), read.settings.model_fields_set) == (
        set(record.reads), set(record.tables), set(record.needed),
    )  # fmt: skip
    inputs = table_inputs.inputs(tour, record, wildcards, PAPER)
    assert all(read.files.values())
    files = {str(path) for paths in read.files.values() for path in paths.values()}
    assert files | set(map(str, read.tables.values())) <= set(inputs)


def test_the_role_of_a_method_follows_from_what_stands_in_place_of_its_steps(tour):
    roles = table_inputs.roles(tour)
    assert {roles["cot"], roles["icot"]} == {"written"}
    assert roles["coconut"] == "thoughts"
    assert {roles[name] for name in ("no_cot", "pause_token", "without_thought", "without_curriculum")} == {
        "control"
    }


def test_files_of_runs_are_named_by_their_runs(small):
    given = table_inputs.arguments(small, TABLES["sweep"], {}, PAPER)
    assert given["files"]["grades"] == {
        f"{dataset}/{method}/seed{seed}": f"results/smoke/runs/{dataset}/{method}/seed{seed}/grades.csv"
        for dataset, method, seed in small.runs
    }
    assert given["tables"] == {}


def test_a_search_tree_is_made_from_all_runs_of_a_method_and_their_test_questions(tour):
    runs = tour.evaluated["probe"]
    dataset, method, _ = runs[0]
    wildcards = {"dataset": dataset, "method": method}
    files = table_inputs.arguments(tour, FIGURES["tree"], wildcards, PAPER)["files"]
    assert list(files["values"]) == [
        f"{dataset}/{method}/seed{run.seed}" for run in runs if run[:2] == (dataset, method)
    ]
    assert files["questions"] == {dataset: f"results/tour/data/{dataset}/test.jsonl"}


def test_runs_that_are_asked_other_questions_are_compared_with_what_they_answer_to_their_own(tour):
    files = table_inputs.arguments(tour, TABLES["transfer"], {}, PAPER)["files"]
    run = "runs/prosqa/coconut/seed0"
    assert files["asked"]["prosqa/coconut/seed0/prosqa"] == f"results/tour/{run}/grades.csv"
    assert files["asked"]["prosqa/coconut/seed0/misleading"].endswith(f"{run}/asked/misleading/grades.csv")
    assert set(files["hops"]) == {"prosqa", "rewritten", "misleading"}


def test_thoughts_that_suffice_are_counted_only_where_several_numbers_are_asked():
    def of(k):
        entry = {"trained": ["balanced"], "asked": ["changed"], "methods": ["coconut"], "k": k}
        plan = plan_of(smoke(["coconut"], transfer=[entry]))
        return names(plan, TABLES) + names(plan, FIGURES)

    assert {"transfer", "transfer-balanced", "sufficient"} <= {*of([0, 2])}
    assert "transfer" in of(None)
    assert "sufficient" not in of(None)


def test_costs_wait_for_everything_that_is_measured(small, tour):
    for plan in (small, tour):
        assert table_inputs.inputs(plan, TABLES["costs"], {}, PAPER) == plan.measured(plan.runs)


def test_a_comparison_has_a_table_of_its_own(tour):
    given = table_inputs.arguments(tour, FIGURES["comparison"], {"comparison": "recipe"}, PAPER)
    assert given["tables"]["comparison"] == "results/tour/tables/comparison-recipe.csv"


# --------------------------------------------------------------------------------------------- settings


def test_rows_have_what_they_were_trained_with_and_are_compared_with(small):
    assert table_inputs.rows(small)[0] == {
        "dataset": "balanced", "method": "coconut", "k": 2, "paper_dataset": "prosqa",
        "paper_method": "coconut",
    }  # fmt: skip
    assert [(row["dataset"], row["method"]) for row in table_inputs.rows(small)] == small.cells


def test_stand_ins_go_from_the_papers_names_to_ours(small):
    found = table_inputs.stand_ins(small)
    assert found["datasets"] == {"prosqa": ["balanced", "prosqa"]}
    assert found["methods"]["cot"] == ["cot"]
    assert found["trained"]["balanced cot"] == 0
    assert found["trained"]["balanced coconut"] == 2
    assert found["published"] == []
    assert found["models"] == dict.fromkeys(small.methods)


def test_coconut_stands_for_the_mixed_model_if_it_is_mixed_and_no_other_does(small):
    """The paper analyses a model trained with mixing; smoke mixes, and paper has a method for it."""
    assert table_inputs.stand_ins(small)["methods"]["coconut_mixed"] == ["coconut"]
    without = plan_of(smoke(["coconut"], training__mixing__probability=0))
    assert "coconut_mixed" not in table_inputs.stand_ins(without)["methods"]
    paper = table_inputs.stand_ins(plan_of(settings("paper")))
    assert paper["methods"]["coconut_mixed"] == ["mixing_030"]
    assert paper["methods"]["coconut"] == ["coconut"]


def test_stand_ins_say_what_is_the_papers_own():
    found = table_inputs.stand_ins(plan_of(settings("paper")))
    assert found["published"] == ["gsm8k", "prontoqa", "prosqa", "gsm8k_files"]
    assert set(found["models"].values()) == {"openai-community/gpt2"}


def test_runs_name_their_stages_in_training_order(small):
    (cot, _) = [run for run in table_inputs.runs(small) if run["method"] == "cot"]
    assert (cot["dataset"], cot["seed"], len(cot["stages"])) == ("balanced", 1, 1)
    coconut = table_inputs.runs(small)[0]
    assert [name.rpartition("-")[0] for name in coconut["stages"]] == [
        f"balanced/seed1/stage{stage}" for stage in range(3)
    ]
    assert set(coconut["stages"]) <= set(
        table_inputs.arguments(small, TABLES["learning"], {}, PAPER)["files"]["histories"]
    )


@pytest.mark.parametrize(("x", "ks"), [("label", [2]), ("tokens", [2]), ("k", [0, 1])])
def test_points_are_at_the_trained_number_of_thoughts_or_at_those_of_the_sweep(x, ks):
    comparison = {
        "title": "T", "datasets": ["balanced"], "x": x, "xlabel": "", "series": {"line": {0.5: "coconut"}},
    }  # fmt: skip
    study = smoke(["coconut"], comparisons={"one": comparison}, sweep={"methods": ["coconut"], "k": [0, 1]})
    points = table_inputs.points(plan_of(study), "one")
    assert [point.pop("k") for point in points] == ks
    assert points[0] == {"dataset": "balanced", "series": "line", "label": "0.5", "method": "coconut"}


def test_planned_costs_are_the_largest_of_any_job_and_the_hours_of_all(small):
    by_rule = {row["rule"]: row for row in table_inputs.planned(small)}
    assert list(by_rule) == ["base", "train", "respond"]
    # The two runs of CoT have one stage of three epochs, the other eleven stages have one epoch.
    assert by_rule["train"]["hours"] == pytest.approx((2 * 3 + 11) * 5 / 60)
    assert by_rule["respond"] == {
        "rule": "respond", "gpus": 0, "memory_mb": 1000, "hours": pytest.approx(6 * 5 / 60),
        "benchmarks": [f"respond/{d}/{m}/seed{s}.tsv" for d, m, s in small.runs],
    }  # fmt: skip


def test_every_stage_is_in_one_cell_whatever_methods_share_it(small):
    cells = table_inputs.cells(small)
    cards = [card for cell in cells for card in cell["cards"]]
    assert len(cards) == len(set(cards)) == 13
    shared = [cell for cell in cells if len(cell["methods"]) > 1]
    assert [(cell["dataset"], cell["methods"], len(cell["cards"]), cell["jobs"]) for cell in shared] == [
        ("balanced", ["coconut", "pause_as_thought"], 1, [])
    ]
    assert sum(len(cell["jobs"]) for cell in cells) == 6 + 1
    assert (cells[-1]["dataset"], cells[-1]["methods"]) == (None, [])


def test_the_explorer_is_made_from_all_runs_and_from_what_was_measured_of_them(tour):
    given = Explored.model_validate(table_inputs.explored(tour))
    assert [(run.dataset, run.method, run.seed) for run in given.runs] == [*map(tuple, tour.runs)]
    assert {run.trained for run in given.runs if run.method == "cot"} == {0}
    for kind, rule in (("values", "probe"), ("decoded", "decode"), ("interventions", "intervene")):
        having = [(run.dataset, run.method, run.seed) for run in given.runs if kind in run.files]
        assert having == [tuple(run) for run in tour.runs if run in tour.evaluated[rule]]
    assert set(table_inputs.explored_inputs(tour)) > {*map(str, given.questions.values())}
