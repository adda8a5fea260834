"""The commands that ask trained models and list runs, as a terminal shows them."""

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from coconut_study import load
from coconut_study.__main__ import main
from coconut_study.evaluation import commands
from coconut_study.questions import schema

PROJECT = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def coconut(monkeypatch, capsys):
    """Runs the program in a terminal of 80 columns; returns what it wrote to standard output and error."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["coconut", *map(str, arguments)])
        with pytest.raises(SystemExit):
            main()
        out, err = capsys.readouterr()
        return out, err

    return run


@pytest.fixture(scope="module")
def results(trained, tmp_path_factory):
    """The results of a study with one graded run, which was asked with 0, 1 and 2 thoughts."""
    folder = tmp_path_factory.mktemp("study")
    run = folder / "runs" / "balanced" / "coconut" / "seed1"
    run.mkdir(parents=True)
    checkpoint = folder / "stages" / "stage2" / "checkpoint"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.symlink_to(trained.checkpoints["coconut"])
    (folder / "data" / "balanced").mkdir(parents=True)
    schema.write(folder / "data" / "balanced" / "test.jsonl", trained.questions)
    commands.respond(
        trained.settings("coconut", "respond"), checkpoint, trained.path, run / "responses.jsonl",
        run / "timings.csv", record=run / "run.json",
    )  # fmt: skip
    study = trained.plan.study
    commands.grade(
        study.grading.model_dump_json(), study.text.template, run / "responses.jsonl", trained.path,
        run / "grades.csv",
    )  # fmt: skip
    return folder


def test_the_program_is_the_commands_of_the_package():
    module, _, name = PROJECT["project"]["scripts"]["coconut"].partition(":")
    assert getattr(importlib.import_module(module), name) is main


def test_the_version_is_that_of_the_project(coconut):
    assert coconut("--version") == (f"coconut-study {PROJECT['project']['version']}\n", "")


def test_help_names_the_commands_and_the_completion(coconut):
    out, _ = coconut("--help")
    for words in ("ask ", "runs ", "respond ", "--install-completion", "--version"):
        assert words in out


def test_an_answer_is_shown_with_thoughts_and_values(coconut, results, trained):
    question = trained.questions[0]
    run = results / "runs" / "balanced" / "coconut" / "seed1"
    out, err = coconut("ask", run, question.question, "--thoughts", "0,2")
    assert err == ""
    assert " ".join(out.split()).startswith(question.question)
    model = load(run)
    for answer in model.ask(question, thoughts=[0, 2]):
        assert (answer.answer or "none").split()[0] in out
    (value,) = [one for one in model.values(question)[1] if one.correct][:1]
    assert f"{value.value:.2g}" in out
    for thought in model.thoughts(question):
        assert f"{thought.norm:.1f}" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_a_terminal_with_colour_gets_colour(coconut, results, trained, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    run = results / "runs" / "balanced" / "coconut" / "seed1"
    out, _ = coconut("ask", run, trained.questions[0].question)
    assert "\x1b[32m" in out
    assert "green: " in out


def test_a_random_question_is_the_test_question_of_its_seed(coconut, results, trained):
    run = results / "runs" / "balanced" / "coconut" / "seed1"
    shown = {}
    for seed in (None, 0, 1):
        out, err = coconut("ask", run, "--random", *([] if seed is None else ["--seed", seed]))
        assert err == ""
        text = " ".join(out.split())
        (shown[seed],) = [one.question for one in trained.questions if text.startswith(one.question)]
    assert shown[None] == shown[0] != shown[1]


def test_a_mistake_is_one_sentence(coconut, results, trained):
    run, question = results / "runs" / "balanced" / "coconut" / "seed1", trained.questions[0].question
    wrong = {
        ("ask", run): "ask: give a question in quotes, or --random",
        ("ask", run, question, "--random"): "ask: give a question in quotes, or --random",
        ("ask", run, question, "--thoughts", "a"): "--thoughts: a is not a list of numbers, such as 0,1,3",
        ("ask", run, "Tom is a lempus. Is Tom a lempus or rompus?"): "no fact names rompus",
        ("runs", run): f"{run}: has no graded runs; give the results of a study, results/NAME",
        ("ask", results, "--random"): f"--random: {results} is not the folder of a run (it has no run.json); "
        "give a question",
    }
    for arguments, sentence in wrong.items():
        assert coconut(*arguments) == ("", f"error: {sentence}\n")


def test_runs_are_listed_with_their_right_answers_at_the_most_thoughts(coconut, results, trained):
    out, _ = coconut("runs", results)
    answers = load(results / "runs" / "balanced" / "coconut" / "seed1").ask(trained.questions)
    right = 100 * sum(bool(answer.right) for answer in answers) / len(answers)
    tokens = sum(answer.tokens for answer in answers) / len(answers)
    (row,) = out.splitlines()[1:]
    assert row.split() == ["runs/balanced/coconut/seed1", "2", "32", f"{right:.1f}", f"{tokens:.1f}"]
