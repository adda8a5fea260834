"""A study through the profile for any scheduler, with the commands as they are shipped."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.conftest import Project

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.cluster,
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_cluster_generic") is None,
        reason="the executor is not installed: pip install -c constraints.txt -e '.[generic]'",
    ),
]

# The first attempt to make questions fails; later ones sleep where there is a file `wait`.
FAULT = """
import os, sys, time
from pathlib import Path

if sys.orig_argv[1:4] == ["-m", "coconut_study", "questions"]:
    if not (tried := Path("tried")).exists():
        tried.touch()
        os._exit(1)
    if (wait := Path("wait")).exists():
        wait.unlink()
        time.sleep(600)
"""

QUESTIONS = "results/smoke/data/prosqa/test.jsonl"
STATISTICS = "results/smoke/data/prosqa/test.csv"
PROFILE = ["--workflow-profile", "profiles/generic", "--seconds-between-status-checks", "1"]


@pytest.fixture(scope="module")
def generic(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("generic"))
    project.write("src/sitecustomize.py", FAULT)
    return project


def test_results_are_those_without_a_cluster(generic, tmp_path):
    """A job that failed is submitted again with twice the memory; light rules are not submitted."""
    done = generic.snakemake(STATISTICS, *PROFILE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert re.findall(r"rule questions:.*?mem_mb=(\d+)", said, flags=re.DOTALL) == ["4000", "8000"]
    assert len(re.findall("Submitted job", said)) == 2
    alone = Project(tmp_path)
    assert alone.snakemake(STATISTICS, "--cores", "1").returncode == 0
    for name in (QUESTIONS, STATISTICS):
        assert (generic.folder / name).read_bytes() == (alone.folder / name).read_bytes()


def test_ctrl_c_ends_what_runs(generic):
    """With all that it started; what was cancelled is to be done."""
    (generic.folder / "wait").touch()
    command = [sys.executable, "-m", "snakemake", QUESTIONS, "--forcerun", "questions", *PROFILE]
    run = subprocess.Popen(
        [*command, "--configfile", "config/smoke.yaml"], cwd=generic.folder, text=True,
        env=os.environ | {"PYTHONPATH": str(generic.folder / "src")}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while (generic.folder / "wait").exists():
            assert run.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    assert run.returncode != 0, said
    newest = max(generic.folder.glob(".snakemake/generic/job.*"), key=lambda path: path.stat().st_mtime)
    session = (newest / "session").read_text().strip()
    until = time.monotonic() + 30
    while subprocess.run(["pgrep", "-s", session], stdout=subprocess.DEVNULL, check=False).returncode == 0:
        assert time.monotonic() < until, "the job still runs"
        time.sleep(0.2)
    assert generic.planned(QUESTIONS)["questions"] == 1
