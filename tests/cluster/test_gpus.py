"""A study on one machine with several GPUs, of which there are names only."""

from __future__ import annotations

import pytest

from coconut_study.common.gpus import BATCH_JOBS
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

STUDY = """
study: smoke
runs: [{datasets: [balanced], methods: [cot], seeds: [1, 2]}]
sweep: {methods: [], k: []}
machine:
  default: {gpus: 0, memory_mb: 700, minutes: 5}
  train: {gpus: 1, memory_mb: 700, minutes: 5}
"""


def test_runs_beside_each_other_have_a_gpu_each(tmp_path, monkeypatch):
    """As the first line of their logs says; a rule without GPUs has none."""
    for name in BATCH_JOBS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6,7")
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    project.write("gpus.yaml", STUDY)
    machine = ["--workflow-profile", "profiles/gpu", "--cores", "2", "--resources", "gpu=2"]
    done = project.snakemake("checkpoints", *machine, also="gpus.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    logs = project.folder / "logs" / "smoke"
    seen = {path.read_text().splitlines()[0] for path in (logs / "train").rglob("*.log")}
    assert seen == {"CUDA_VISIBLE_DEVICES=6", "CUDA_VISIBLE_DEVICES=7"}
    assert not any("CUDA_VISIBLE_DEVICES" in path.read_text() for path in (logs / "base").rglob("*.log"))
