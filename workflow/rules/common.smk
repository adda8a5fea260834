"""The checked study, where things live, and what the rules ask about it. No logic of a step."""

import json
import os
import sys
from math import ceil

import yaml
from snakemake.exceptions import WorkflowError

from coconut_study import outside
from coconut_study.errors import StudyError
from coconut_study.provenance import sources
from coconut_study.study import read_study

with open("config/paper_numbers.yaml") as file:
    paper = yaml.safe_load(file)["names"]
try:
    study = read_study(config, paper)
except StudyError as error:
    raise WorkflowError(str(error))

# The commands run in the environment that Snakemake runs in, active or not.
shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':\"$PATH\"; ")

SPLITS = ["train", "valid", "test"]
RESULTS = f"results/{study.study}"
RUNS = list(study.run_keys())
DATASETS = list(dict.fromkeys(dataset for dataset, _, _ in RUNS))
CHAINS = {run: study.chain(*run) for run in RUNS}
# Runs that agree on a stage share it: a stage is named by what determines it (see StageSpec.id).
STAGES = {spec.id: spec for chain in CHAINS.values() for spec in chain}
BASES = {spec.base.id: spec.base for spec in STAGES.values()}
TITLES = {name: row.title for name, row in {**study.datasets, **study.methods}.items()}


pathvars:
    results=RESULTS,
    run="{dataset}/{method}/seed{seed}",
    stage="stages/{dataset}/seed{seed}/stage{stage}-{id}",
    logs=f"logs/{study.study}",
    benchmarks=f"benchmarks/{study.study}",


wildcard_constraints:
    dataset="|".join(study.datasets),
    method="|".join(study.methods),
    comparison="|".join(study.comparisons),
    seed=r"\d+",
    stage=r"\d+",
    shard=r"\d+",
    id=r"[0-9a-f]{8}",
    split="train|valid|test",


def base_folder(base):
    """The folder of a base model."""
    return f"{RESULTS}/base/seed{base.seed}-{base.id}"


def stage_name(run, spec):
    """A stage of a run: its place below the folders of stages, logs and benchmarks."""
    dataset, _, seed = run
    return f"{dataset}/seed{seed}/stage{spec.stage}-{spec.id}"


def stage_folder(run, spec):
    """The folder of a stage of a run."""
    return f"{RESULTS}/stages/{stage_name(run, spec)}"


def parent_checkpoint(wildcards):
    """What a stage starts from: the stage before, or the base model."""
    spec = STAGES[wildcards.id]
    if spec.parent is None:
        return base_folder(spec.base)
    run = (wildcards.dataset, None, wildcards.seed)
    return f"{stage_folder(run, STAGES[spec.parent])}/checkpoint"


def last_checkpoint(wildcards):
    """What a finished run is asked with."""
    run = (wildcards.dataset, wildcards.method, int(wildcards.seed))
    return f"{stage_folder(run, CHAINS[run][-1])}/checkpoint"


def runs_of(selection):
    """The runs that an experiment is about; none where the study leaves it out."""
    selected = study.selected(selection)
    return [run for run in RUNS if run[:2] in selected]


def of_runs(name, runs=RUNS):
    """A result of every run, or of some."""
    return [f"{RESULTS}/runs/{d}/{m}/seed{s}/{name}" for d, m, s in runs]


def named_by_paper(rows):
    """From the paper's name of a data set or method to ours that stand for it."""
    names = {}
    for name, row in rows.items():
        if row.paper is not None:
            names.setdefault(row.paper, []).append(name)
    return names


def asking(wildcards, ks=None):
    """All that determines the responses of a run."""
    run = (wildcards.dataset, wildcards.method, int(wildcards.seed))
    return study.asking(*run, ks).model_dump_json()


def needs(rule, wildcards):
    """What a job needs of the machine."""
    return study.needs(rule, wildcards.dataset)


def trained_k(wildcards):
    """The number of thoughts a run was trained for."""
    return study.trained_k(wildcards.dataset, wildcards.method)


def code(*modules):
    """The package files behind a command: editing one reruns the steps that use it and no others."""
    paths = dict.fromkeys(path for module in modules for path in sources(module))
    return [os.path.relpath(path) for path in paths]


# The runs that each of the rules for finished runs is for.
ASKED = {
    "respond": RUNS,
    "clock": runs_of(study.clock),
    "ending": runs_of(study.ending),
    "probe": runs_of(study.probing),
    "decode": runs_of(study.decoding),
}


def lacking():
    """What the jobs that are about to run need from outside, and cannot have."""
    jobs = list(workflow.dag.needrun_jobs())
    models = [BASES[job.wildcards.id].model for job in jobs if job.name == "base"]
    sources = [
        study.datasets[job.wildcards.dataset].questions for job in jobs if job.name == "questions"
    ]
    return outside.mistakes(models, sources)


onstart:
    if wrong := lacking():
        raise WorkflowError("\n".join(f"study: {line}" for line in wrong))
