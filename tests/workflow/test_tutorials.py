"""The pages of docs/tutorials run as they are printed, each in a checkout of its own.

A block that starts with a comment `# NAME` is a file. In a `console` block the lines after `$ ` are commands,
and what follows a command is its output, where `...` stands for anything; a command without output need only
succeed. The `pycon` blocks of a page are one session, which runs last.
"""

import os
import re
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from importlib.util import find_spec

import pytest

from .conftest import ROOT, Project

PAGES = ROOT / "docs" / "tutorials"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\w+\.\w+)\n")

pytestmark = pytest.mark.workflow


class Tutorial:
    """A page, and the folder in which its blocks run."""

    def __init__(self, page: str, project: Project) -> None:
        self.blocks = FENCE.findall((PAGES / page).read_text(encoding="utf-8"))
        self.project = project
        tools = project.folder / "bin"
        tools.mkdir()
        (tools / "coconut").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m coconut_study "$@"\n')
        (tools / "coconut").chmod(0o755)
        path = os.pathsep.join([str(tools), os.path.dirname(sys.executable), os.environ["PATH"]])
        self.environment = os.environ | {
            "PATH": path, "PYTHONPATH": str(project.folder / "src"), "COLUMNS": "100", "NO_COLOR": "1",
        }  # fmt: skip

    def run(self) -> None:
        """Run every block."""
        session = ""
        for kind, text in self.blocks:
            if name := FILE.match(text):
                self.project.write(name[1], text)
            elif kind == "console":
                for shown in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                    self.check(*re.split(r"(?<!\\)\n", shown, maxsplit=1))
            elif kind == "pycon":
                session += text + "\n"
        if session:
            self.project.write("session.txt", session)
            self.check("python -m doctest -o ELLIPSIS -o NORMALIZE_WHITESPACE session.txt", "")

    def check(self, command: str, output: str) -> None:
        """Run a command and compare what it prints, if the page shows it."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.project.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) == ("rror" not in output), f"$ {command}\n{done.stdout}"
        if output.strip():
            alike = OutputChecker().check_output(output, done.stdout, ELLIPSIS | NORMALIZE_WHITESPACE)
            assert alike, f"$ {command}\n{done.stdout}\n--- the page shows ---\n{output}"


@pytest.fixture
def checkout(tmp_path) -> Project:
    """A checkout in which nothing has run."""
    (tmp_path / "checkout").mkdir()
    return Project(tmp_path / "checkout")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["your_questions.md", "hub_model.md", "thoughts.md"])
def test_a_tutorial_runs_as_it_is_printed(checkout, page):
    Tutorial(page, checkout).run()


@pytest.mark.slow
def test_the_tutorial_of_a_method_runs_after_the_smoke_study(finished, tmp_path):
    Tutorial("method.md", finished.copied_to(tmp_path / "copy")).run()


def test_the_tutorial_of_gpus_plans_what_it_shows(checkout):
    Tutorial("gpus.md", checkout).run()


@pytest.mark.skipif(find_spec("snakemake_executor_plugin_slurm") is None, reason="needs the extra slurm")
def test_the_tutorial_of_slurm_plans_what_it_shows(checkout):
    Tutorial("slurm.md", checkout).run()


def test_every_tutorial_is_run():
    tried = {"your_questions.md", "hub_model.md", "thoughts.md", "method.md", "gpus.md", "slurm.md"}
    assert {page.name for page in PAGES.glob("*.md")} == tried
