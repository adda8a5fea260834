"""A throw-away cluster, and a project whose jobs fail in ways that a test chooses."""

from __future__ import annotations

import importlib.util

import pytest

from .slurm import Slurm, missing

PLUGIN = "snakemake_executor_plugin_slurm"


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
