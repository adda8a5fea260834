"""The container recipes, which no test builds: what they copy is there, and both install the same pins."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
DOCKER = (ROOT / "Dockerfile").read_text(encoding="utf-8")
APPTAINER = (ROOT / "coconut-study.def").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = {"pyproject.toml", "constraints.txt", "Snakefile", "src", "workflow", "config", "profiles"}


def copied_by_docker() -> set[str]:
    lines = re.findall(r"^COPY (.*)$", DOCKER, flags=re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def copied_by_apptainer() -> set[str]:
    files = APPTAINER.partition("%files\n")[2].partition("\n\n")[0]
    return {line.split()[0] for line in files.splitlines()}


@pytest.mark.parametrize("copied", [copied_by_docker(), copied_by_apptainer()])
def test_what_is_copied_is_there_and_is_all_that_a_study_needs(copied):
    assert copied >= NEEDED
    assert {PROJECT["readme"], *PROJECT["license-files"]} <= copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_what_docker_copies_is_not_ignored():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied_by_docker()


@pytest.mark.parametrize("recipe", [DOCKER, APPTAINER])
def test_both_install_the_project_by_its_pins_on_a_python_it_takes(recipe):
    (install,) = re.findall(r"pip install (.*)", recipe)
    assert "--constraint constraints.txt" in install
    assert install.endswith("--editable '.[workflow,lora,hub]'")
    (python,) = re.findall(r"^(?:FROM|From:) python:(\S+)-slim$", recipe, flags=re.MULTILINE)
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert re.search(r"pip install --no-cache-dir (\$PIP|\{\{ pip \}\}) ", recipe)
    assert "://" not in recipe  # whoever builds it says where packages come from


def test_every_dependency_has_a_pin_that_fits():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(";")[0].strip().split("==") for line in lines if "==" in line.partition(";")[0]]
    pins = {canonicalize_name(name): pin for name, pin in pairs}
    extras = PROJECT["optional-dependencies"].values()
    wanted = [Requirement(line) for lines in (PROJECT["dependencies"], *extras) for line in lines]
    assert len(wanted) > 30
    for requirement in wanted:
        if requirement.name == PROJECT["name"]:  # an extra that has another
            continue
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement
