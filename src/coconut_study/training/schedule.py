"""Schedules of a stage: learning rate, number of updates, and what iCoT has removed of the chain. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coconut_study.common.errors import StudyError
from coconut_study.sequences.methods import Removal
from coconut_study.training.settings import Optimization, StageSpec


@dataclass(frozen=True, slots=True)
class StageSchedule:
    """The schedule of a stage with `n_questions` training questions.

    `longest_chain` is the length of the longest chain of steps, in the unit that iCoT removes. Steps are
    updates, counted from 0 at the start of the stage.
    """

    spec: StageSpec
    n_questions: int
    longest_chain: int

    def steps(self, epochs: float) -> int:
        """Number of updates in `epochs`; a smaller last batch is also an update."""
        return round(epochs * -(-self.n_questions // self.spec.training.batch_size))

    def steps_by_epoch(self) -> list[int]:
        """Number of updates in each epoch of the stage; the last epoch may be a fraction of one."""
        whole, total = self.steps(1), max(self.steps(self.spec.epochs), 1)
        return [min(whole, total - start) for start in range(0, total, whole)]

    def first_step(self, epoch: int) -> int:
        """The first update of an epoch of the stage."""
        return sum(self.steps_by_epoch()[:epoch])

    def questions(self, epoch: int) -> int:
        """Number of questions used in an epoch of the stage."""
        return min(self.steps_by_epoch()[epoch] * self.spec.training.batch_size, self.n_questions)

    def learning_rate(self, step: int) -> float:
        """Learning rate at an update; it warms up and decays over all stages of the run."""
        spec, settings = self.spec, self.spec.training
        warmup, decay = self.steps(settings.warmup), self.steps(settings.decay)
        in_run = self.steps(spec.epochs_before) + step
        return learning_rate(in_run, self.steps(spec.epochs_in_all), settings, warmup, decay)

    def removed(self, step: int) -> int:
        """Units that iCoT has removed at an update; 0 for other methods."""
        if self.spec.removal is None:
            return 0
        return scheduled(self.spec.removal, step / self.steps(1), self.longest_chain)

    def removes_more(self, step: int) -> bool:
        """True if an update removes more than the update before."""
        return step > 0 and self.removed(step) > self.removed(step - 1)

    def check_removal(self) -> None:
        """StudyError if the stage ends before the whole chain is removed."""
        removed = self.removed(sum(self.steps_by_epoch()) - 1)
        if removed < self.longest_chain:
            unit = self.spec.removal.unit if self.spec.removal else ""
            raise StudyError(
                f"stage {self.spec.stage}: its {self.spec.epochs:g} epochs remove {removed} of up to "
                f"{self.longest_chain} {unit}s; raise schedule.removal.per_epoch, lower its limit, or add "
                "epochs"
            )


def learning_rate(step: int, steps: int, settings: Optimization, warmup: int, decay: int) -> float:
    """Learning rate at an update of a run of `steps`: linear warm-up, constant, linear decay."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    fall = min(1.0, max(steps - step, 1) / decay) if decay else 1.0
    return settings.learning_rate * rise * fall


def scheduled(settings: Removal, epochs: float, longest: int) -> int:
    """Units removed after `epochs` from chains of up to `longest` units; `longest` means the whole chain."""
    units = math.floor(epochs * settings.per_epoch + 1e-9)
    limit = longest if settings.limit is None else min(settings.limit, longest)
    return longest if units >= limit else units


def smoothed(settings: Removal, units: int, rng: np.random.Generator) -> int:
    """Units removed from one question: `units` plus o, drawn with P(o) proportional to exp(-smoothing o)."""
    if settings.smoothing is None:
        return units
    return units + int(rng.geometric(1 - math.exp(-settings.smoothing))) - 1
