"""iCoT: how much of the chain is gone at an update, and how a stage trains on what is left."""

import gc
import math
import weakref

import numpy as np
import pytest
import torch

from coconut_study.common.errors import StudyError
from coconut_study.questions.datasets import generate
from coconut_study.sequences.builder import Tokens, build
from coconut_study.sequences.methods import Layout, Removal
from coconut_study.sequences.templates import TEMPLATES, WORD
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model, stage
from coconut_study.training.learner import Learner
from coconut_study.training.schedule import scheduled, smoothed

from ...studies import settings, with_value
from .test_stage import weights

Q, S1, S2, S3, A = [1, 2], [11, 12], [21], [31, 32, 33], [9, 0]
CHAIN = Tokens(question=Q, positions=[0, 1], steps=[S1, S2, S3], answer=A)
DROPPED = Layout(hidden=None, thoughts=0, kind="none", markers=False)
ICOT = {
    "title": "iCoT",
    "steps": "removed",
    "thoughts": "none",
    "markers": False,
    "training": {"reset_optimizer": "removal"},
}
NO_OTHERS = {"comparisons": {}, "clock": None, "ending": None, "probing": None, "decoding": None}


def removing(unit="token", per_epoch=1.0, smoothing=None, limit=None):
    return Removal(unit=unit, per_epoch=per_epoch, smoothing=smoothing, limit=limit)


# -------------------------------------------------------------------------------------------- schedule


@pytest.mark.parametrize("unit", ["token", "step"])
def test_units_go_one_at_a_time_until_nothing_is_left(unit):
    found = [scheduled(removing(unit, 2), step / 4, 6) for step in range(16)]
    assert found == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 6]


def test_less_than_a_unit_an_epoch_takes_epochs_for_each():
    found = [scheduled(removing(per_epoch=0.5), epochs, 6) for epochs in (0, 1, 1.99, 2, 3, 4, 11.5, 12, 99)]
    assert found == [0, 0, 0, 1, 1, 2, 5, 6, 6]


def test_rounding_delays_no_unit():
    assert 0.29 * 100 < 29
    assert scheduled(removing(per_epoch=100), 0.29, 50) == 29


def test_from_the_limit_on_everything_goes():
    found = [scheduled(removing(limit=3), epochs, 40) for epochs in (0, 1, 2, 2.99, 3, 4)]
    assert found == [0, 1, 2, 2, 40, 40]
    assert [scheduled(removing(limit=9), epochs, 2) for epochs in (1, 2, 3)] == [1, 2, 2]


def test_smoothing_removes_more_with_exponentially_falling_probability():
    rng = np.random.default_rng(0)
    drawn = np.array([smoothed(removing(smoothing=1.0), 5, rng) for _ in range(20_000)]) - 5
    found = np.bincount(drawn)[:5] / len(drawn)
    expected = np.exp(-np.arange(5)) / np.exp(-np.arange(100)).sum()
    assert drawn.min() == 0
    assert found == pytest.approx(expected, abs=0.01)
    none = np.mean([smoothed(removing(smoothing=4.0), 0, rng) == 0 for _ in range(5_000)])
    assert none == pytest.approx(1 - math.exp(-4), abs=0.005)


def test_without_smoothing_nothing_is_drawn():
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    assert smoothed(removing(), 5, rng) == 5
    assert rng.random() == other.random()


# ------------------------------------------------------------------------------------------- sequences


@pytest.mark.parametrize(
    ("unit", "units", "left"),
    [
        ("token", 0, [11, 12, 21, 31, 32, 33]),
        ("token", 1, [12, 21, 31, 32, 33]),
        ("token", 2, [21, 31, 32, 33]),
        ("token", 4, [32, 33]),
        ("token", 6, []),
        ("token", 9, []),
        ("step", 0, [11, 12, 21, 31, 32, 33]),
        ("step", 1, [21, 31, 32, 33]),
        ("step", 2, [31, 32, 33]),
        ("step", 3, []),
        ("step", 5, []),
    ],
)
def test_the_chain_goes_from_its_left_end_and_the_answer_stays(marks, unit, units, left):
    sequence = build(CHAIN, DROPPED.without(units, unit), marks)
    assert (sequence.before, sequence.thoughts, sequence.after) == (Q, 0, left + A)
    assert sequence.n_loss == len(left) + len(A)
    assert sequence.positions == list(range(len(Q) + len(left) + len(A)))
    assert sequence.prompt.after == []


def test_a_chain_that_has_lost_everything_is_that_of_no_cot(marks):
    for unit, units in (("token", 6), ("step", 3)):
        assert build(CHAIN, DROPPED.without(units, unit), marks) == build(CHAIN, DROPPED, marks)


# ------------------------------------------------------------------------------------------- a stage


def icot_study(removal, epochs=(1, 1, 1)):
    study = settings("smoke") | NO_OTHERS
    study = with_value(study, "methods.icot", ICOT)
    study = with_value(
        study, "runs", [{"datasets": ["balanced"], "methods": ["icot", "no_cot"], "seeds": [1]}]
    )
    study = with_value(study, "datasets.balanced.schedule.epochs", list(epochs))
    return read_study(with_value(study, "datasets.balanced.schedule.removal", removal.model_dump()))


@pytest.fixture(scope="module")
def splits():
    return generate(icot_study(removing()).datasets["balanced"].questions.root)


@pytest.fixture
def trainer(splits):
    """Makes the trainer of iCoT's stage: 64 questions of 13 tokens in 2 steps, 4 updates an epoch."""

    def make(removal, epochs=(1, 1, 1), method="icot", **training):
        study = icot_study(removal, epochs)
        (spec,) = Plan(study).chain("balanced", method, 1)
        spec = spec.model_copy(update={"training": spec.training.model_copy(update=training)})
        model, tokenizer = base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))
        return stage.StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])

    return make


def sequences(trainer):
    """The sequences of every update."""
    found = []
    for epoch, n in enumerate(trainer._steps_by_epoch()):
        trainer.running = trainer._begun(epoch)
        found += [trainer._sequences(epoch, number) for number in range(n)]
    return found


def written(question, tokens=0):
    """The words of a chain that has lost tokens, and of the answer."""
    text = TEMPLATES["prose"].text(question)
    return WORD.findall("".join(text.steps))[tokens:] + WORD.findall(text.answer)


def words(trainer, sequence):
    assert sequence.after[-1] == trainer.marks.eos
    return trainer.tokenizer.convert_ids_to_tokens(sequence.after[:-1])


@pytest.mark.parametrize(
    ("removal", "gone"),
    [
        (removing("token", 6), [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 13, 13]),
        (removing("token", 2, limit=3), [0, 0, 1, 1, 2, 2, 13, 13, 13, 13, 13, 13]),
        (removing("step", 1), [0, 0, 0, 0, 6, 6, 6, 6, 13, 13, 13, 13]),
    ],
)
def test_every_update_trains_on_what_is_left_of_the_chain(trainer, splits, removal, gone):
    icot = trainer(removal)
    of = {tuple(one.question): question for one, question in zip(icot.train_tokens, icot.train, strict=True)}
    for tokens, update in zip(gone, sequences(icot), strict=True):
        for sequence in update:
            assert words(icot, sequence) == written(of[tuple(sequence.before)], tokens)


def test_the_last_sequences_are_those_of_no_cot(trainer):
    icot, no_cot = trainer(removing("step", 1)), trainer(removing("step", 1), method="no_cot")
    ours, theirs = sequences(icot), sequences(no_cot)
    assert ours[8:] == theirs[8:]
    assert all(ours[step] != theirs[step] for step in range(8))
    assert icot.spec.layout == no_cot.spec.layout


def test_smoothing_takes_more_from_some_questions_and_never_the_answer(trainer):
    icot = trainer(removing("token", 6, smoothing=0.5))
    plain = trainer(removing("token", 6))
    lost = [
        [len(two.after) - len(one.after) for one, two in zip(*updates, strict=True)]
        for updates in zip(sequences(icot), sequences(plain), strict=True)
    ]
    early = [tokens for update in lost[:4] for tokens in update]
    assert {0, 1, 2} <= set(early)
    assert min(early) == 0
    assert all(tokens == 0 for update in lost[9:] for tokens in update)
    answers = {tuple(one.question): one.answer for one in icot.train_tokens}
    assert all(
        row.after[-len(answers[tuple(row.before)]) :] == answers[tuple(row.before)]
        for update in sequences(icot)
        for row in update
    )


@pytest.mark.parametrize(
    ("removal", "message"),
    [
        (removing("step", 0.5), "3 epochs remove 1 of up to 2 steps"),
        (removing("token", 4), "3 epochs remove 11 of up to 13 tokens"),
        (removing("token", 2, limit=6), "3 epochs remove 5 of up to 13 tokens"),
    ],
)
def test_a_schedule_that_does_not_finish_is_refused(trainer, removal, message):
    with pytest.raises(StudyError, match=rf"stage 2: its {message}; raise schedule.removal.per_epoch"):
        trainer(removal)


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
def test_the_optimizer_starts_anew_exactly_when_more_is_removed(
    trainer, monkeypatch, removal, reset, expected
):
    found = resets(monkeypatch)
    trainer(removal, reset_optimizer=reset).run()
    assert found == expected


def test_what_a_reset_optimizer_held_is_given_back(trainer):
    """Two numbers for every weight, and iCoT resets it for every token of the chain."""
    icot = trainer(removing("step", 1))
    icot._train_epoch(0, 1)
    held = [weakref.ref(value) for state in icot.learner.optimizer.state.values() for value in state.values()]
    assert held
    icot.learner.reset()
    gc.collect()
    assert not icot.learner.optimizer.state
    assert [value for value in held if value() is not None] == []


def test_the_best_epoch_is_that_with_most_removed_and_then_the_most_accurate(trainer, monkeypatch):
    accuracies = iter([1.0, 0.9, 0.8, 0.3, 0.6, 0.5])
    seen = []

    def accuracy(self):
        seen.append(weights(self))
        return next(accuracies)

    monkeypatch.setattr(stage.StageTrainer, "accuracy", accuracy)
    icot = trainer(removing("step", 1), epochs=(1, 2, 2))
    history = icot.run()
    assert [(row.removed, row.accuracy) for row in history[1:]] == [
        (0, 0.9), (1, 0.8), (2, 0.3), (2, 0.6), (2, 0.5),
    ]  # fmt: skip
    kept = weights(icot)
    assert [all(torch.equal(kept[name], found[name]) for name in kept) for found in seen] == [
        False, False, False, False, True, False,
    ]  # fmt: skip


def test_history_begins_before_the_first_update(trainer, monkeypatch):
    icot = trainer(removing("step", 1))
    start, seen = weights(icot), []
    accuracy = stage.StageTrainer.accuracy

    def looked_at(self):
        seen.append(weights(self))
        return accuracy(self)

    monkeypatch.setattr(stage.StageTrainer, "accuracy", looked_at)
    first, *others = icot.run()
    assert all(torch.equal(seen[0][name], start[name]) for name in start)
    assert (first.stage, first.epoch, first.questions, first.removed) == (2, 0, 0, 0)
    assert math.isnan(first.loss)
    assert [(row.epoch, row.questions, row.removed) for row in others] == [(1, 64, 0), (2, 64, 1), (3, 64, 2)]
    assert not any(math.isnan(row.loss) for row in others)


def test_other_methods_remove_nothing(trainer):
    no_cot = trainer(removing("step", 1), method="no_cot")
    assert no_cot.spec.removal is None
    assert {row.removed for row in no_cot.run()} == {0}
