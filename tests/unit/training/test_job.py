"""The job that trains a stage: what its state and its card are bound to, and what it leaves."""

import json
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from accelerate.tracking import GeneralTracker, filter_trackers

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.device import cpu_threads
from coconut_study.questions import rewrites, schema
from coconut_study.training import job
from coconut_study.training import tracker as trackers
from coconut_study.training.learner import Learner
from coconut_study.training.stage import StageTrainer
from coconut_study.training.validation import Validation

N_UPDATES = 4  # of a stage


class Killed(BaseException):
    pass


@pytest.fixture
def folder(tmp_path, base, splits):
    """A base model and questions on the disk."""
    (tmp_path / "base").mkdir()
    checkpoints.save(tmp_path / "base", *base, {})
    for name in ("train", "valid"):
        schema.write(tmp_path / f"{name}.jsonl", splits[name])
    return tmp_path


@pytest.fixture
def threads():
    """Sets the number of threads for a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def train(folder, spec, out, asked=None):
    files = {name: folder / f"{name}.jsonl" for name in ("train", "valid")}
    job.train_stage(
        spec, folder / "base", files, folder / out / "checkpoint", folder / out / "history.csv", 0, asked
    )


def card(folder, out):
    return json.loads((folder / out / "checkpoint" / "card.json").read_text())


def killed_after(n, monkeypatch):
    """Let the process die in the update after the n-th; returns the list of updates made."""
    update, made = Learner.update, []

    def dying(self, *arguments):
        if len(made) == n:
            raise Killed
        made.append(arguments)
        return update(self, *arguments)

    monkeypatch.setattr(Learner, "update", dying)
    return made


def test_a_state_of_another_number_of_threads_is_not_used(folder, stages, monkeypatch, threads):
    """Sums by two threads end in other digits than those by one; the card did not say how many there were."""
    threads(1)
    train(folder, stages[1], "undisturbed")
    threads(2)
    killed_after(2, monkeypatch)
    with pytest.raises(Killed):
        train(folder, stages[1], "resumed")
    monkeypatch.undo()
    threads(1)
    made = killed_after(N_UPDATES, monkeypatch)
    train(folder, stages[1], "resumed")
    assert len(made) == N_UPDATES
    weights = [
        (folder / out / "checkpoint" / "model.safetensors").read_bytes() for out in ("undisturbed", "resumed")
    ]
    assert weights[0] == weights[1]
    assert card(folder, "resumed")["threads"] == cpu_threads()
    assert not (folder / "resumed" / "state").exists()


def test_a_stage_without_room_on_the_disk_leaves_nothing(folder, stages, monkeypatch):
    monkeypatch.setattr(job, "bytes_on_disk", lambda learner: 10**18)
    with pytest.raises(StudyError, match="full: the states and the checkpoint of this stage need up to"):
        train(folder, stages[1], "full")
    assert [*(folder / "full").iterdir()] == []


def test_a_checkpoint_has_files_for_others_that_name_no_folder_and_are_the_same_each_time(folder, stages):
    written = []
    for out in ("one", "other"):
        train(folder, stages[0], out)
        paths = [folder / out / "checkpoint" / name for name in ("README.md", "custom_generate/generate.py")]
        written.append([path.read_text() for path in paths])
    assert written[0] == written[1]
    assert str(folder) not in "".join(written[0])


def test_rewrites_are_asked_after_every_epoch_and_change_nothing_else(folder, stages, splits):
    pairs = rewrites.pairs(splits["valid"], np.random.default_rng(0))
    schema.write(folder / "rewrites.jsonl", pairs)
    train(folder, stages[0], "plain")
    train(folder, stages[0], "asked", folder / "rewrites.jsonl")
    plain, asked = (pd.read_csv(folder / out / "history.csv") for out in ("plain", "asked"))
    assert "following" not in plain
    assert asked["following"].dropna().between(0, 1).all()
    pd.testing.assert_frame_equal(asked.drop(columns="following"), plain)
    for name in ("model.safetensors", "config.json"):
        one, other = ((folder / out / "checkpoint" / name).read_bytes() for out in ("plain", "asked"))
        assert one == other


def test_following_counts_the_rewrites_of_rightly_answered_questions(stages, base, splits, monkeypatch):
    pairs = rewrites.pairs(splits["valid"], np.random.default_rng(0))[:8]
    right = iter([[True, True, False, True], [True, False, True, False]])
    monkeypatch.setattr(Validation, "right", lambda self, model, stopped: next(right))
    trainer = StageTrainer(stages[0], base[0], base[1], splits["train"], splits["valid"], pairs)
    assert trainer.following() == pytest.approx(1 / 3)
    plain = StageTrainer(stages[0], base[0], base[1], splits["train"], splits["valid"])
    assert plain.following() is None


# ------------------------------------------------------------------------------------------- trackers


class Listed(GeneralTracker):
    """A tracker that keeps what it is told."""

    name = "listed"
    requires_logging_directory = False
    runs: ClassVar[list[Any]] = []

    def __init__(self, project, **_):
        super().__init__()
        self.project, self.rows, self.ended = project, [], False
        self.runs.append(self)

    @property
    def tracker(self):
        return self.rows

    def store_init_configuration(self, values):
        self.settings = values

    def log(self, values, step, **_):
        self.rows.append((step, values))

    def finish(self):
        self.ended = True


def test_a_tracker_is_told_every_epoch_and_changes_no_byte(folder, stages, monkeypatch):
    train(folder, stages[1], "alone")
    monkeypatch.setattr(trackers, "LOGGER_TYPE_TO_CLASS", {"listed": Listed})
    monkeypatch.setattr(trackers, "filter_trackers", lambda names, _: [Listed(name) for name in names])
    monkeypatch.setenv(trackers.VARIABLE, "listed")
    train(folder, stages[1], "tracked")
    (run,) = Listed.runs
    history = pd.read_csv(folder / "tracked" / "history.csv")
    told = [(step, row["accuracy"]) for step, row in run.rows if "accuracy" in row]
    assert told == [(N_UPDATES, history["accuracy"].iloc[-1])]
    assert run.settings["id"] == stages[1].id
    assert run.ended
    for name in ("history.csv", "checkpoint/model.safetensors"):
        assert (folder / "alone" / name).read_bytes() == (folder / "tracked" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tensorbord", "did you mean tensorboard"),
        ("dvclive", "dvclive is not installed; pip install dvclive"),
    ],
)
def test_a_tracker_that_is_not_there_is_one_sentence(folder, stages, monkeypatch, name, words):
    if filter_trackers(["dvclive"]):
        pytest.skip("dvclive is installed")
    monkeypatch.setenv(trackers.VARIABLE, name)
    with pytest.raises(StudyError, match=words):
        train(folder, stages[1], "tracked")
    assert not (folder / "tracked" / "checkpoint").exists()
