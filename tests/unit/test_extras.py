"""Every library that the package imports is a dependency; if one is missing, its extra is named."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coconut_study import __main__ as program
from coconut_study.common.errors import EXTRAS, missing

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def imported() -> set[str]:
    """The libraries that the package imports."""
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    return found - {*sys.stdlib_module_names, "coconut_study"}


def names(lines: list[str]) -> set[str]:
    """The distributions that requirements name."""
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_every_library_is_a_dependency_or_in_the_extra_that_the_program_names():
    core, extras = names(PROJECT["dependencies"]), PROJECT["optional-dependencies"]
    distributions = packages_distributions()
    unnamed = {
        library for library in imported()
        if core.isdisjoint(map(canonicalize_name, distributions[library]))
    } - {"pydantic_core"}  # of pydantic  # fmt: skip
    assert unnamed == EXTRAS.keys()
    for library, extra in EXTRAS.items():
        assert not names(extras[extra]).isdisjoint(map(canonicalize_name, distributions[library])), library


def test_a_command_whose_library_is_missing_names_the_extra(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["coconut", "runs", "nowhere"])

    def absent() -> None:
        raise ModuleNotFoundError("No module named 'sklearn.linear_model'", name="sklearn.linear_model")

    monkeypatch.setattr(program, "app", lambda _: absent())
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "error: sklearn is not installed; install the extra workflow: pip install -e '.[workflow]'\n"
    )


def test_a_library_of_no_extra_is_not_named():
    assert missing(ModuleNotFoundError("No module named 'other'", name="other")) is None
