"""A user who is not root, may write in one folder alone, and has no home."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow

NOBODY = 65534
# Python may lie where only root can read, so this user may read every file.
AS_NOBODY = [
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
OVERLAY = """
study: smoke
datasets: {balanced: {schedule: {stages: 0, epochs: [1]}}}
runs: [{datasets: [balanced], methods: [cot], seeds: [1]}]
sweep: {methods: [], k: []}
"""


@pytest.fixture
def as_user() -> list[str]:
    """The beginning of a command that runs as a user other than root."""
    if os.getuid():
        return []
    if shutil.which("setpriv") is None or subprocess.run([*AS_NOBODY, "true"]).returncode:
        pytest.skip("root cannot start a process of another user here")
    return AS_NOBODY


@pytest.fixture
def folder():
    """A folder that every user can reach, whose path has a space, an apostrophe and an umlaut."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        folder = Path(path) / "a user's \u00c4pfel"
        folder.mkdir()
        yield folder


def test_a_study_runs_as_a_user_who_owns_nothing_but_its_folder(as_user, folder):
    project = Project(folder)
    project.write("part.yaml", OVERLAY)
    own, home = [folder / name for name in ("work", "home")]
    own.mkdir()
    home.mkdir(mode=0o555)
    if as_user:
        os.chown(own, NOBODY, NOBODY)
    for path in folder.rglob("*"):
        if path not in (own, home):
            path.chmod(0o555 if path.is_dir() else 0o444)
    targets = ["results/smoke/tables/seeds.csv", "results/smoke/figures/learning-balanced.svg"]
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", folder / "Snakefile", "--cores", "all", *targets,
        "--configfile", folder / "config/smoke.yaml", folder / "part.yaml",
    ]  # fmt: skip
    caches = {"HOME": str(home), "XDG_CACHE_HOME": str(own / "cache")}
    variables = os.environ | caches | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run([*as_user, *command], cwd=own, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert pd.read_csv(own / targets[0])["method"].tolist() == ["cot"]
    assert (own / targets[1]).stat().st_size > 1000
    owners = {path.stat().st_uid for path in own.rglob("*")}
    assert owners == {NOBODY if as_user else os.getuid()}
    assert not any(home.iterdir())
