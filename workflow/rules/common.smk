"""The checked study, where things live, and what the rules ask about it. No logic of a step."""

import json
import os
import sys

from snakemake.exceptions import WorkflowError

from coconut_study.config import read_study
from coconut_study.errors import StudyError
from coconut_study.provenance import sources

try:
    study = read_study(config)
except StudyError as error:
    raise WorkflowError(str(error))

# The commands run in the environment that Snakemake runs in, active or not.
shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':\"$PATH\"; ")

SPLITS = ["train", "valid", "test"]
RESULTS = f"results/{study.study}"
RUNS = list(study.run_keys())
CHAINS = {run: study.chain(*run) for run in RUNS}
# Runs that agree on a stage share it: a stage is named by what determines it (see StageSpec.id).
STAGES = {spec.id: spec for chain in CHAINS.values() for spec in chain}
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
    seed=r"\d+",
    stage=r"\d+",
    id=r"[0-9a-f]{8}",
    split="train|valid|test",


def stage_folder(run, spec):
    """The folder of a stage of a run."""
    dataset, _, seed = run
    return f"{RESULTS}/stages/{dataset}/seed{seed}/stage{spec.stage}-{spec.id}"


def parent_checkpoint(wildcards):
    """What a stage starts from: the stage before, or the base model."""
    spec = STAGES[wildcards.id]
    if spec.parent is None:
        return f"{RESULTS}/base/seed{spec.base.seed}"
    return (
        f"{RESULTS}/stages/{wildcards.dataset}/seed{wildcards.seed}"
        f"/stage{STAGES[spec.parent].stage}-{spec.parent}/checkpoint"
    )


def last_checkpoint(wildcards):
    """What a finished run is asked with."""
    run = (wildcards.dataset, wildcards.method, int(wildcards.seed))
    return f"{stage_folder(run, CHAINS[run][-1])}/checkpoint"


def base_questions(wildcards):
    """The questions a new model learns its words from."""
    names = study.datasets if study.model.architecture else []
    return [f"{RESULTS}/data/{name}/train.jsonl" for name in names]


def code(module):
    """The package files behind a command: editing one reruns the steps that use it and no others."""
    return [os.path.relpath(path) for path in sources(module)]
