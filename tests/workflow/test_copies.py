"""A study that is copied, as docs/partial_reruns.md says."""

import subprocess
from copy import copy

import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow


def copied(project: Project, folder, *command: str) -> Project:
    subprocess.run([*command, project.folder, folder], check=True)
    twin = copy(project)
    twin.folder = folder
    return twin


def test_a_study_that_is_copied_with_its_times_is_up_to_date(finished, tmp_path):
    assert copied(finished, tmp_path / "copy", "cp", "-a").planned() == {}


def test_a_study_that_is_copied_without_its_times_is_up_to_date_after_touch(finished, tmp_path):
    twin = copied(finished, tmp_path / "copy", "cp", "-r")
    assert twin.snakemake("--touch", "--cores", "1").returncode == 0
    assert twin.planned() == {}
