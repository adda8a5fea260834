"""The plan of a study: its stages and base models, what is shared, the jobs and where results lie."""

import pytest

from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.study.runs import Run

from ...studies import ALONE, REMOVAL, plan_of, settings, smoke, with_value

LATER = {"like": "coconut", "title": "Later", "start": "cot"}


def ids(study, method, seed=1, dataset="balanced"):
    return [spec.id for spec in Plan(study).chain(dataset, method, seed)]


# ----------------------------------------------------------------------------------------------- start


def test_a_run_that_starts_from_another_goes_through_its_stages_first():
    study = read_study(smoke(["cot", "coconut", "later"], {"later": LATER}))
    later, cot, coconut = (Plan(study).chain("balanced", name, 1) for name in ("later", "cot", "coconut"))
    assert later[:1] == cot
    assert [spec.stage for spec in later] == [0, 0, 1, 2]
    assert [spec.parent for spec in later] == [None, *(spec.id for spec in later[:-1])]
    assert [spec.layout for spec in later[1:]] == [spec.layout for spec in coconut]
    assert not {spec.id for spec in later[1:]} & {spec.id for spec in coconut}
    assert [spec.epochs_before for spec in later] == [0, 0, 1, 2]
    assert [spec.epochs_in_all for spec in later] == [3, 3, 3, 3]
    assert [spec.keep for spec in later] == ["best", "last", "last", "best"]
    assert later[0].id != Plan(study).chain("balanced", "later", 2)[0].id


def test_stages_of_the_start_are_its_own_even_where_it_is_not_run():
    methods = {
        "short": {"like": "cot", "title": "Short", "schedule": {"stages": 0, "epochs": [2]}},
        "later": LATER | {"start": "short", "schedule": {"epochs": [0, 1, 4]}},
    }
    study = read_study(smoke(["later"], methods))
    chain = Plan(study).chain("balanced", "later", 1)
    assert [(spec.stage, spec.epochs) for spec in chain] == [(0, 2), (1, 1), (2, 4)]
    assert (chain[0].layout.hidden, chain[0].layout.markers) == (0, False)
    assert chain[:1] == Plan(study).chain("balanced", "short", 1)


def test_runs_that_start_from_the_same_run_share_it():
    methods = {"later": LATER, "other": LATER | {"title": "Other", "training": {"learning_rate": 0.5}}}
    study = read_study(smoke(["later", "other"], methods))
    later, other = ids(study, "later"), ids(study, "other")
    assert later[0] == other[0]
    assert not set(later[1:]) & set(other[1:])


def test_a_start_may_itself_start_from_another():
    methods = {"later": LATER, "last": {"like": "no_cot", "title": "Last", "start": "later"}}
    study = read_study(smoke(["last"], methods))
    chain = Plan(study).chain("balanced", "last", 1)
    assert chain[:-1] == Plan(study).chain("balanced", "later", 1)
    assert (len(chain), chain[-1].parent) == (5, chain[-2].id)


# ------------------------------------------------------------------------------------- models and stages


def test_a_method_with_a_model_of_its_own_has_a_base_of_its_own():
    methods = {"wide": {"like": "coconut", "title": "Wide", "model": {"architecture": {"n_embd": 32}}}}
    study = read_study(smoke(["coconut", "wide"], methods))
    ours, wide = Plan(study).base_spec("coconut", 1), Plan(study).base_spec("wide", 1)
    assert ours.id != wide.id
    assert wide.model.architecture == study.model.architecture | {"n_embd": 32}
    assert ours.id == Plan(study).base_spec("cot", 1).id
    assert not set(ids(study, "coconut")) & set(ids(study, "wide"))
    assert {spec.base.id for spec in Plan(study).chain("balanced", "wide", 1)} == {wide.id}


CHANGES = {
    "training": {"learning_rate": 0.5},
    "schedule": {"c": 2},
    "model": {"architecture": {"n_embd": 32}},
    "markers": False,
    "thoughts": "pause",
    "start": "cot",
}


@pytest.mark.parametrize("key", CHANGES)
def test_stages_that_differ_have_ids_that_differ(key):
    study = read_study(smoke(["coconut", "a"], {"a": {"like": "coconut", "title": "A", key: CHANGES[key]}}))
    ours, other = ids(study, "coconut"), ids(study, "a")
    assert len(set(ours)) == 3
    assert ours[-1] != other[-1]
    assert (ours[0] in other) == (
        key in ("schedule", "thoughts")
    )  # the first stage has neither thoughts nor c


def test_stages_that_agree_have_one_id_whatever_the_methods_are_called():
    methods = {"a": {"like": "coconut", "title": "A"}, "b": {"like": "a", "title": "B", "paper": "cot"}}
    study = read_study(smoke(["coconut", "a", "b"], methods))
    assert ids(study, "coconut") == ids(study, "a") == ids(study, "b")
    assert Plan(study).chain("balanced", "a", 1) == Plan(study).chain("balanced", "b", 1)
    assert not set(ids(study, "a", 1)) & set(ids(study, "a", 2))


def test_mixing_tells_stages_apart_only_where_something_is_mixed_in():
    methods = {"a": {"like": "coconut", "title": "A", "training": {"mixing": {"probability": 0.5}}}}
    study = read_study(smoke(["coconut", "a", "cot"], methods))
    ours, other = ids(study, "coconut"), ids(study, "a")
    assert ours[0] == other[0]
    assert not set(ours[1:]) & set(other[1:])
    more = read_study(smoke(["cot"], training__mixing__probability=0.5))
    assert ids(study, "cot") == ids(more, "cot")


def test_the_schedule_of_removal_changes_no_other_method():
    study = smoke(["icot", "no_cot", "coconut"], datasets__balanced__schedule__removal=REMOVAL)
    before = read_study(study)
    after = read_study(with_value(study, "datasets.balanced.schedule.removal.per_epoch", 2))
    for method in ("icot", "no_cot", "coconut"):
        assert (ids(before, method) == ids(after, method)) == (method != "icot")


def test_methods_share_the_stages_they_agree_on_and_no_others():
    study = read_study(settings("quick"))
    coconut, pause = (
        ids(study, "coconut", dataset="planning"),
        ids(study, "pause_as_thought", dataset="planning"),
    )
    assert coconut[0] == pause[0]
    assert not set(coconut[1:]) & set(pause[1:])
    assert coconut[0] != Plan(study).chain("planning", "coconut", 2)[0].id


def test_changing_one_method_leaves_the_stages_of_the_others():
    before = read_study(settings("quick"))
    changed = with_value(settings("quick"), "methods.coconut.training", {"learning_rate": 1.0e-3})
    after = read_study(changed)
    for method in before.methods:
        same = ids(before, method, dataset="planning") == ids(after, method, dataset="planning")
        assert same == (method != "coconut")


def test_seeds_take_the_base_models_in_turn():
    study = read_study(with_value(settings("quick"), "base_seeds", [5, 6]))
    seeds = sorted({seed for _, _, seed in Plan(study).runs})
    assert [Plan(study).base_spec("cot", seed).seed for seed in seeds] == [
        (5, 6)[i % 2] for i in range(len(seeds))
    ]


# ------------------------------------------------------------------------------- runs, jobs and places


TOUR = plan_of(settings("tour"))
PAPER = plan_of(settings("paper"))


def test_runs_are_planned_once_in_the_order_of_the_file():
    grid = {"datasets": ["balanced"], "methods": ["cot", "coconut"], "seeds": [2]}
    runs = [grid, grid | {"seeds": [1, 2]}]
    plan = plan_of(smoke([]) | {"runs": runs})
    assert [run[1:] for run in plan.runs] == [("cot", 2), ("coconut", 2), ("cot", 1), ("coconut", 1)]
    assert (plan.datasets, plan.methods) == (["balanced"], ["cot", "coconut"])
    assert plan.cells == [("balanced", "cot"), ("balanced", "coconut")]


def test_each_run_is_in_three_parts():
    parts = TOUR.parts
    for kind in ("dataset", "method", "seed"):
        runs = [run for part, runs in parts.items() if part.startswith(f"{kind}_") for run in runs]
        assert sorted(runs) == sorted(TOUR.runs)
    assert set(parts["method_coconut"]) == {run for run in TOUR.runs if run.method == "coconut"}


def test_the_tour_trains_every_method_of_the_package_on_graph_questions():
    assert {method for dataset, method in TOUR.cells if dataset == "prosqa"} >= {
        *settings("methods")["methods"]
    }
    assert {"looped", "frontier"} <= {*TOUR.methods}


def test_an_experiment_that_is_left_out_has_no_runs():
    plan = plan_of(settings("smoke") | ALONE | {"transfer": []})
    assert {rule: len(runs) for rule, runs in plan.evaluated.items()} == {
        "respond": 6, "clock": 0, "ending": 0, "probe": 0, "decode": 0, "intervene": 0, "trace": 0,
        "linear": 0, "attend": 0, "remove": 0,
    }  # fmt: skip
    assert plan.measured(plan.runs) == plan.of_runs("grades.csv")
    assert set(plan.jobs) == {"base", "train", "respond"}


def test_what_is_measured_of_a_run_are_the_files_of_the_rules_it_is_selected_for():
    run = next(run for run in PAPER.evaluated["probe"] if run in PAPER.evaluated["decode"])
    names = [path.rpartition("/")[2] for path in PAPER.measured([run])]
    assert {"grades.csv", "values.csv", "decoded.csv"} <= set(names)
    assert all(f"/runs/{run.dataset}/{run.method}/seed{run.seed}/" in path for path in PAPER.measured([run]))
    whole = PAPER.measured(PAPER.runs)
    assert len(whole) == len(set(whole)) == sum(map(len, PAPER.evaluated.values()))


def test_each_rule_has_its_numbers_of_thoughts():
    run = PAPER.evaluated["probe"][0]
    trained = PAPER.trained_k(run.dataset, run.method)
    assert PAPER.ks("clock", run) == PAPER.ks("decode", run) == {trained}
    assert PAPER.ks("ending", run) == set(range(trained + 1))
    assert PAPER.ks("probe", run) == set(PAPER.study.probing.k)
    assert PAPER.ks("respond", run) == {trained, *PAPER.study.sweep.k}
    cot = next(run for run in PAPER.runs if run.method == "cot")
    assert PAPER.ks("respond", cot) == {0}


def test_a_generation_spec_names_its_run_and_has_layouts_by_thoughts():
    run = PAPER.evaluated["probe"][0]
    spec = PAPER.generation_spec(run)
    assert spec.run == {"dataset": run.dataset, "method": run.method, "seed": run.seed}
    assert [layout.thoughts for layout in spec.layouts] == sorted(PAPER.ks("respond", run))


@pytest.mark.parametrize("plan", [TOUR, PAPER], ids=["tour", "paper"])
def test_every_stage_starts_from_a_base_model_or_from_a_stage_of_the_same_run(plan):
    for run, chain in plan.chains.items():
        folders = [plan.base_folder(chain[0].base)]
        folders += [f"{plan.stage_folder(run, spec)}/checkpoint" for spec in chain]
        assert [plan.parent_folder(run, spec) for spec in chain] == folders[:-1]
        assert plan.last_checkpoint(run) == folders[-1]


def test_places_lie_in_the_folders_of_the_study():
    plan = plan_of(settings("smoke"))
    run = Run("balanced", "cot", 1)
    (spec,) = plan.chains[run]
    assert (plan.results, plan.logs, plan.benchmarks) == ("results/smoke", "logs/smoke", "benchmarks/smoke")
    assert plan.stage_folder(run, spec) == f"results/smoke/stages/balanced/seed1/stage0-{spec.id}"
    assert plan.base_folder(spec.base) == f"results/smoke/base/seed{spec.base.seed}-{spec.base.id}"
    assert plan.of_runs("x.csv", [run]) == ["results/smoke/runs/balanced/cot/seed1/x.csv"]
    assert plan.questions("balanced", "test") == "results/smoke/data/balanced/test.jsonl"
    assert plan.card("balanced") == "results/smoke/data/balanced/card.json"
    assert plan.vocabulary(spec.base) == [plan.questions(name, "train") for name in plan.datasets]
    assert plan.vocabulary_cards(spec.base) == [plan.card(name) for name in plan.datasets]
    assert plan_of(settings("paper")).vocabulary(next(iter(PAPER.bases.values()))) == []


def test_shards_and_files_are_those_that_a_data_set_names():
    files = {"source": "files"} | {split: {"path": f"{split}.json"} for split in ("train", "valid", "test")}
    plan = plan_of(smoke(["cot"], datasets__balanced__questions=files))
    assert plan.source_files("balanced") == ["train.json", "valid.json", "test.json"]
    assert plan.source_files("prosqa") == plan.shards("prosqa") == plan.shards("balanced") == []
    plan = plan_of(smoke(["cot"], datasets__prosqa__questions__shards=2))
    folder, name = plan.shards("prosqa")[0].rsplit("/", 1)
    assert plan.shards("prosqa") == [f"{folder}/{number}.jsonl" for number in (0, 1)]
    kind, _, own = folder.removeprefix("results/smoke/data/prosqa/").partition("-")
    assert (kind, name) == ("shards", "0.jsonl")
    assert plan.sources[own] == plan.study.datasets["prosqa"].questions


def test_shards_of_other_settings_are_other_files():
    """Shards of seed 0 became questions whose settings said seed 1."""
    study = smoke(["cot"], datasets__prosqa__questions__shards=2)
    other = with_value(study, "datasets.prosqa.questions.seed", 1)
    assert not {*plan_of(study).shards("prosqa")} & {*plan_of(other).shards("prosqa")}


def test_a_job_needs_what_its_data_set_says_and_else_what_the_study_says():
    own = {"train": {"gpus": 2, "memory_mb": 7, "minutes": 1.5}}
    study = settings("smoke")
    study = with_value(study, "datasets.prosqa.machine", own)
    plan = plan_of(with_value(study, "machine.respond", {"gpus": 0, "memory_mb": 9, "minutes": 4}))
    assert (plan.needs("train", "prosqa").gpus, plan.needs("train", "balanced").gpus) == (2, 0)
    assert plan.needs("respond", "prosqa") == plan.needs("respond") == plan.study.machine.respond
    assert plan.needs("base") == plan.study.machine.default


def test_every_job_is_counted_once_and_training_by_its_epochs():
    plan = plan_of(settings("quick"))
    names = [(job.rule, job.name) for jobs in plan.jobs.values() for job in jobs]
    assert len(names) == len(set(names))
    assert {rule: len(jobs) for rule, jobs in plan.jobs.items()} == {
        "base": len(plan.bases),
        "train": len(plan.stages),
        **{rule: len(runs) for rule, runs in plan.evaluated.items() if runs},
    }
    run, chain = next(iter(plan.chains.items()))
    names = {job.name: job for job in plan.jobs["train"]}
    for spec in chain:
        job = names[plan.stage_name(run, spec)]
        assert job.minutes == job.needs.minutes * max(spec.epochs, 1)
        assert job.minutes == plan.training_minutes(run.dataset, spec)


def test_the_longest_chain_of_stages_is_trained_first():
    machine = {"default": {"gpus": 0, "memory_mb": 9, "minutes": 5}}
    study = smoke(["cot", "coconut", "later"], {"later": LATER}, machine=machine)
    plan = plan_of(study)
    ahead = {
        run.method: [plan.minutes_ahead[spec.id] for spec in chain] for run, chain in plan.chains.items()
    }
    assert ahead == {"cot": [30.0], "coconut": [15.0, 10.0, 5.0], "later": [30.0, 15.0, 10.0, 5.0]}
    (base,) = plan.bases
    assert plan.minutes_ahead[base] == 35.0


def test_training_falls_due_in_the_order_of_its_stages():
    for chain in PAPER.chains.values():
        minutes = [PAPER.minutes_ahead[chain[0].base.id], *(PAPER.minutes_ahead[spec.id] for spec in chain)]
        assert minutes == sorted(minutes, reverse=True)
