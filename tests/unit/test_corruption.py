"""Damaged files given to commands: the message names the file, or the file is made again."""

import shutil
import sys
from contextlib import suppress
from itertools import count, product
from pathlib import Path
from pkgutil import resolve_name
from unittest.mock import patch

import pytest

from coconut_study.__main__ import main
from coconut_study.common.errors import StudyError
from coconut_study.questions import schema as q
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.study.runs import Run

from ..studies import settings

STUDY = read_study(settings("smoke"))
PLAN = Plan(STUDY)
RUN = Run("balanced", "coconut", 1)
CHAIN = PLAN.chain(*RUN)
DATA = ("--train", "train.jsonl", "--valid", "valid.jsonl")


def training(stage, parent):
    return (
        "train", "--spec", CHAIN[stage].model_dump_json(), "--parent", parent, *DATA, "--minutes", "0",
        "--checkpoint", f"stage{stage}/checkpoint", "--history", f"stage{stage}/history.csv",
    )  # fmt: skip


COMMANDS = {
    "questions": (
        "questions", "--settings", STUDY.datasets["balanced"].questions.model_dump_json(), *DATA,
        "--test", "test.jsonl",
    ),
    "base": ("base", "--settings", CHAIN[0].base.model_dump_json(), "--out", "base", "train.jsonl"),
    "train stage 0": training(0, "base"),
    "train stage 1": training(1, "stage0/checkpoint"),
    "train stage 2": training(2, "stage1/checkpoint"),
    "respond": (
        "respond", "--settings", PLAN.generation_spec(RUN).model_dump_json(), "--questions", "test.jsonl",
        "--checkpoint", "stage2/checkpoint", "--responses", "responses.jsonl", "--timings", "timings.csv",
    ),
    "probe": (
        "probe", "--settings", PLAN.generation_spec(RUN).model_dump_json(), "--height", "shortest",
        "--checkpoint", "stage2/checkpoint", "--questions", "test.jsonl", "--out", "values.csv",
    ),
    "grade": (
        "grade", "--settings", STUDY.grading.model_dump_json(), "--template", "prose",
        "--responses", "responses.jsonl", "--questions", "test.jsonl", "--out", "grades.csv",
    ),
}  # fmt: skip


def run(command):
    """Run a command as the workflow does; returns its exit status."""
    with patch.object(sys, "argv", ["coconut_study", *COMMANDS[command]]), pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which every command has run."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert [run(command) for command in COMMANDS] == [0] * len(COMMANDS)
    return folder


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    """A copy of that folder, which a test may change."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(command, capsys):
    """The last line that a failing command writes to standard error."""
    capsys.readouterr()
    assert run(command) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    print(f"{command}: {said}")
    assert said.startswith("error: ")
    return said


# --------------------------------------------------------------------------------------------- damages


def flipped(path, place=0.5):
    """Flip one bit."""
    held = bytearray(path.read_bytes())
    held[int(place * len(held))] ^= 1
    path.write_bytes(held)


def truncated(path):
    """Remove the second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


# ----------------------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("damage", [flipped, truncated, emptied, Path.unlink])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "card.json"])
@pytest.mark.parametrize(
    ("command", "parent"),
    [("train stage 0", "base"), ("train stage 2", "stage1/checkpoint"), ("respond", "stage2/checkpoint")],
)
def test_a_damaged_checkpoint_is_refused_by_its_name(folder, capsys, command, parent, name, damage):
    damage(folder / parent / name)
    said = refused(command, capsys)
    assert f"{parent}/{name}" in said or (name, damage) == ("card.json", Path.unlink)
    assert parent in said


@pytest.mark.parametrize("name", ["model.safetensors", "card.json"])
@pytest.mark.parametrize("place", [0, 0.01, 0.2, 0.4, 0.6, 0.8, 0.999])
def test_a_flipped_bit_is_found_anywhere(folder, capsys, name, place):
    flipped(folder / "stage2" / "checkpoint" / name, place)
    assert f"stage2/checkpoint/{name}: damaged" in refused("respond", capsys)


# ------------------------------------------------------------------------------------------- questions


@pytest.mark.parametrize("damage", [flipped, truncated])
@pytest.mark.parametrize(
    ("command", "name"),
    [("train stage 0", "train.jsonl"), ("train stage 1", "valid.jsonl"), ("respond", "test.jsonl"),
     ("grade", "test.jsonl")],
)  # fmt: skip
def test_damaged_questions_are_refused_by_their_file(folder, capsys, command, name, damage):
    damage(folder / name)
    assert name in refused(command, capsys)


def test_every_flipped_bit_in_a_graph_question_is_noticed_or_changes_nothing(folder):
    path = folder / "one.jsonl"
    path.write_text((folder / "test.jsonl").read_text().splitlines()[0] + "\n")
    whole, (asked,) = path.read_bytes(), q.read(path)
    unnoticed = []
    for place, bit in product(range(len(whole)), range(8)):
        held = bytearray(whole)
        held[place] ^= 1 << bit
        path.write_bytes(held)
        with suppress(StudyError):
            unnoticed += [(bytes(held), found) for found in q.read(path) if found != asked]
    assert unnoticed == []


@pytest.mark.parametrize("name", ["train.jsonl", "valid.jsonl"])
def test_questions_other_than_those_of_the_stage_before_are_refused(folder, capsys, name):
    """Two questions are swapped, which no single question shows."""
    first, second, *others = (folder / name).read_text().splitlines(keepends=True)
    (folder / name).write_text("".join([second, first, *others]))
    assert f"{name}: not the questions that stage0/checkpoint was trained on" in refused(
        "train stage 1", capsys
    )


# ------------------------------------------------------------------------------------------- responses


def test_truncated_responses_are_refused_by_their_file(folder, capsys):
    truncated(folder / "responses.jsonl")
    assert "responses.jsonl" in refused("grade", capsys)


def test_responses_cut_between_two_lines_are_refused(folder, capsys):
    lines = (folder / "responses.jsonl").read_text().splitlines(keepends=True)
    (folder / "responses.jsonl").write_text("".join(lines[:-1]))
    assert "responses.jsonl: question 31 has 0 responses with k = 2" in refused("grade", capsys)


# --------------------------------------------------------------------------------------- unfinished work


class Killed(BaseException):
    pass


def killed(command, name, after, monkeypatch):
    """Run a command that dies after `after` calls of a function."""
    calls, function = count(), resolve_name(name)

    def dying(*arguments):
        if next(calls) == after:
            raise Killed
        return function(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(name, dying)
        with pytest.raises(Killed):
            run(command)


@pytest.mark.parametrize("damage", [flipped, truncated, emptied])
@pytest.mark.parametrize(("generations", "resumed"), [(1, 2), (2, 0)])
def test_a_stage_resumes_from_its_last_undamaged_state(
    folder, finished, capsys, monkeypatch, damage, generations, resumed
):
    """Killed after three updates, the newest state or both are damaged, then the same command."""
    shutil.rmtree(folder / "stage1")
    killed("train stage 1", "coconut_study.training.learner.Learner.update", 3, monkeypatch)
    states = sorted(folder.glob("stage1/state/*/*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    assert len(states) == 2
    for path in states[-generations:]:
        damage(path)
    capsys.readouterr()
    assert run("train stage 1") == 0
    said = capsys.readouterr().err
    assert said.count("this state is damaged") == generations
    assert said.count(f"resuming after {resumed} updates of epoch 1") == (resumed > 0)
    print(*[line for line in said.splitlines() if "damaged" in line], sep="\n")
    for name in ("history.csv", "checkpoint/model.safetensors"):
        assert (folder / "stage1" / name).read_bytes() == (finished / "stage1" / name).read_bytes()
    assert not (folder / "stage1" / "state").exists()


@pytest.mark.parametrize("damage", [flipped, truncated, emptied])
@pytest.mark.parametrize(
    ("command", "name", "out"),
    [("respond", "coconut_study.evaluation.respond.generate", "responses.jsonl"),
     ("probe", "coconut_study.evaluation.probe.values", "values.csv")],
)  # fmt: skip
def test_a_damaged_piece_is_made_again(folder, finished, capsys, monkeypatch, command, name, out, damage):
    """Killed after the first of two batches, whose piece is damaged, then the same command."""
    (folder / out).unlink()
    killed(command, name, 1, monkeypatch)
    (piece,) = folder.glob(f"{Path(out).stem}.state/*/*.json")
    damage(piece)
    capsys.readouterr()
    assert run(command) == 0
    assert "this piece of work is damaged" in capsys.readouterr().err
    assert (folder / out).read_bytes() == (finished / out).read_bytes()
    assert not list(folder.glob("*.state"))
