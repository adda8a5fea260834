"""Unfinished work: interrupted anywhere and resumed, it ends at the same bytes; damage is noticed."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import astuple
from itertools import count

import pytest
import torch

from coconut_study.common.errors import StudyError
from coconut_study.common.workspace import Pieces, workspace
from coconut_study.questions.datasets import generate
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model
from coconut_study.training import meter as energy
from coconut_study.training import saver as saving
from coconut_study.training.saver import Saver
from coconut_study.training.settings import Mixing
from coconut_study.training.stage import StageTrainer

from ...studies import settings

N_STEPS = 8  # of the stage below: two epochs of four updates


@pytest.fixture(scope="module")
def study():
    return read_study(settings("smoke"))


@pytest.fixture(scope="module")
def splits(study):
    return generate(study.datasets["balanced"].questions.root)


@pytest.fixture(scope="module")
def start(study, splits):
    return base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))


@pytest.fixture
def stage(study, start, splits):
    """Makes the trainer of a stage with dropout, mixing and ever new names, of two epochs."""

    def make(**training):
        (*_, spec) = Plan(study).chain("balanced", "coconut", 1)
        mixed = Mixing(probability=0.4, stages="earlier")
        own = spec.training.model_copy(update={"redraw": True, "mixing": mixed} | training)
        spec = spec.model_copy(update={"training": own, "epochs": 2.0})
        model, tokenizer = deepcopy(start[0]), start[1]
        return StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])

    return make


class Killed(Exception):
    pass


def killed_after(trainer, monkeypatch, n):
    """Let the trainer die in the update behind its n-th."""
    update, numbers = trainer.learner.update, count()

    def dying(batches, rate):
        if next(numbers) == n:
            raise Killed
        return update(batches, rate)

    monkeypatch.setattr(trainer.learner, "update", dying)


def weights(trainer):
    return {name: value.clone() for name, value in trainer.learner.model.state_dict().items()}


def assert_same(one, other):
    assert str([astuple(row) for row in one.history]) == str([astuple(row) for row in other.history])
    for (name, a), b in zip(weights(one).items(), weights(other).values(), strict=True):
        assert torch.equal(a, b), name


# ------------------------------------------------------------------------------------------- resumed


@pytest.mark.parametrize("n", range(N_STEPS))
@pytest.mark.parametrize("reset", ["stage", "epoch"])
def test_killed_in_any_update_and_resumed_is_uninterrupted(stage, tmp_path, monkeypatch, n, reset):
    whole = stage(reset_optimizer=reset)
    whole.run()
    broken = stage(reset_optimizer=reset)
    killed_after(broken, monkeypatch, n)
    with pytest.raises(Killed):
        broken.run(saver=Saver(tmp_path, minutes=0))
    again = stage(reset_optimizer=reset)
    steps = []
    monkeypatch.setattr(again.learner, "update", counted(again.learner.update, steps))
    again.run(saver=Saver(tmp_path, minutes=0))
    assert len(steps) == N_STEPS - n
    assert_same(whole, again)


def counted(update, steps):
    def run(batches, rate):
        steps.append(rate)
        return update(batches, rate)

    return run


def test_killed_again_and_again(stage, tmp_path, monkeypatch):
    whole = stage()
    whole.run()
    for n in (3, 0, 2, 1):
        broken = stage()
        killed_after(broken, monkeypatch, n)
        with pytest.raises(Killed):
            broken.run(saver=Saver(tmp_path, minutes=0))
    again = stage()
    again.run(saver=Saver(tmp_path, minutes=0))
    assert_same(whole, again)


def test_states_are_saved_when_they_are_due(stage, tmp_path, monkeypatch):
    times = iter(range(0, 10000, 25))  # a look at the clock takes 25 seconds
    monkeypatch.setattr(saving, "monotonic", lambda: next(times))
    saved = []
    monkeypatch.setattr(
        Saver, "save", lambda self, *_: saved.append(setattr(self, "last", saving.monotonic()))
    )
    stage().run(saver=Saver(tmp_path, minutes=1))
    assert 0 < len(saved) < N_STEPS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_state_and_ends_the_stage(stage, tmp_path, monkeypatch, number):
    whole, broken = stage(), stage()
    whole.run()
    update = broken.learner.update

    def signalled(batches, rate):
        os.kill(os.getpid(), number)
        return update(batches, rate)

    monkeypatch.setattr(broken.learner, "update", signalled)
    before = signal.getsignal(number)
    with (
        Saver(tmp_path, minutes=60) as saver,
        pytest.raises(StudyError, match=f"ended by {number.name} after 1 "),
    ):
        broken.run(saver=saver)
    assert signal.getsignal(number) == before
    again = stage()
    again.run(saver=Saver(tmp_path, minutes=60))
    assert_same(whole, again)


def test_a_signal_handed_on_is_one_and_a_later_one_ends_the_process(tmp_path, monkeypatch):
    ends = []
    before = signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
    times = iter([0.0, 10.0, 10.001, 20.0])  # made, told, told again at once, told later
    monkeypatch.setattr(saving, "monotonic", lambda: next(times))
    with Saver(tmp_path, minutes=1) as saver:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (saver.stopped, ends) == ("SIGTERM", [])
        os.kill(os.getpid(), signal.SIGTERM)
        assert ends == [1]
    signal.signal(signal.SIGTERM, before)


# ------------------------------------------------------------------------------------------- damaged


def saved(folder, n=2):
    saver = Saver(folder, minutes=0)
    for number in range(n):
        saver.save({"a": torch.full((3,), float(number)), "b": torch.tensor(1)}, {"said": number})
    return saver


def test_two_states_are_kept_and_the_newest_is_taken(tmp_path):
    saved(tmp_path, 5)
    saver = Saver(tmp_path, minutes=0)
    assert saver.numbers() == [4, 5]
    tensors, facts = saver.load(5)
    assert facts == {"number": 5, "said": 4}
    assert torch.equal(tensors["a"], torch.full((3,), 4.0))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_flipped_bit_is_noticed_anywhere_and_the_older_state_used(tmp_path, capsys, place):
    saved(tmp_path)
    newest = tmp_path / "process0-state0.safetensors"
    bytes_ = bytearray(newest.read_bytes())
    bytes_[place % len(bytes_)] ^= 1
    newest.write_bytes(bytes_)
    assert Saver(tmp_path, minutes=0).numbers() == [1]
    assert f"{newest}: this state is damaged" in capsys.readouterr().err
    assert not newest.exists()


def test_a_truncated_state_is_noticed_and_none_left_is_a_beginning(stage, tmp_path, capsys):
    saved(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    whole, again = stage(), stage()
    whole.run()
    again.run(saver=Saver(tmp_path, minutes=60))
    assert capsys.readouterr().err.count("is damaged") == 2
    assert_same(whole, again)


def test_a_full_disk_leaves_the_state_before_and_says_so(tmp_path, monkeypatch, capsys):
    saver = saved(tmp_path, 2)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "save_file", full)
    saver.save({"a": torch.zeros(3)}, {})
    assert "could not be saved" in capsys.readouterr().err
    assert Saver(tmp_path, minutes=0).numbers() == [1, 2]


# ------------------------------------------------------------------------------------------ workspaces


def test_a_workspace_is_for_one_key_and_ends_with_its_work(tmp_path):
    folder = tmp_path / "state"
    for begun in (False, True):
        with suppress(Killed), workspace(folder, "one") as own:
            assert (own / "work").exists() == begun
            (own / "work").write_text("")
            raise Killed
    with workspace(folder, "two") as own:
        assert not (folder / "one").exists()
        assert list(own.iterdir()) == []
    assert not folder.exists()


def test_two_writers_never_meet(tmp_path):
    command = [
        sys.executable, "-c",
        "import sys, pathlib; from coconut_study.common.workspace import workspace\n"
        "with workspace(pathlib.Path(sys.argv[1]), 'key'): print('in', flush=True); sys.stdin.read()",
        str(tmp_path / "state"),
    ]  # fmt: skip
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"
    with pytest.raises(StudyError, match="another process works here"), workspace(tmp_path / "state", "key"):
        pass
    other.kill()
    other.communicate()
    with workspace(tmp_path / "state", "key") as own:
        assert own.is_dir()


def test_pieces_are_done_once_and_again_where_they_are_damaged(tmp_path, capsys):
    done = []

    def work():
        done.append(1)
        return {"rows": [0.1, None, "é"]}

    assert Pieces(tmp_path)("a", work) == Pieces(tmp_path)("a", work) == {"rows": [0.1, None, "é"]}
    assert len(done) == 1
    path = tmp_path / "a.json"
    path.write_bytes(path.read_bytes()[:-6])
    assert Pieces(tmp_path)("a", work) == {"rows": [0.1, None, "é"]}
    assert len(done) == 2
    assert f"{path}: this piece of work is damaged" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- health


def poisoned(trainer, monkeypatch, at, value, times=1):
    """Let the loss of an update be something else, that many times."""
    update, left = trainer.learner.update, [times]

    def found(batches, rate):
        total = update(batches, rate)
        if trainer.running.done == at and len(trainer.history) == 1 and left[0]:
            left[0] -= 1
            total[0] = value
        return total

    monkeypatch.setattr(trainer.learner, "update", found)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_a_loss_that_diverges_stops_the_stage_and_names_the_update_and_its_questions(
    stage, tmp_path, monkeypatch, value
):
    trainer = stage()
    poisoned(trainer, monkeypatch, 2, value)
    with pytest.raises(StudyError, match="epoch 1, update 3: the loss is") as error:
        trainer.run(saver=Saver(tmp_path, minutes=0))
    trainer.running = trainer._begun(0)
    assert ", ".join(map(str, trainer._chosen(2))) in str(error.value)
    saver = Saver(tmp_path, minutes=0)
    assert saver.load(max(saver.numbers()))[1]["done"] == 2  # the last good state


def test_a_stage_that_diverged_goes_back_and_on_at_half_the_rate(stage, tmp_path, monkeypatch):
    trainer = stage(roll_back=1)
    poisoned(trainer, monkeypatch, 2, float("nan"))
    rates = []
    monkeypatch.setattr(trainer.learner, "update", counted(trainer.learner.update, rates))
    history = trainer.run(saver=Saver(tmp_path, minutes=60))  # saved at the beginning alone
    assert [row.epoch for row in history] == [0, 1, 2]
    full = rates[0]
    assert rates == [full] * 4 + [full / 2] * N_STEPS
    again = stage(roll_back=1)
    poisoned(again, monkeypatch, 2, float("nan"), times=2)
    with pytest.raises(StudyError, match="update 3: the loss is nan"):
        again.run(saver=Saver(tmp_path / "other", minutes=60))


def test_time_and_energy_of_a_stage_are_those_of_all_its_jobs(stage, tmp_path, monkeypatch):
    """Of a job before, up to its last state; of this one, with what it did before it went back."""
    monkeypatch.setattr(energy, "counted", lambda device: 0.0)
    job = stage()
    job.meter.first, job.started = -30.0, job.started - 500
    job.run(saver=Saver(tmp_path, minutes=0))
    again = stage()
    assert again.joules == 0
    again.saver = Saver(tmp_path, minutes=0)
    assert again._resumed()
    assert again.joules == 30
    assert 500 < again.seconds < 1000
    again.meter.first, again.started = -80.0, again.started - 1000
    assert again._resumed(returns=1)
    assert again.joules == 80
    assert again.seconds > 1500


def test_norms_of_thoughts_are_in_the_history(stage):
    history = stage().run()
    assert [row.thought_norm > 0 for row in history] == [False, True, True]
