"""A copy of the project in which the smoke study has run, and a way to ask Snakemake what it would do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from copy import copy
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Snakefile", "workflow", "config", "profiles", "src")


class Project:
    """A checkout of its own, with its own package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / part)

    def copied_to(self, folder: Path, *left_out: str) -> Project:
        """A copy of this project as it is now, without some of the folders in it."""
        shutil.copytree(self.folder, folder, symlinks=True)
        for name in left_out:
            shutil.rmtree(folder / name)
        twin = copy(self)
        twin.folder = folder
        return twin

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a Python module in the project."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def snakemake(self, *arguments: str, study: str | None = "smoke", also: str = ""):
        """Run Snakemake on a study, with more config files laid over it."""
        files = [f"config/{study}.yaml"] * bool(study) + [also] * bool(also)
        configured = ["--configfile", *files] if files else []
        return self.run("snakemake", *arguments, *configured)

    def planned(self, *targets: str, **how: str) -> dict[str, int]:
        """Jobs of a dry run by rule, `all` left out."""
        return self.counted(self.snakemake(*targets, "--dry-run", "--quiet", "rules", **how))

    @staticmethod
    def counted(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
        """Jobs that a dry run lists, by rule."""
        assert done.returncode == 0, done.stderr
        found = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
        return {rule: int(count) for rule, count in found if rule not in ("all", "total")}

    def write(self, name: str, text: str) -> str:
        """Write a file into the project."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def edited(self, name: str):
        """A block in which a source file has one more line."""
        return Edited(self.folder / name)


class Edited:
    """A file with one more line, for the length of a block."""

    def __init__(self, path: Path) -> None:
        self.path, self.before = path, path.read_text(encoding="utf-8")

    def __enter__(self) -> None:
        self.path.write_text(self.before + "\nEDITED = True\n", encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        self.path.write_text(self.before, encoding="utf-8")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """A project in which nothing has run."""
    return Project(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory, fresh) -> Project:
    """A project in which the smoke study has run to its report: a copy for each process of tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            folder.mkdir()
            done = Project(folder).snakemake(
                "--cores", "all", "--report", "results/smoke/report.html", "--report-after-run",
                "--report-stylesheet", "workflow/report/report.css",
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    project = copy(fresh)
    project.folder = folder
    return project.copied_to(tmp_path_factory.mktemp("finished") / "project")
