"""The checked study, where things live, and what the rules ask about it. No logic of a step."""

import json
import os
import sys
from hashlib import sha256
from math import ceil
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError
from coconut_study.common.files import written
from coconut_study.common.settings import merged
from coconut_study.study.definition import read_study
from coconut_study.training import preflight

CONFIG = os.path.relpath(str(workflow.current_basedir.join("../../config").get_path_or_uri(True)))
PAPER = f"{CONFIG}/paper_numbers.yaml"  # workflow.source_path gives a copy, at every start another
with open(PAPER) as file:
    paper = yaml.safe_load(file)["names"]
with open(f"{CONFIG}/methods.yaml") as file:
    methods = yaml.safe_load(file)  # of the paper; a study may add to them and change them
try:
    study = read_study(merged(methods, config), paper)
except StudyError as error:
    raise WorkflowError(str(error))

# The commands run in the environment that Snakemake runs in, active or not.
shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':\"$PATH\"; ")

SPLITS = ["train", "valid", "test"]
START_MINUTES = 5  # to start a job on a cluster, and to save its state before time is up
RESULTS = f"results/{study.study}"
BENCHMARKS = f"benchmarks/{study.study}"
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
    benchmarks=BENCHMARKS,


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
    return study.needs(rule, wildcards.get("dataset"))


def job_resources(rule, minutes=None):
    """What the jobs of a rule ask a scheduler for; more memory and time after an attempt that failed."""

    def runtime(wildcards, attempt):
        wanted = minutes(wildcards) if minutes else attempt * needs(rule, wildcards).minutes
        return ceil(wanted) + START_MINUTES

    return {
        "gpu": lambda wildcards: needs(rule, wildcards).gpus,
        "jobs_per_gpu": study.machine.jobs_per_gpu,
        "mem_mb": lambda wildcards, attempt: attempt * needs(rule, wildcards).memory_mb,
        "runtime": runtime,
    }


def trained_k(wildcards):
    """The number of thoughts a run was trained for."""
    return study.trained_k(wildcards.dataset, wildcards.method)


def code(command):
    """What stands for the code behind a command: an edit of it reruns the jobs of its rule."""
    return provenance.code(provenance.command(command))


def in_file(*arguments):
    """An argument that stands for many: a file that lists them. A command line holds 128 KB."""
    text = "".join(f"{argument}\n" for argument in arguments)
    path = Path(".snakemake/arguments") / sha256(text.encode()).hexdigest()[:16]
    if not path.exists():
        with written(path) as file:
            file.write(text)
    return f"@{path}"


def listed(*names, **options):
    """An argument that stands for the input files of these names, and those of options."""

    def argument(wildcards, input):
        files = [path for name in names for path in input.get(name)]
        files += [
            f"{option}={path}" for name, option in options.items() for path in input.get(name)
        ]
        return in_file(*files)

    return argument


# The runs that each of the rules for finished runs is for.
ASKED = {
    "respond": RUNS,
    "clock": runs_of(study.clock),
    "ending": runs_of(study.ending),
    "probe": runs_of(study.probing),
    "decode": runs_of(study.decoding),
}
MEASURED = {
    "respond": "grades.csv",
    "clock": "clock.csv",
    "ending": "ending.csv",
    "probe": "values.csv",
    "decode": "decoded.csv",
}


def measured(runs):
    """All that the study measures of some runs."""
    wanted = set(runs)
    return [
        path
        for rule, name in MEASURED.items()
        for path in of_runs(name, [run for run in ASKED[rule] if run in wanted])
    ]


def lacking():
    """What the jobs that are about to run need from outside, and cannot have."""
    jobs = list(workflow.dag.needrun_jobs())
    models = [BASES[job.wildcards.id].model for job in jobs if job.name == "base"]
    sources = [
        study.datasets[job.wildcards.dataset].questions for job in jobs if job.name == "questions"
    ]
    return preflight.mistakes(models, sources)


onstart:
    if wrong := lacking():
        raise WorkflowError("\n".join(f"study: {line}" for line in wrong))
