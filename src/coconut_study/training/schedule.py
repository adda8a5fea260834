"""Schedules of a stage: learning rate, and how much of a written chain iCoT has removed. Pure."""

from __future__ import annotations

import math

import numpy as np

from coconut_study.sequences.methods import Removal
from coconut_study.training.settings import Optimization


def rate(step: int, steps: int, settings: Optimization, warmup: int, decay: int) -> float:
    """Learning rate at an update of a run of `steps`: linear warm-up, constant, linear decay."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    fall = min(1.0, max(steps - step, 1) / decay) if decay else 1.0
    return settings.learning_rate * rise * fall


def scheduled(settings: Removal, epochs: float, longest: int) -> int:
    """Units removed after `epochs` from chains of at most `longest` units; `longest` means all."""
    units = math.floor(epochs * settings.per_epoch + 1e-9)
    beyond = longest if settings.limit is None else min(settings.limit, longest)
    return longest if units >= beyond else units


def smoothed(settings: Removal, units: int, rng: np.random.Generator) -> int:
    """Units that one question loses: o more than scheduled, with P(o) proportional to exp(-smoothing o)."""
    if settings.smoothing is None:
        return units
    return units + int(rng.geometric(1 - math.exp(-settings.smoothing))) - 1
