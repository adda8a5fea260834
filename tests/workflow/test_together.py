"""Two Snakemakes in one folder."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def stage(finished, tmp_path):
    """A project in which all of the smoke study has run but one stage, and the folder of that stage."""
    project = finished.copied_to(tmp_path / "copy")
    (folder,) = (project.folder / "results/smoke/stages/prosqa/seed1").glob("stage2-*")
    shutil.rmtree(folder / "checkpoint")
    (folder / "history.csv").unlink()
    return project, folder


def start_and_stop(project: Project, target: str, state: Path) -> subprocess.Popen:
    """Snakemake, held with all its jobs (SIGSTOP) while one of them has the lock of the folder `state`."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", target, "--configfile", "config/smoke.yaml"]
    variables = os.environ | {"PYTHONPATH": str(project.folder / "src")}
    first = subprocess.Popen(
        command, cwd=project.folder, env=variables, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not any(state.glob("*/")):
        assert first.poll() is None, "Snakemake ended before it trained"
        sleep(0.005)
    os.killpg(first.pid, signal.SIGSTOP)
    return first


def test_a_second_snakemake_is_refused_and_changes_nothing(finished, stage):
    """By Snakemake's lock; with --nolock, by the lock of the stage. The first ends at the same bytes."""
    project, folder = stage
    target = str((folder / "checkpoint").relative_to(project.folder))
    first = start_and_stop(project, target, folder / "state")
    try:
        before = contents(project.folder / "results")
        second = project.snakemake("--cores", "1", target)
        unlocked = project.snakemake("--cores", "1", target, "--nolock")
        after = contents(project.folder / "results")
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout + second.stderr
    assert unlocked.returncode != 0
    assert f"{folder.relative_to(project.folder)}/state: another process works here" in unlocked.stderr
    assert "Traceback" not in second.stderr + unlocked.stderr
    assert after == before
    assert first.wait(300) == 0
    assert not (folder / "state").exists()
    for name in ("history.csv", "checkpoint/model.safetensors"):
        path = folder / name
        assert path.read_bytes() == (finished.folder / path.relative_to(project.folder)).read_bytes(), name
    assert project.planned(target) == {}
