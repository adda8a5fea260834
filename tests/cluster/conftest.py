"""A throw-away cluster, and a project whose jobs fail in ways that a test chooses."""

from __future__ import annotations

import importlib.util
import shlex
import sys

import pytest

from .slurm import Slurm, missing

PLUGIN = "snakemake_executor_plugin_slurm"


@pytest.fixture(scope="session", autouse=True)
def _plain_path():
    """Snakemake's executors for clusters write the path of Python into their scripts without quoting it."""
    if shlex.quote(sys.executable) != sys.executable:
        pytest.skip(f"jobs of a cluster cannot start {sys.executable}: its path has to be quoted")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A Slurm that runs; the test is skipped where there can be none."""
    if lacking := missing():
        pytest.skip(f"Slurm is not installed: {', '.join(lacking)} not found")
    if importlib.util.find_spec(PLUGIN) is None:
        pytest.skip("the executor is not installed: pip install -c constraints.txt -e '.[slurm]'")
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    wrong = cluster.start()
    try:
        if wrong is not None:
            pytest.skip(f"a throw-away Slurm does not start here: {wrong}")
        yield cluster
    finally:
        cluster.stop()
