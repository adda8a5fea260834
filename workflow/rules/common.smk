"""The checked study, its plan, and what several rule files use. The logic of the plan is in coconut_study.study."""

import os
import shlex
import sys
from math import ceil
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from coconut_study.common import arguments, provenance
from coconut_study.common.errors import StudyError
from coconut_study.common.reading import read_yaml
from coconut_study.common.settings import merged
from coconut_study.questions import card as cards
from coconut_study.study.load import read_study
from coconut_study.study.plan import SPLITS, Plan
from coconut_study.study.runs import Ask, Run
from coconut_study.training import preflight

CONFIG = os.path.relpath(str(workflow.current_basedir.join("../../config").get_path_or_uri(True)))
PAPER = f"{CONFIG}/paper_numbers.yaml"  # workflow.source_path would give a copy, a new one at every start
try:
    # Snakemake has read these files, and takes the last of two equal keys; `read_yaml` refuses them.
    for path in workflow.configfiles:
        read_yaml(Path(str(path)))
    paper = read_yaml(Path(PAPER))["names"]
    methods = read_yaml(Path(CONFIG, "methods.yaml"))  # a study may add to them and change them
    study = read_study(merged(methods, config), paper)
except StudyError as error:
    raise WorkflowError(str(error))
plan = Plan(study)

# The commands run in the environment that Snakemake runs in, even if it is not activated.
shell.prefix(f'export PATH={shlex.quote(os.path.dirname(sys.executable))}:"$PATH"; ')

# What stands before `python -m coconut_study` where a model is used: the job gets GPUs of its own.
ON_GPUS = (
    "python -m coconut_study.common.gpus --gpus {resources.gpu}"
    " --jobs-per-gpu {resources.jobs_per_gpu} -- "
)
START_MINUTES = 5  # to start a job on a cluster, and to save its state before its time is up


pathvars:
    results=plan.results,
    run=r"{dataset}/{method}/seed{seed,\d+}",
    stage="stages/{dataset}/seed{seed}/stage{stage}-{id}",
    logs=plan.logs,
    benchmarks=plan.benchmarks,


wildcard_constraints:
    dataset="|".join(study.datasets),
    method="|".join(study.methods),
    asked="|".join(study.datasets),
    trained="|".join(study.datasets),
    comparison="|".join(study.comparisons),
    seed=r"\d+",
    stage=r"\d+",
    shard=r"\d+",
    id=r"[0-9a-f]{8}",
    split="|".join(SPLITS),


def run_of(wildcards):
    """The run that wildcards name."""
    return Run(wildcards.dataset, wildcards.method, int(wildcards.seed))


def need(rule, key):
    """What a job of a rule needs of the machine, as a function of its wildcards."""
    return lambda wildcards: getattr(plan.needs(rule, wildcards.get("dataset")), key)


def job_resources(rule):
    """What a job of a rule requests from a scheduler: more memory and time after each failed attempt."""
    minutes, memory_mb = need(rule, "minutes"), need(rule, "memory_mb")
    return {
        "gpu": need(rule, "gpus"),
        "jobs_per_gpu": study.machine.jobs_per_gpu,
        "mem_mb": lambda wildcards, attempt: attempt * memory_mb(wildcards),
        "runtime": lambda wildcards, attempt: ceil(attempt * minutes(wildcards)) + START_MINUTES,
    }


def code(command):
    """A digest of the code behind a command: an edit of the code reruns the jobs of the rule."""
    return provenance.code(provenance.command(command))


def in_file(*lines):
    """One argument that stands for many, which are written to a file."""
    return arguments.in_file(Path(".snakemake/arguments"), *lines)


def refuse(sentences):
    """End with an error that consists of these sentences, if there are any."""
    if sentences:
        raise WorkflowError("\n".join(f"study: {line}" for line in sentences))


def outdated(datasets):
    """A sentence for each data set whose questions are there and were made with other settings."""
    wanted = {Path(plan.card(name)): plan.question_settings(name) for name in datasets}
    return cards.outdated(wanted)


# What was made with other settings is made again by Snakemake, if it has records of what it ran. Results that were
# copied without the folder .snakemake have none.
if any(Path(".snakemake").glob("metadata/*")) or Path(".snakemake/metadata.db").exists():
    for line in outdated(plan.used):
        logger.warning(line)
else:
    refuse([f"{line}; {cards.REMEDY}" for line in outdated(plan.used)])
    if Path(plan.results).exists():
        logger.warning(
            f"{plan.results}: Snakemake has no records (.snakemake) of how these results were made and compares"
            " times alone: settings that were changed since run nothing again"
        )


def unavailable(jobs):
    """A sentence for each model and data set that the jobs about to run need and cannot get."""
    models = [plan.bases[job.wildcards.id].model for job in jobs if job.name == "base"]
    sources = [study.datasets[name].questions for name in drawn_by(jobs)]
    return preflight.mistakes(models, sources)


def drawn_by(jobs):
    """The data sets whose questions some of the jobs make."""
    return {job.wildcards.dataset for job in jobs if job.name in ("questions", "derive")}


onstart:
    jobs = list(workflow.dag.needrun_jobs())
    kept = drawn_by(workflow.dag.jobs) - drawn_by(jobs)
    refuse(unavailable(jobs) + [f"{line}; {cards.REMEDY}" for line in outdated(kept)])
