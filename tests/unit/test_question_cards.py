"""Commands that are given the card of their questions refuse questions that it does not describe.

Training used whatever questions were there, and its card said that they came from the settings of the study.
"""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from coconut_study.__main__ import main
from coconut_study.questions import card as cards
from coconut_study.study.runs import Run

from ..studies import plan_of, settings, with_value

RUN = Run("balanced", "coconut", 1)
PLAN = plan_of(settings("smoke"))
OTHER = plan_of(with_value(settings("smoke"), "datasets.balanced.questions.seed", 7))
SPLITS = {split: f"{split}.jsonl" for split in ("train", "valid", "test")}
DATA = ("--train", SPLITS["train"], "--valid", SPLITS["valid"])
TEST = ("--questions", SPLITS["test"])
CARD = ("--card", "card.json")


def source(plan):
    return plan.study.datasets[RUN.dataset].questions.model_dump_json()


def training(plan):
    return (
        "train", "--spec", plan.chain(*RUN)[0].model_dump_json(), "--parent", "base", *DATA,
        "--checkpoint", "out/checkpoint", "--history", "out/history.csv",
    )  # fmt: skip


TRAINED = ("--settings", PLAN.generation_spec(RUN).model_dump_json(), "--checkpoint", "stage")
EVALUATIONS = {
    "respond": (*TRAINED, *TEST, "--responses", "out.jsonl", "--timings", "out.csv"),
    "clock": (
        *TRAINED, *TEST, "--timing", '{"methods": ["coconut"], "questions": 2, "batch_size": 2}',
        "--out", "out.csv",
    ),
    "ending": (
        *TRAINED, *DATA, "--test", SPLITS["test"], "--learning", '{"methods": ["coconut"], "questions": 2}',
        "--out", "out.csv",
    ),
    "probe": (*TRAINED, *TEST, "--height", "shortest", "--out", "out.csv"),
    "decode": (*TRAINED, *TEST, "--limit", "2", "--top", "2", "--out", "out.csv"),
}  # fmt: skip
OTHERS = {
    "base": ("--settings", PLAN.chain(*RUN)[0].base.model_dump_json(), "--out", "out", SPLITS["train"]),
    "train": training(PLAN)[1:],
    "grade": (
        "--settings", PLAN.study.grading.model_dump_json(), "--template", "prose", *TEST,
        "--responses", "nowhere.jsonl", "--out", "out.csv",
    ),
    "describe": (*TEST, "--out", "out.csv"),
    "shortcuts": ("--train", SPLITS["train"], "--test", SPLITS["test"], "--out", "out.csv"),
}  # fmt: skip


def run(capsys, *command):
    """The exit status of a command, and the last line that it says."""
    with patch.object(sys, "argv", ["coconut_study", *command]), pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, capsys.readouterr().err.strip().rpartition("\n")[2]


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """Questions with their card, and a checkpoint that was trained on them, as far as its card says."""
    monkeypatch.chdir(tmp_path)
    made = run(capsys, "questions", "--settings", source(PLAN), *DATA, "--test", SPLITS["test"], *CARD)
    assert made == (0, "")
    trained_on(PLAN, {"train": cards.read(Path("card.json")).sha256["train"]})
    return tmp_path


def trained_on(plan, data):
    """Write the card of a checkpoint."""
    facts = {"thoughts": 2, "spec": plan.chain(*RUN)[-1].model_dump(mode="json"), "data": data}
    Path("stage").mkdir(exist_ok=True)
    Path("stage/card.json").write_text(json.dumps(facts))


def left(folder):
    """What commands have written."""
    return [*folder.rglob("out*")]


def test_training_refuses_questions_of_another_seed(folder, capsys):
    status, said = run(capsys, *training(OTHER), *CARD)
    assert status == 1
    assert said == (
        "error: card.json: the questions were made with seed: 0, but the study has seed: 7; restore the "
        "setting, or remove the folder of the card to have the questions made again"
    )
    assert left(folder) == []


@pytest.mark.parametrize("command", EVALUATIONS)
def test_an_evaluation_refuses_questions_of_other_settings_than_its_checkpoint(folder, command, capsys):
    trained_on(OTHER, {})
    status, said = run(capsys, command, *EVALUATIONS[command], *CARD)
    assert status == 1
    assert "made with seed: 0, but stage was trained with seed: 7; restore the setting" in said
    trained_on(PLAN, {"train": "0" * 64})
    status, said = run(capsys, command, *EVALUATIONS[command], *CARD)
    assert status == 1
    assert "card.json: describes other train questions than those that stage was trained on" in said
    assert left(folder) == []


@pytest.mark.parametrize("command", EVALUATIONS | OTHERS)
def test_an_edited_question_file_is_refused(folder, command, capsys):
    for name in SPLITS.values():
        path = folder / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[2:]))
    status, said = run(capsys, command, *(EVALUATIONS | OTHERS)[command], *CARD)
    assert status == 1
    assert "questions that card.json describes (their sha256 differs)" in said
    assert left(folder) == []


def test_a_command_without_a_card_takes_any_questions(folder, capsys):
    (folder / "card.json").unlink()
    assert run(capsys, "describe", *TEST, "--out", "out.csv") == (0, "")
    assert run(capsys, "describe", *TEST, "--out", "out.csv", *CARD)[0] == 1


def test_a_base_model_has_a_card_for_each_question_file(folder, capsys):
    status, said = run(capsys, "base", *OTHERS["base"], *CARD, *CARD)
    assert (status, said) == (1, "error: --card: 2 cards for 1 question files; give one for each")
