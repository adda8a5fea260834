"""Learning rate, and how much of the chain iCoT has removed at an update."""

import math

import numpy as np
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.sequences.methods import Removal
from coconut_study.training.schedule import StageSchedule, scheduled, smoothed

from .conftest import changed


def removing(unit="token", per_epoch=1.0, smoothing=None, limit=None):
    return Removal(unit=unit, per_epoch=per_epoch, smoothing=smoothing, limit=limit)


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


@pytest.mark.parametrize(
    ("removal", "message"),
    [
        (removing("step", 0.5), "3 epochs remove 1 of up to 2 steps"),
        (removing("token", 4), "3 epochs remove 11 of up to 13 tokens"),
        (removing("token", 2, limit=6), "3 epochs remove 5 of up to 13 tokens"),
    ],
)
def test_a_schedule_that_does_not_finish_is_refused(icot, removal, message):
    with pytest.raises(StudyError, match=rf"stage 2: its {message}; raise schedule.removal.per_epoch"):
        icot(removal)


def test_the_learning_rate_warms_up_and_decays_over_the_whole_run(stages, splits):
    spec = changed(stages[1], warmup=1, decay=1, learning_rate=1.0)
    rates = []
    for before in (0, 1, 2):  # epochs of 4 updates
        schedule = StageSchedule(spec.model_copy(update={"epochs_before": before}), len(splits["train"]), 0)
        rates += [round(schedule.learning_rate(step), 2) for step in range(4)]
    assert [*rates, round(schedule.learning_rate(4), 2)] == [
        0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0.25,
    ]  # fmt: skip
