"""The code behind a result, in a small package of its own and in this one."""

import os
import subprocess
import sys

import grimp
import pytest

from coconut_study.common import provenance

FILES = {
    "common/errors.py": "class StudyError(ValueError):\n    pass\n",
    "common/files.py": "from pkg.common.errors import StudyError\n\n\ndef write(text):\n    return text\n",
    "model/settings.py": "from pkg.model import layers\n",
    "model/layers.py": "DEPTH = 2\n",
    "model/loop.py": (
        "from __future__ import annotations\n\n"
        "from typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from pkg.model import layers\n\n\n"
        "def loop(train, valid):\n"
        "    # comment\n"
        "    return train, valid\n"
    ),
    "model/sharding.py": "WORLD = 1\n",
    "model/commands.py": (
        "from pkg.common.files import write\n"
        "from pkg.model.settings import Settings\n\n"
        "RATE = 3\n"
        "OTHER = 4\n\n\n"
        "def helper(x):\n    return x + RATE\n\n\n"
        'def fit(train, valid, minutes=10):\n    """Fit."""\n    from pkg.model.loop import loop\n\n'
        "    write(helper(loop(train, valid)))\n\n\n"
        "def big_fit(train):\n    if train:\n        from pkg.model import sharding\n\n"
        "        return sharding.WORLD * OTHER\n\n\n"
        "def nothing():\n    return 1\n"
    ),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a package with two commands that `provenance` takes for its own."""
    for name, text in FILES.items():
        path = tmp_path / "pkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "pkg")
    return tmp_path / "pkg"


def digests():
    return {name: provenance.code(provenance.command(name)) for name in ("fit", "big-fit", "nothing")}


@pytest.fixture
def changed(package):
    """The commands whose digest an edit changes."""

    def edit(file, old, new):
        before = digests()
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new))
        after = digests()
        return {name for name in before if before[name] != after[name]}

    return edit


def test_a_command_is_found_in_its_package(package):
    assert provenance.command("big-fit") == provenance.command("big_fit") == "model.commands:big_fit"
    with pytest.raises(LookupError, match="no package has a command fitt"):
        provenance.command("fitt")


def test_modules_are_those_that_are_imported_anywhere_but_for_types(package):
    assert provenance.modules("model.commands:fit") == ["common.files", "model.loop"]
    assert provenance.modules("model.commands:big_fit") == ["model.sharding"]
    assert provenance.modules("model.commands:nothing") == []
    assert provenance.modules("model.loop") == ["model.loop"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model/loop.py", "# comment", "# another"),
        ("model/loop.py", "    # comment\n", '    """Docstring."""\n'),
        ("model/loop.py", "return train, valid", "return (train,\n            valid)"),
        ("model/loop.py", "from pkg.model import layers", "from pkg.common import files"),
        ("model/commands.py", '"""Fit."""', '"""Fit it."""'),
        ("model/commands.py", "minutes=10", "minutes=20"),
        (
            "model/commands.py",
            "from pkg.common.files import write",
            "from pkg.common.files import write, other",
        ),
        ("model/settings.py", "layers\n", "layers\nx = 1\n"),
        ("model/layers.py", "2", "3"),
        ("common/errors.py", "pass", "other = 1"),
    ],
)
def test_what_shapes_no_result_changes_no_digest(changed, file, old, new):
    assert changed(file, old, new) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "commands"),
    [
        ("model/loop.py", "return train", "return 2 * train", {"fit"}),
        ("common/files.py", "return text", "return text + '.'", {"fit"}),
        ("model/sharding.py", "1", "2", {"big-fit"}),
        ("model/commands.py", "loop(train, valid)", "loop(valid, train)", {"fit"}),
        ("model/commands.py", "x + RATE", "x - RATE", {"fit"}),
        ("model/commands.py", "RATE = 3", "RATE = 5", {"fit"}),
        ("model/commands.py", "OTHER = 4", "OTHER = 5", {"big-fit"}),
        ("model/commands.py", "return 1", "return 2", {"nothing"}),
    ],
)
def test_a_changed_line_changes_the_commands_that_use_it(changed, file, old, new, commands):
    assert changed(file, old, new) == commands


def test_every_process_computes_the_same_digest():
    program = "from coconut_study.common import provenance as p; print(p.code(p.command('train')))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_a_key_depends_on_code_and_facts(package):
    key = provenance.key("model.commands:fit", "a")
    assert key == provenance.key("model.commands:fit", "a")
    assert key != provenance.key("model.commands:fit", "b")
    assert key != provenance.key("model.commands:big_fit", "a")


# ----------------------------------------------------------------------------------------- this package


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("coconut_study", exclude_type_checking_imports=True, cache_dir=None)


TRACKED = sorted(
    name
    for path in provenance.PACKAGE.glob("*/*.py")
    if (name := f"{path.parent.name}.{path.stem}") and path.stem not in provenance.UNTRACKED | {"__init__"}
)


@pytest.mark.parametrize("module", TRACKED)
def test_modules_are_those_of_the_import_graph(graph, module):
    reached, waiting = set(), {module}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        imported = graph.find_modules_directly_imported_by(f"coconut_study.{name}")
        waiting |= {one.removeprefix("coconut_study.") for one in imported} & {*TRACKED} - reached
    assert provenance.modules(module) == sorted(reached)


def test_commands_depend_on_what_they_run_and_no_more():
    def behind(command):
        return set(provenance.modules(provenance.command(command)))

    assert {"engine.forward", "engine.checkpoints", "sequences.builder"} <= behind("train") & behind(
        "respond"
    )
    assert {"evaluation.grade", "evaluation.outcomes", "sequences.templates"} <= behind("grade")
    for command in ("questions", "grade", "describe"):
        assert not {name for name in behind(command) if name.startswith(("engine.", "training.", "report."))}
    assert "questions.datasets" not in behind("describe")  # whose parameter has the name of another command


def test_a_card_says_where_a_result_comes_from():
    card = provenance.card(seed=3)
    assert card["seed"] == 3
    assert {"commit", "versions", "python", "finished"} <= card.keys()
    assert "torch" in card["versions"]
