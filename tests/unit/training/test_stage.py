"""The training loop: what its result depends on, how it resumes, and when it stops."""

import math
import os
import signal
from copy import deepcopy
from dataclasses import astuple
from itertools import count

import pytest
import torch

from coconut_study.common import journal
from coconut_study.common.errors import StudyError
from coconut_study.common.journal import Journal
from coconut_study.evaluation import respond
from coconut_study.sequences.methods import Removal
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.plan import Plan
from coconut_study.training import base_model, meter, saver
from coconut_study.training.learner import Learner
from coconut_study.training.saver import Saver
from coconut_study.training.settings import Mixing
from coconut_study.training.stage import StageTrainer

from .conftest import trained, weights

N_STEPS = 8  # of `stage`: two epochs of four updates


@pytest.fixture
def stage(study, base, splits):
    """Makes the trainer of a stage with dropout, mixing and new names for each use, of two epochs."""

    def make(**training):
        (*_, spec) = Plan(study).chain("balanced", "coconut", 1)
        mixed = Mixing(probability=0.4, stages="earlier")
        own = spec.training.model_copy(update={"redraw": True, "mixing": mixed} | training)
        spec = spec.model_copy(update={"training": own, "epochs": 2.0})
        model, tokenizer = deepcopy(base[0]), base[1]
        return StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])

    return make


def removing(unit="token", per_epoch=1.0, smoothing=None, limit=None):
    return Removal(unit=unit, per_epoch=per_epoch, smoothing=smoothing, limit=limit)


def test_a_stage_depends_on_its_spec_alone(stages, study, splits):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    runs = [trained(stages[1], base_model.make(study.model, 0, texts), splits) for _ in range(2)]
    (one, first), (two, second) = runs
    assert first == second
    assert all(torch.equal(a, b) for a, b in zip(weights(one).values(), weights(two).values(), strict=True))


def test_the_best_epoch_of_the_last_stage_is_kept(stages, start, splits, monkeypatch):
    accuracies = iter([0.9, 0.2, 0.6, 0.6, 0.1])
    seen = []

    def accuracy(self):
        seen.append(weights(self))
        return next(accuracies)

    monkeypatch.setattr(StageTrainer, "accuracy", accuracy)
    spec = stages[-1].model_copy(update={"epochs": 4.0})
    assert spec.keep == "best"
    trainer, history = trained(spec, start, splits)
    assert [row.accuracy for row in history[1:]] == [0.2, 0.6, 0.6, 0.1]
    assert all(torch.equal(weights(trainer)[name], seen[3][name]) for name in seen[2])


# ------------------------------------------------------------------------------------------------ iCoT


def resets(monkeypatch):
    """Fills in how many updates were made before each reset after the first."""
    found, updates = [], []
    reset, update = Learner.reset, Learner.update

    def counted_reset(self):
        found.extend([len(updates)] if updates else [])
        reset(self)

    def counted_update(self, *arguments):
        updates.append(arguments)
        return update(self, *arguments)

    monkeypatch.setattr(Learner, "reset", counted_reset)
    monkeypatch.setattr(Learner, "update", counted_update)
    return found


@pytest.mark.parametrize(
    ("removal", "reset", "expected"),
    [
        (removing("step", 1), "removal", [4, 8]),
        (removing("token", 2, limit=3), "removal", [2, 4, 6]),
        (removing("token", 8), "removal", [1, 2, 3, 4, 5, 6, 7]),
        (removing("token", 8), "stage", []),
    ],
)
def test_the_optimizer_starts_anew_exactly_when_more_is_removed(icot, monkeypatch, removal, reset, expected):
    found = resets(monkeypatch)
    icot(removal, reset_optimizer=reset).run()
    assert found == expected


def test_the_best_epoch_is_that_with_most_removed_and_then_the_most_accurate(icot, monkeypatch):
    accuracies = iter([1.0, 0.9, 0.8, 0.3, 0.6, 0.5])
    seen = []

    def accuracy(self):
        seen.append(weights(self))
        return next(accuracies)

    monkeypatch.setattr(StageTrainer, "accuracy", accuracy)
    trainer = icot(removing("step", 1), epochs=(1, 2, 2))
    history = trainer.run()
    assert [(row.removed, row.accuracy) for row in history[1:]] == [
        (0, 0.9), (1, 0.8), (2, 0.3), (2, 0.6), (2, 0.5),
    ]  # fmt: skip
    kept = weights(trainer)
    assert [all(torch.equal(kept[name], found[name]) for name in kept) for found in seen] == [
        False, False, False, False, True, False,
    ]  # fmt: skip


def test_history_begins_before_the_first_update(icot, monkeypatch):
    trainer = icot(removing("step", 1))
    start, seen = weights(trainer), []
    accuracy = StageTrainer.accuracy

    def looked_at(self):
        seen.append(weights(self))
        return accuracy(self)

    monkeypatch.setattr(StageTrainer, "accuracy", looked_at)
    first, *others = trainer.run()
    assert all(torch.equal(seen[0][name], start[name]) for name in start)
    assert (first.stage, first.epoch, first.questions, first.removed) == (2, 0, 0, 0)
    assert math.isnan(first.loss)
    assert [(row.epoch, row.questions, row.removed) for row in others] == [(1, 64, 0), (2, 64, 1), (3, 64, 2)]
    assert not any(math.isnan(row.loss) for row in others)


def test_other_methods_remove_nothing(icot):
    no_cot = icot(removing("step", 1), method="no_cot")
    assert no_cot.spec.removal is None
    assert {row.removed for row in no_cot.run()} == {0}


# --------------------------------------------------------------------------------- resumed and stopped


class Killed(Exception):
    pass


def killed_after(trainer, monkeypatch, n):
    """Let the trainer die in the update after its n-th."""
    update, numbers = trainer.learner.update, count()

    def dying(batches, rate):
        if next(numbers) == n:
            raise Killed
        return update(batches, rate)

    monkeypatch.setattr(trainer.learner, "update", dying)


def assert_same(one, other):
    assert str([astuple(row) for row in one.history]) == str([astuple(row) for row in other.history])
    for (name, a), b in zip(weights(one).items(), weights(other).values(), strict=True):
        assert torch.equal(a, b), name


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
    monkeypatch.setattr(saver, "monotonic", lambda: next(times))
    saved = []
    monkeypatch.setattr(
        Saver, "save", lambda self, *_: saved.append(setattr(self, "last", saver.monotonic()))
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


def test_every_epoch_has_a_line_in_the_log_and_a_row_in_the_journal(stage, tmp_path, capsys):
    path = tmp_path / journal.NAME
    history = stage().run(journal=Journal(path))
    ends = [row for row in journal.read(path) if "accuracy" in row]
    expected = [(row.epoch, row.loss, row.accuracy, row.thought_norm) for row in history[1:]]
    assert [(row["epoch"], row["loss"], row["accuracy"], row["thought_norm"]) for row in ends] == expected
    lines = [line for line in capsys.readouterr().err.splitlines() if "loss" in line]
    assert [line.partition(":")[0] for line in lines] == ["stage 2, epoch 1 of 2", "stage 2, epoch 2 of 2"]
    assert f"{100 * history[1].accuracy:.1f} % right" in lines[0]
    assert (lines[0].count(" left"), lines[1].count(" left")) == (1, 0)


def test_the_journal_of_a_resumed_stage_has_every_epoch_once(stage, tmp_path, monkeypatch):
    path = tmp_path / journal.NAME
    broken = stage()
    killed_after(broken, monkeypatch, 6)
    with pytest.raises(Killed):
        broken.run(saver=Saver(tmp_path, minutes=0), journal=Journal(path, seconds=0))
    stage().run(saver=Saver(tmp_path, minutes=0), journal=Journal(path, seconds=0))
    rows = journal.read(path)
    assert [row["epoch"] for row in rows if "accuracy" in row] == [1, 2]
    assert [(row["epoch"], row["update"]) for row in rows] == sorted(
        (row["epoch"], row["update"]) for row in rows
    )


N_BATCHES = 8  # of an evaluation of `small_batches`: 16 questions


@pytest.fixture
def small_batches(stage):
    """Makes trainers that evaluate two questions at a time."""

    def make():
        trainer = stage()
        evaluation = trainer.spec.evaluation.model_copy(update={"batch_size": 2})
        trainer.validation.spec = trainer.spec.model_copy(update={"evaluation": evaluation})
        return trainer

    return make


@pytest.mark.parametrize(
    ("batch", "when"),
    [
        (1, "before its first update"),
        (N_BATCHES + 1, "after 4 updates of epoch 1"),
        (2 * N_BATCHES, "after 4 updates of epoch 1"),
        (3 * N_BATCHES - 2, "after 4 updates of epoch 2"),
    ],
)
def test_a_signal_during_an_evaluation_saves_the_state_and_ends_within_a_batch(
    small_batches, tmp_path, monkeypatch, batch, when
):
    """It was noticed after the next update, and all updates since the last state were lost meanwhile."""
    whole, broken, again = small_batches(), small_batches(), small_batches()
    whole.run()
    generate, batches = respond.generate, count(1)

    def signalled(*arguments):
        if next(batches) == batch:
            os.kill(os.getpid(), signal.SIGTERM)
        return generate(*arguments)

    monkeypatch.setattr(respond, "generate", signalled)
    with (
        Saver(tmp_path, minutes=60) as saver,
        pytest.raises(StudyError, match=f"ended by SIGTERM {when}"),
    ):
        broken.run(saver=saver)
    monkeypatch.undo()
    assert next(batches) == batch + 1
    steps = []
    monkeypatch.setattr(again.learner, "update", counted(again.learner.update, steps))
    again.run(saver=Saver(tmp_path, minutes=60))
    assert len(steps) == N_STEPS - (batch - 1) // N_BATCHES * 4
    assert_same(whole, again)


def test_a_truncated_state_is_noticed_and_none_left_is_a_beginning(stage, tmp_path, capsys):
    states = Saver(tmp_path, minutes=0)
    for number in range(2):
        states.save({"a": torch.full((3,), float(number))}, {})
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    whole, again = stage(), stage()
    whole.run()
    again.run(saver=Saver(tmp_path, minutes=60))
    assert capsys.readouterr().err.count("is damaged") == 2
    assert_same(whole, again)


def poisoned(trainer, monkeypatch, at, value, times=1, epoch=1):
    """Let the loss of an update be something else, that many times."""
    update, left = trainer.learner.update, [times]

    def found(batches, rate):
        total = update(batches, rate)
        if trainer.epoch_state.done == at and len(trainer.history) == epoch and left[0]:
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
    trainer.sampler.start_epoch(0)
    assert ", ".join(map(str, trainer.sampler.chosen(2))) in str(error.value)
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


def test_norms_of_thoughts_are_in_the_history(stage):
    history = stage().run()
    assert [row.thought_norm > 0 for row in history] == [False, True, True]


def test_time_and_energy_of_a_stage_are_those_of_all_its_jobs(stage, tmp_path, monkeypatch):
    """Of a job before, up to its last state, and of this job, with what it did before its roll-back."""
    joules, seconds = [0.0], [0.0]
    monkeypatch.setattr(meter, "energy_used", lambda device: joules[0])
    monkeypatch.setattr(meter, "perf_counter", lambda: seconds[0])
    job = stage()
    joules[0], seconds[0] = 30.0, 500.0
    killed_after(job, monkeypatch, 3)
    with pytest.raises(Killed):
        job.run(saver=Saver(tmp_path, minutes=0))
    again = stage(roll_back=1)
    update = again.learner.update

    def measured(batches, rate):
        joules[0], seconds[0] = joules[0] + 1, seconds[0] + 10
        return update(batches, rate)

    monkeypatch.setattr(again.learner, "update", measured)
    poisoned(again, monkeypatch, 1, float("nan"), epoch=2)
    again.run(saver=Saver(tmp_path, minutes=60))
    assert again.n_roll_backs == 1
    n_updates = 2 * (1 + 4)  # the last of epoch 1 and all of epoch 2, twice
    assert (again.meter.joules, again.meter.seconds) == (30 + n_updates, 500 + 10 * n_updates)
