"""A study through Slurm: jobs beside each other on GPUs of their own, retries, time limits, and Ctrl-C.

One run of the study serves all tests but the last. It takes about four minutes, most of them spent waiting:
Slurm counts time in minutes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest

from tests.workflow.conftest import Project

pytestmark = [pytest.mark.workflow, pytest.mark.cluster]

# Two runs of one stage each, with 64 updates.
STUDY = """
study: smoke
datasets: {balanced: {schedule: {c: 1, stages: 2, epochs: [8, 4, 4]}}}
runs: [{datasets: [balanced], methods: [cot], seeds: [1, 2]}]
sweep: {methods: [], k: []}
machine:
  default: {gpus: 0, memory_mb: 700, minutes: 5}
  train: {gpus: 1, memory_mb: 700, minutes: 5}
"""

# Read by every Python of the jobs. It writes down what each command sees, makes every update of the first
# attempt to train take 3 seconds and its last state 5 more, and ends the first attempt to ask a run.
FAULTS = """
import json, os, sys, time
from pathlib import Path

OUTPUTS = {"train": "--history", "respond": "--responses"}

def first(command):
    given = sys.orig_argv
    if given[1:4] != ["-m", "coconut_study", command]:
        return False
    output = given[given.index(OUTPUTS[command]) + 1]
    record = Path("attempts") / f"{command}-{output.replace('/', '-')}"
    record.parent.mkdir(exist_ok=True)
    with record.open("a") as file:
        seen = {"gpus": os.environ.get("CUDA_VISIBLE_DEVICES"), "job": os.environ["SLURM_JOB_ID"]}
        file.write(json.dumps(seen) + "\\n")
    return len(record.read_text().splitlines()) == 1

if first("respond"):
    sys.stderr.write("out of memory\\n")
    os._exit(1)

if first("train"):
    from coconut_study.common import progress
    from coconut_study.training import saver as states
    plain, save = progress.bar, states.Saver.save
    def slow(items, what, *arguments):
        for item in plain(items, what, *arguments):
            time.sleep(3 * what.startswith("stage"))
            yield item
    def saved(saver, *what):
        time.sleep(5 * bool(saver.stopped))
        save(saver, *what)
        if saver.stopped:
            (Path("attempts") / f"saved-{os.environ['SLURM_JOB_ID']}").touch()
    progress.bar, states.Saver.save = slow, saved
"""

# Both trainings end after 60 to 90 seconds (Slurm looks every 30). Seed 1 saves a state after every update
# and runs into its limit; seed 2 is told before, and saves its first state then.
LIMITS = {
    "runtime": "1 if wildcards.seed == '1' else 2",
    "slurm_extra": "'--nice=0' if wildcards.seed == '1' else '--signal=TERM@30'",
    "save_minutes": "0 if wildcards.seed == '1' else 10",
}
QUICK = ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5"]


class Run:
    """Snakemake on its way through Slurm, with the profile and a process group of its own."""

    def __init__(self, project: Project, slurm, *arguments: str) -> None:
        command = [sys.executable, "-m", "snakemake", "responses", "--workflow-profile", "profiles/slurm"]
        command += [*arguments, *QUICK, "--configfile", "config/smoke.yaml", "cluster.yaml"]
        self.log = project.folder / f"snakemake{len(list(project.folder.glob('snakemake*.log')))}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=project.folder, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | slurm.environment | {"PYTHONPATH": str(project.folder / "src")},
            )  # fmt: skip

    def wait(self, seconds: float) -> int:
        return self.process.wait(timeout=seconds)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Project:
    """Where the study runs without a cluster."""
    project = Project(tmp_path_factory.mktemp("alone"))
    project.write("cluster.yaml", STUDY)
    return project


@pytest.fixture(scope="module")
def clustered(tmp_path_factory, slurm, alone) -> Project:
    """Where the study has run through Slurm, while it ran without one beside it."""
    project = Project(tmp_path_factory.mktemp("clustered"))
    project.write("cluster.yaml", STUDY)
    project.write("src/sitecustomize.py", FAULTS)
    limits = [f"train:{name}={value}" for name, value in LIMITS.items()]
    run = Run(project, slurm, "--set-resources", *limits)
    try:
        done = alone.snakemake("responses", "--cores", "all", also="cluster.yaml")
        assert done.returncode == 0, done.stderr[-2000:]
        assert run.wait(420) == 0, run.log.read_text()[-3000:]
    finally:
        run.interrupt()
        run.wait(60)
    return project


def jobs_of(slurm, rule: str, what: str = "") -> list[dict[str, str]]:
    """The Slurm jobs of a rule, oldest first."""
    return [job for job in slurm.jobs() if job["Comment"].startswith(f"rule_{rule}_wildcards_{what}")]


def test_results_are_those_without_a_cluster(clustered, alone):
    """To the last byte, though every training was broken off and every run asked twice."""
    patterns = [
        "stages/**/model.safetensors",
        "stages/**/history.csv",
        "runs/**/*.jsonl",
        "runs/**/grades.csv",
    ]
    folder, other = (project.folder / "results" / "smoke" for project in (clustered, alone))
    compared = [path.relative_to(other) for pattern in patterns for path in other.glob(pattern)]
    assert len(compared) == 2 * len(patterns)
    for path in compared:
        assert (folder / path).read_bytes() == (other / path).read_bytes(), path


def test_light_rules_stay_where_snakemake_runs(clustered, slurm):
    rules = {job["Comment"].partition("_wildcards")[0] for job in slurm.jobs()}
    assert rules == {"rule_questions", "rule_base", "rule_train", "rule_respond"}
    assert len(list((clustered.folder / "results").rglob("grades.csv"))) == 2


def test_runs_beside_each_other_have_a_gpu_each(clustered, slurm):
    seen = {}
    for path in (clustered.folder / "attempts").glob("train-*"):
        seen |= {row["job"]: row["gpus"] for row in map(json.loads, path.read_text().splitlines())}
    one, two, *again = jobs_of(slurm, "train")
    assert max(one["StartTime"], two["StartTime"]) < min(one["EndTime"], two["EndTime"])
    assert {seen[one["JobId"]], seen[two["JobId"]]} == {"0", "1"}
    assert len(again) == 2
    assert all(seen[job["JobId"]] in ("0", "1") for job in again)


def test_a_failed_job_gets_more_memory_and_time(clustered, slurm):
    for seed in (1, 2):
        failed, done = jobs_of(slurm, "respond", f"balanced_cot_{seed}")
        assert (failed["JobState"], done["JobState"]) == ("FAILED", "COMPLETED")
        assert (failed["MinMemoryNode"], done["MinMemoryNode"]) == ("700M", "1400M")
        assert (failed["TimeLimit"], done["TimeLimit"]) == ("00:10:00", "00:15:00")


@pytest.mark.parametrize(("seed", "state"), [(1, "TIMEOUT"), (2, "FAILED")])
def test_training_that_runs_out_of_time_goes_on(clustered, slurm, seed, state):
    """From the last update that was saved; one takes three seconds."""
    ended, done = jobs_of(slurm, "train", f"balanced_{seed}_")
    assert (ended["JobState"], done["JobState"]) == (state, "COMPLETED")
    (log,) = (clustered.folder / "logs/smoke/train/balanced" / f"seed{seed}").glob("*.log")
    updates, epoch = map(int, re.findall(r"resuming after (\d+) updates of epoch (\d+)", log.read_text())[0])
    hours, minutes, seconds = map(int, ended["RunTime"].split(":"))
    assert 1 <= updates + 4 * (epoch - 1) <= (3600 * hours + 60 * minutes + seconds) / 3


def test_a_job_lasts_until_its_state_is_saved(clustered, slurm):
    """Where a signal comes before the limit. What outlives its job is killed on most clusters."""
    ended, _ = jobs_of(slurm, "train", "balanced_2_")
    saved = (clustered.folder / "attempts" / f"saved-{ended['JobId']}").stat().st_mtime
    assert saved < datetime.fromisoformat(ended["EndTime"]).timestamp() + 1


def test_nothing_is_left_to_do_or_to_clean(clustered):
    assert clustered.planned("responses", also="cluster.yaml") == {}
    assert not list((clustered.folder / "results").rglob("state"))


def test_ctrl_c_cancels_what_runs(clustered, slurm):
    """With the profile just as it is; afterwards nothing is locked, and what was cancelled is to be done."""
    shutil.rmtree(clustered.folder / "attempts")  # the next attempt to train is slow again
    before = len(slurm.jobs())
    run = Run(clustered, slurm, "--forcerun", "train")
    try:
        until = time.monotonic() + 90
        while [job["JobState"] for job in slurm.jobs()[before:]] != ["RUNNING"] * 2:
            assert run.process.poll() is None, run.log.read_text()[-3000:]
            assert time.monotonic() < until
            time.sleep(1)
    finally:
        run.interrupt()
    assert run.wait(60) != 0
    until = time.monotonic() + 60
    while (states := {job["JobState"] for job in slurm.jobs()[before:]}) != {"CANCELLED"}:
        assert time.monotonic() < until, states
        time.sleep(1)
    assert [job["TimeLimit"] for job in slurm.jobs()[before:]] == ["01:25:00"] * 2  # 16 epochs, and to start
    assert clustered.planned("checkpoints", also="cluster.yaml")["train"] == 2
